"""The launcher for each kind of environment, imported when it is needed, and runs wherever they are."""

import argparse
import importlib
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from runner.cli import environments
from runner.cli.command import say
from runner.environment import Environment
from runner.errors import PenstockError, UnavailableError, UsageError
from runner.launch.base import Launcher, Reach, RunRecord
from runner.sections import Kind

LAUNCHERS = {
    Kind.LOCAL: "runner.launch.local",
    Kind.KUBERNETES_JOB: "runner.launch.kubernetes.connect",
    Kind.DASK_KUBERNETES: "runner.launch.kubernetes.connect",
    Kind.FARGATE_TASK: "runner.launch.ecs.connect",
    Kind.DASK_CLOUD_PROVIDER: "runner.launch.ecs.connect",
}
"""The module of each kind, whose `launcher` makes one for an environment."""

T = TypeVar("T")


def launcher(environment: Environment, reach: Reach) -> Launcher:
    """The launcher of an environment."""
    module = importlib.import_module(LAUNCHERS[environment.kind])
    return cast(Launcher, module.launcher(environment, reach))


def local_launcher() -> Launcher:
    """The launcher of this machine, which needs no environment to find its runs."""
    from runner.launch.local import LocalLauncher

    return LocalLauncher()


def launcher_of(options: argparse.Namespace) -> Launcher:
    """The launcher that has the run of `options.run_id`: in `options.env`, else on this machine, else wherever it is.

    Raises:
        UsageError: none has.
        UnavailableError: none that could be asked has.
    """
    run_id = options.run_id
    if options.env:
        environment = environments.named(options.env, say)
        return launcher(environment, environments.reach(environment.name, options))
    local = local_launcher()
    try:
        local.find(run_id)
    except UsageError as error:
        nowhere = error
    else:
        return local
    asked = elsewhere(options)
    answers = in_parallel([_finding(platform, run_id) for _, platform in asked])
    for (_, platform), answer in zip(asked, answers, strict=True):
        if isinstance(answer, RunRecord):
            return platform
    unasked = {
        name: answer
        for (name, _), answer in zip(asked, answers, strict=True)
        if isinstance(answer, PenstockError) and not isinstance(answer, UsageError)
    }
    if unasked:
        reasons = " ".join(f"{name}: {answer}" for name, answer in unasked.items())
        raise UnavailableError(
            f"The run {run_id!r} was not found, and {', '.join(unasked)} could not be asked. {reasons}"
        )
    if not asked:
        raise nowhere
    names = ", ".join(name for name, _ in asked)
    raise UsageError(
        f"There is no run {run_id!r} on this machine or in {names}. `penstock ls` lists those that there are."
    )


def all_runs(options: argparse.Namespace) -> list[RunRecord]:
    """Every run that can be seen from here, the newest first; what cannot be asked is warned about."""
    found = [] if options.env and not _is_local(options.env) else list(local_launcher().runs())
    asked = elsewhere(options)
    answers = in_parallel([_listing(platform) for _, platform in asked])
    for (name, _), answer in zip(asked, answers, strict=True):
        if isinstance(answer, PenstockError):
            say(f"penstock: the runs of {name} are not shown. {answer}")
        else:
            found += answer
    return sorted(found, key=lambda record: record.accepted_at, reverse=True)


def elsewhere(options: argparse.Namespace) -> list[tuple[str, Launcher]]:
    """The launchers of stored environments that are not this machine, of `options.env` only when that is given."""
    stored = [item for item in environments.stored(say) if item.kind is not Kind.LOCAL]
    chosen = [item for item in stored if options.env in {None, item.name}]
    found: list[tuple[str, Launcher]] = []
    for item in chosen:
        try:
            found.append((item.name, launcher(item, environments.reach(item.name, options))))
        except PenstockError as error:
            say(f"penstock: {item.name} could not be asked. {error}")
    return found


def in_parallel(calls: Iterable[Callable[[], T]]) -> list[T | PenstockError]:
    """The results of calls that wait for different platforms, or their errors."""
    waiting = list(calls)
    if len(waiting) < 2:
        return [_guarded(call) for call in waiting]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(_guarded, waiting))


def _guarded(call: Callable[[], T]) -> T | PenstockError:
    try:
        return call()
    except PenstockError as error:
        return error


def _finding(platform: Launcher, run_id: str) -> Callable[[], RunRecord]:
    return lambda: platform.find(run_id)


def _listing(platform: Launcher) -> Callable[[], list[RunRecord]]:
    return lambda: list(platform.runs())


def _is_local(name: str) -> bool:
    return all(item.kind is Kind.LOCAL for item in environments.stored(say) if item.name == name)
