"""Finds the environment that a command means, in the local store or in a file."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from runner import contract, environment
from runner.environment import SUBJECT, Environment
from runner.errors import ContractError, UsageError
from runner.flow import suggestion
from runner.launch.base import Reach
from runner.launch.folders import environments_folder

PULL = "Provision one with `pulumi up`, then `penstock env pull --stack NAME`."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose an environment."""
    parser.add_argument("--env", metavar="NAME", help="environment of the local store")
    parser.add_argument("--environment", metavar="FILE", help="environment document in a file")
    parser.add_argument(
        "--label", action="append", default=[], metavar="LABEL", help="the environment that carries it; repeatable"
    )


def add_place(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add the options that say where to look: in which environment, cluster and account of the user's."""
    parser.add_argument("--env", metavar="NAME", help=meaning)
    add_reach(parser)


def add_reach(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which cluster or account of the user's is meant."""
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig, for environments on Kubernetes")
    parser.add_argument("--kubeconfig", metavar="FILE", help="kubeconfig file (default: as kubectl finds it)")
    parser.add_argument("--profile", metavar="NAME", help="profile of AWS' files, for environments on ECS")


def reach(name: str, options: argparse.Namespace) -> Reach:
    """Which cluster or account is meant for an environment: what options say, else what `env pull` noted of it."""
    if options.context or options.kubeconfig or options.profile:
        return Reach(kubeconfig=options.kubeconfig, context=options.context, profile=options.profile)
    try:
        return contract.decode(
            Reach, contract.parse_json(_note(name).read_bytes(), subject="note"), subject="note", warn=_silent
        )
    except (OSError, ContractError):
        return Reach()


def note_reach(name: str, noted: Reach) -> None:
    """Note which cluster an environment is in, so that another current context does not lead elsewhere."""
    if noted == Reach():
        _note(name).unlink(missing_ok=True)
    else:
        _note(name).write_bytes(contract.to_bytes(noted))


def _note(name: str) -> Path:
    return environments_folder() / f"{name}.reach"


def choose(options: argparse.Namespace, warn: Callable[[str], None]) -> Environment:
    """The environment that the options name, else PENSTOCK_ENVIRONMENT, else the only one of the store.

    Raises:
        UsageError: none, or several, are meant.
        ContractError: the document is not one.
    """
    given = [name for name in ("env", "environment", "label") if getattr(options, name)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} both choose the environment. Give one of them.")
    variable = "" if given else os.environ.get("PENSTOCK_ENVIRONMENT", "")
    if options.environment or "/" in variable or variable.endswith(".json"):
        return read_file(Path(options.environment or variable), warn)
    if options.env or variable:
        return named(options.env or variable, warn)
    candidates = [item for item in stored(warn) if set(options.label) <= set(item.routing_labels)]
    if len(candidates) == 1:
        return candidates[0]
    raise _not_one(candidates, options.label)


def _not_one(candidates: list[Environment], labels: list[str]) -> UsageError:
    wanted = f"carries {' and '.join(labels)}" if labels else "is in the local store"
    if candidates:
        names = ", ".join(item.name for item in candidates)
        return UsageError(f"More than one environment {wanted}: {names}. Choose one with --env.")
    known = ", ".join(f"{item.name} ({', '.join(item.routing_labels) or 'no labels'})" for item in stored(_silent))
    if labels and known:
        return UsageError(f"No environment {wanted}. There are: {known}.")
    return UsageError(f"No environment {wanted}. {PULL}")


def named(name: str, warn: Callable[[str], None]) -> Environment:
    """The environment of that name in the local store."""
    path = environments_folder() / f"{name}.json"
    if not path.is_file():
        names = [item.stem for item in documents()]
        known = f" There are: {', '.join(names)}." if names else ""
        hint = suggestion(name, names) or known
        raise UsageError(f"There is no environment {name!r} in the local store.{hint} {PULL}")
    return read_file(path, warn)


def documents() -> list[Path]:
    """The files of the local store."""
    return sorted(environments_folder().glob("*.json"))


def stored(warn: Callable[[str], None]) -> list[Environment]:
    """The environments of the local store; documents that cannot be read are warned about and left out."""
    found = []
    for path in documents():
        try:
            found.append(read_file(path, warn))
        except ContractError as error:
            warn(f"{path} is left out: {error}")
    return found


def read_file(path: Path, warn: Callable[[str], None]) -> Environment:
    """The environment whose document is in a file."""
    try:
        with path.open("rb") as file:
            data = file.read(contract.MAX_BYTES + 1)
    except OSError as error:
        raise contract.unreadable(SUBJECT, str(path), error) from None
    return environment.read(data, warn=warn)


def _silent(_: str) -> None:
    """Drop a warning that has been given already."""
