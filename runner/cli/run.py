"""`penstock run`: start a flow, follow it, exit with its exit code."""

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from runner import contract
from runner.cli import code, dask, environments
from runner.cli.command import add_json, print_json, say, wants_json
from runner.cli.launchers import launcher
from runner.environment import Callbacks, Environment
from runner.errors import ContractError, UsageError
from runner.launch.base import NotStartedError
from runner.outcome import ExitCode, Outcome, State
from runner.request import RunRequest

if TYPE_CHECKING:
    from runner.launch.pack import Packed

EPILOG = """\
FLOW is module:function, path/to/file.py:function, or path/to/file.py for a script with its arguments behind --.

  penstock run flow.py:main --env local -p city=Berlin -p days=7 -p 'tags:=["a","b"]'
  penstock run report.py --env local -- --month 3
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = EPILOG
    parser.usage = "penstock run FLOW [options] [-- ARGUMENT...]"
    parser.add_argument("flow", metavar="FLOW", help="what to run; see below")
    environments.add_options(parser)
    environments.add_reach(parser)
    code.add_options(parser)
    parser.add_argument(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter; NAME:=VALUE gives it as JSON; repeatable",
    )
    parser.add_argument("--params", metavar="FILE", help="parameters as a JSON object in a file, or - for stdin")
    parser.add_argument(
        "--run-id", metavar="ID", help="a run of this id is started once, however often this is repeated"
    )
    parser.add_argument("-d", "--detach", action="store_true", help="print the run id and return at once")
    parser.add_argument("--timeout", metavar="TIME", help="end the flow after this time, such as 90s or 2h")
    parser.add_argument("--cpu", metavar="MILLICORES", help="processor time of this run, in thousandths of a core")
    parser.add_argument("--memory", metavar="MIB", help="memory of this run, in MiB")
    dask.add_options(parser)
    for role in ("on-execute", "on-start", "on-exit"):
        parser.add_argument(f"--{role}", metavar="M:F", help=f"callback {role.replace('-', '_')} of this run")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Start the run and follow it."""
    environment = environments.choose(options, _warn)
    flow, packed = code.code_of(options, environment)
    request = _request(options, environment, flow, packed)
    platform = launcher(environment, environments.reach(environment.name, options))
    try:
        started = platform.submit(environment, request, bundle=packed.data if packed else None, notice=_warn)
    except NotStartedError as error:
        return _not_started(environment, request, error, as_json=wants_json(options))
    from runner.cli.following import detached, follow_to_end  # only now: the runner starts meanwhile

    if not started:
        say(f"penstock: the run {request.run_id} had been started before; this follows it.")
    if options.detach:
        return detached(platform, request.run_id, as_json=wants_json(options), dashboard=options.dashboard)
    if started:
        say(f"penstock: {request.run_id} in {environment.name}")
    return follow_to_end(platform, request.run_id, as_json=wants_json(options), dashboard=options.dashboard)


def _warn(sentence: str) -> None:
    say(f"penstock: {sentence}")


def _not_started(environment: Environment, request: RunRequest, error: NotStartedError, *, as_json: bool) -> int:
    """Tell of a run that the platform did not start."""
    from runner.cli.render import summary

    outcome = Outcome(
        run_id=request.run_id,
        attempt=request.attempt,
        environment=environment.name,
        kind=environment.kind,
        flow=request.flow,
        state=State.FAILED,
        exit_code=ExitCode.UNAVAILABLE,
        failure=error.failure,
    )
    say(summary(outcome))
    if as_json:
        print_json(contract.encode(outcome))
    return ExitCode.UNAVAILABLE


def _request(options: argparse.Namespace, environment: Environment, flow: str, packed: "Packed | None") -> RunRequest:
    executor = dask.executor_of(options, environment)
    workers = dask.workers_of(options, environment, executor or environment.executor)
    value = {
        "schema_version": 1,
        "run_id": options.run_id if options.run_id is not None else new_run_id(options.flow),
        "accepted_at": time.time(),
        "flow": flow,
        "parameters": parameters(options.param, options.params),
        "arguments": options.arguments,
        "bundle": contract.encode(packed.bundle) if packed else None,
        "image": options.image,
        "callbacks": asdict(
            Callbacks(on_execute=options.on_execute, on_start=options.on_start, on_exit=options.on_exit)
        ),
        "executor": contract.encode(executor),
        "size": _size(options, environment),
        "workers": contract.encode(workers),
        "run_seconds": _seconds(options.timeout),
        "log": contract.encode(dask.log_of(options, environment.log)),
    }
    try:
        return contract.decode(RunRequest, value, subject="the command line", warn=lambda _: None)
    except ContractError as error:
        top = error.path.partition(".")[0]
        name = "--timeout" if top == "run_seconds" else f"--{error.path if top in {'callbacks', 'size'} else top}"
        flag = {"--size.cpu_millicores": "--cpu", "--size.memory_mib": "--memory"}.get(name, name)
        flag = flag.replace("callbacks.", "").replace("_", "-")
        raise UsageError(f"{flag} is {error.found}, expected {error.expected}. Correct that option.") from None


def new_run_id(flow: str) -> str:
    """An id that tells people what ran when, and that no other run has."""
    name = re.sub(r"[^a-z0-9]+", "-", Path(flow).name.replace(".py", "").lower()).strip("-")[:18].strip("-")
    return f"{name or 'run'}-{time.strftime('%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def parameters(pairs: Sequence[str], file: str | None) -> dict[str, object]:
    """Parameters from the command line, over those of a file.

    Raises:
        UsageError: one is not NAME=VALUE, or is not JSON where it says so.
    """
    values = dict(_parameters_of(file)) if file else {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        raw = name.endswith(":")
        name = name.removesuffix(":")
        if not separator or not name.isidentifier():
            raise UsageError(f"-p {pair} is not NAME=VALUE. Write -p name=value, or -p 'name:=JSON'.")
        try:
            values[name] = contract.parse_json(value, subject=f"-p {name}") if raw else value
        except ContractError as error:
            raise UsageError(f"{error} Write -p {name}=text for plain text.") from None
    return values


def _size(options: argparse.Namespace, environment: Environment) -> dict[str, object] | None:
    given = {"cpu_millicores": options.cpu, "memory_mib": options.memory}
    if not any(given.values()):
        return None
    if environment.resources is None:
        raise UsageError(
            f"--cpu or --memory is given, expected neither: {environment.name} is this machine, which limits nothing. "
            "Leave it out."
        )
    return {name: int(value) if value and value.isdecimal() else value for name, value in given.items()}


def _parameters_of(file: str) -> dict[str, object]:
    subject = f"--params {file}"
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{subject} cannot be read ({error.strerror}). Give a file with a JSON object.") from None
    try:
        value = contract.parse_json(data, subject=subject)
    except ContractError as error:
        raise UsageError(str(error)) from None
    if not isinstance(value, dict):
        raise UsageError(f"{subject} holds {contract.describe(value)}, expected a JSON object of parameters by name.")
    return value


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from datetime import timedelta

    from runner.convert import Mismatch, convert

    try:
        value = convert(timedelta, text, "--timeout")
    except Mismatch as error:
        raise UsageError(f"--timeout is {error.found}, expected {error.expected}.") from None
    assert isinstance(value, timedelta)  # noqa: S101 that is what was asked for
    return value.total_seconds()
