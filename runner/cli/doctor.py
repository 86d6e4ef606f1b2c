"""`penstock doctor`: check this machine and an environment."""

import argparse
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from runner import __version__
from runner.cli import environments
from runner.cli.check import Check, Level
from runner.cli.command import add_json, print_json, wants_json
from runner.environment import Environment, ExecutorType
from runner.launch.folders import runs_folder
from runner.outcome import ExitCode

CONNECT_SECONDS = 3
FREE_MIB = 100


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    environments.add_options(parser)
    environments.add_reach(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was found; the exit code is 0 when nothing failed, else 69."""
    checks = list(_machine())
    if options.env or options.environment or options.label or len(environments.documents()) == 1:
        warnings: list[str] = []
        environment = environments.choose(options, warnings.append)
        checks += list(_environment(environment))
        if environment.on_kubernetes is not None:
            from runner.cli.doctor_kubernetes import checks as of_cluster

            checks += list(of_cluster(environment, environments.reach(environment.name, options)))
        if environment.on_ecs is not None:
            from runner.cli.doctor_ecs import checks as of_account

            checks += list(of_account(environment, environments.reach(environment.name, options)))
        checks += [Check(Level.NOTE, "document", sentence) for sentence in warnings]
    failed = any(check.level is Level.FAIL for check in checks)
    if wants_json(options):
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            print(f"{check.level:<5} {check.what}: {check.found}{f'. {check.next_step}' if check.next_step else ''}")
    return ExitCode.UNAVAILABLE if failed else ExitCode.OK


def _machine() -> Iterator[Check]:
    yield Check(Level.OK, "penstock", f"{__version__} with Python {platform.python_version()} at {sys.executable}")
    yield _records()
    names = [path.stem for path in environments.documents()]
    if names:
        yield Check(Level.OK, "environments", ", ".join(names))
    else:
        yield Check(Level.NOTE, "environments", "none in the local store", environments.PULL)
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        yield Check(Level.NOTE, "pulumi", "not on PATH", "It is needed to provision, not to run.")
    else:
        yield Check(Level.OK, "pulumi", pulumi)


def _records() -> Check:
    folder = runs_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Check(Level.FAIL, "records", f"{existing} cannot be written", "Set XDG_STATE_HOME to another folder.")
    free = shutil.disk_usage(existing).free // 2**20
    if free < FREE_MIB:
        return Check(Level.FAIL, "records", f"{folder} has {free} MiB free", "Make room, or run `penstock gc`.")
    return Check(Level.OK, "records", f"{folder}, {free:,} MiB free")


def _environment(environment: Environment) -> Iterator[Check]:
    what = f"environment {environment.name}"
    yield Check(Level.OK, what, f"{environment.kind}, executor {environment.executor.type}{_workers(environment)}")
    section = environment.local
    python = sys.executable
    if section is not None:
        directory = section.working_directory
        if directory is not None and not Path(directory).is_dir():
            yield Check(Level.FAIL, what, f"{directory} is not a folder", "Correct working_directory in its stack.")
        python = section.python or python
        if section.python is not None:
            yield _interpreter(what, section.python)
    if environment.executor.type is ExecutorType.DASK and environment.local is not None:
        if python == sys.executable:
            yield from _dask(what)
        if environment.executor.address is not None:
            yield _reachable(what, environment.executor.address)


def _workers(environment: Environment) -> str:
    """How many workers a run has, and of which size, in words."""
    section = environment.with_workers
    if section is None:
        return ""
    fewest, most, size = section.min_workers, section.max_workers, section.worker_resources
    number = most if fewest == most else f"{fewest} to {most}"
    return f" with {number} workers of {size.cpu_millicores} millicores and {size.memory_mib} MiB"


def _interpreter(what: str, python: str) -> Check:
    script = "import runner, sys; print(runner.__version__, sys.version.split()[0])"
    try:
        done = subprocess.run([python, "-P", "-c", script], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(Level.FAIL, what, f"{python} cannot be started ({error})", "Correct python in its stack.")
    if done.returncode:
        return Check(Level.FAIL, what, f"{python} has no penstock", f"Run `{python} -m pip install penstock`.")
    version, python_version = done.stdout.split()
    level = Level.OK if version == __version__ else Level.NOTE
    return Check(level, what, f"{python} is Python {python_version} with penstock {version}")


def _dask(what: str) -> Iterator[Check]:
    for module, level in (("distributed", Level.FAIL), ("cryptography", Level.FAIL), ("bokeh", Level.NOTE)):
        if find_spec(module) is None:
            yield Check(level, what, f"{module} is not installed", "Run `pip install 'penstock[dask]'`.")


def _reachable(what: str, address: str) -> Check:
    place = urlsplit(address)
    try:
        socket.create_connection((place.hostname or "", place.port or 0), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return Check(Level.FAIL, what, f"{address} does not answer ({error})", "Check that the scheduler is up.")
    return Check(Level.OK, what, f"{address} answers")
