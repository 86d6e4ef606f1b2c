"""Entry point of the containers of Dask's workers and schedulers on ECS: `python3 -m runner.clusters.entry COMMAND...`.

It fetches the run's keys, has Dask use them, and becomes the command, in words that the installed Dask knows. Its exit
code says what was wrong before that: 65 when it cannot work with this run, 69 when AWS could not be asked.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from runner import contract, inputs, log
from runner.aws.access import load
from runner.aws.client import Client
from runner.clusters import dask_command, run_keys, tls
from runner.clusters.own_task import own_task
from runner.clusters.versions import check_versions
from runner.environment import Log
from runner.errors import PenstockError
from runner.outcome import ExitCode
from runner.temporary import temporary_folder

INPUT_VARIABLE = "PENSTOCK_INPUT_WORKER"
"""What the container is told by its run, as JSON."""


def main(command: Sequence[str]) -> int:
    """Become the command; the result is the exit code of one that has run in this very process."""
    try:
        told = json.loads(inputs.read(f"{inputs.VARIABLE}{INPUT_VARIABLE}", "worker's input"))
        check_versions(told["versions"])
        if told["keys"] is not None:
            with_keys = Client(load(region=told["region"]), "secretsmanager")
            os.environ.update(_encrypted(run_keys.fetch(with_keys, told["keys"])))
            with_keys.close()
        own = own_task()
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return error.exit_code
    os.environ.update(_settings(told))
    folder = temporary_folder()
    program = dask_command.translated(
        command,
        address=own.address,
        folder=folder,
        memory_mib=told["memory_mib"],
        port=told["port"],
        dashboard=told["dashboard"],
    )
    if program[:2] == dask_command.WORKER:
        log.configure(contract.decode(Log, told["log"], subject="worker's input", warn=lambda _: None))
        from click import ClickException

        from runner.clusters import task_worker

        try:
            return task_worker.work(program[2:], told, own.id)
        except ClickException as error:
            print(
                f"penstock: `{shlex.join(program)}` is not what Dask takes ({error.format_message().rstrip('.')}). "
                "Correct worker_extra_args of the stack.",
                file=sys.stderr,
            )
            return ExitCode.BAD_DOCUMENT
    if program[:1] == ("dask",):
        program = (sys.executable, "-P", "-m", *program)
    sys.stdout.flush()
    try:
        os.execvp(program[0], program)  # noqa: S606 no shell is wanted
    except (OSError, IndexError) as error:
        print(f"penstock: the command {list(program)} cannot be started ({error}).", file=sys.stderr)
        return ExitCode.BAD_DOCUMENT


def _encrypted(keys: str) -> dict[str, str]:
    """Dask's settings for the run's keys, in variables, for this program and the one that takes its place."""
    authority, own = tls.parts(keys)
    ca, key = tls.in_memory(authority, stays=True), tls.in_memory(own, stays=True)
    settings = {"REQUIRE_ENCRYPTION": "true", "TLS__CA_FILE": ca}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        settings |= {f"TLS__{role}__CERT": key, f"TLS__{role}__KEY": key}
    return {f"DASK_DISTRIBUTED__COMM__{name}": value for name, value in settings.items()}


def _settings(told: Mapping[str, Any]) -> dict[str, str]:
    """Dask's other settings; without routes, nothing of a process can be read over HTTP."""
    settings = {
        "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
        "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": str(told["work_stealing"]),
        "DASK_LOGGING__DISTRIBUTED": os.environ.get("DASK_LOGGING__DISTRIBUTED", "warning"),
    }
    if not told["dashboard"]:
        settings["DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"] = "[]"
    return settings


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # without waiting for what threads of tasks still do
