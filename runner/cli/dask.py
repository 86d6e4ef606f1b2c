"""Options of one run about its executor: which one, how many workers, and what of their logs it shows."""

import argparse
from dataclasses import asdict, replace

from runner import contract
from runner.attempt import KUBERNETES_LOGGER, SCHEDULER_LOGGER
from runner.environment import Environment, Executor, ExecutorType, Log, LogLevel
from runner.errors import ContractError, UsageError
from runner.launch.dashboard import switched_on
from runner.request import WorkerCount, check_workers

LOGGERS = {"scheduler_logs": SCHEDULER_LOGGER, "log_k8s_errors": KUBERNETES_LOGGER}
"""Loggers that the options of these names show."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--executor", metavar="EXECUTOR", help="inline, dask, or the address of a Dask scheduler")
    parser.add_argument("--workers", type=int, metavar="N", help="number of Dask workers, from the start to the end")
    parser.add_argument("--min-workers", type=int, metavar="N", help="fewest Dask workers, where they are pods")
    parser.add_argument("--max-workers", type=int, metavar="N", help="most Dask workers, where they are pods")
    parser.add_argument(
        "--dashboard", action="store_true", help="serve Dask's dashboard, and lead to it while the run is followed"
    )
    parser.add_argument("--log-level", choices=[level.value for level in LogLevel], help="level of Python's logging")
    parser.add_argument("--scheduler-logs", action="store_true", help="show what Dask's scheduler logs")
    parser.add_argument(
        "--log-k8s-errors", action="store_true", help="show what the cluster says about the workers' pods"
    )


def executor_of(options: argparse.Namespace, environment: Environment) -> Executor | None:
    """The executor that the options ask for; null for the environment's.

    Raises:
        UsageError: there is no such executor.
    """
    chosen = _executor(options.executor, environment.executor)
    in_force = chosen or environment.executor
    if options.workers is not None and environment.with_workers is None and _opens_cluster(in_force):
        chosen = in_force = _decoded({**asdict(in_force), "workers": options.workers}, "--workers")
    return switched_on(in_force) if options.dashboard else chosen


def workers_of(options: argparse.Namespace, environment: Environment, executor: Executor) -> WorkerCount | None:
    """How many workers the run has; null for as many as the environment says.

    Args:
        options: the command line.
        environment: where the run is going to be.
        executor: the executor in force.

    Raises:
        UsageError: there are no workers, or not so many.
    """
    given = {
        name: getattr(options, name) for name in ("workers", "min_workers", "max_workers") if _is_given(options, name)
    }
    if not given:
        return None
    flags = [f"--{name.replace('_', '-')}" for name in given]
    section = environment.with_workers
    if section is None and _opens_cluster(executor):
        wrong = [flag for flag in flags if flag != "--workers"]
        if not wrong:
            return None
        raise UsageError(
            f"{wrong[0]} is given, expected --workers: the run's workers are processes, as many from the start to the "
            "end. Give that, or choose an environment that provisions workers."
        )
    if section is None or not _opens_cluster(executor):
        raise UsageError(
            f"{flags[0]} is given, expected none: the run's executor has no workers of its own to count. "
            "Leave it out, or choose an environment that has some."
        )
    if "workers" in given and len(given) > 1:
        raise UsageError(f"{flags[0]} and {flags[1]} both say how many workers there are. Give one of them.")
    fewest = given.get("workers", given.get("min_workers", min(section.min_workers, given.get("max_workers", 10**9))))
    most = given.get("workers", given.get("max_workers", section.max_workers))
    try:
        value = {"min_workers": fewest, "max_workers": most}
        count = contract.decode(WorkerCount, value, subject="", warn=lambda _: None)
        check_workers(environment, count, subject="")
    except ContractError as error:
        flag = f"--{error.path.replace('_', '-')}"
        step = error.next_step or "Correct that option."
        raise UsageError(
            f"{flag if flag in flags else flags[0]} is {error.found}, expected {error.expected}. {step}"
        ) from None
    return count


def log_of(options: argparse.Namespace, default: Log) -> Log | None:
    """The logging that the options ask for; null for the environment's."""
    shown = tuple(
        logger for name, logger in LOGGERS.items() if getattr(options, name) and logger not in default.extra_loggers
    )
    if options.log_level is None and not shown:
        return None
    level = default.level if options.log_level is None else LogLevel(options.log_level)
    return replace(default, level=level, extra_loggers=(*default.extra_loggers, *shown))


def _executor(word: str | None, default: Executor) -> Executor | None:
    if word is None:
        return None
    if word == ExecutorType.INLINE:
        return Executor()
    if word == ExecutorType.DASK:
        return default if _opens_cluster(default) else Executor(type=ExecutorType.DASK)
    tls = default.tls if word.startswith(("tls://", "wss://")) else None
    return _decoded({"type": "dask", "address": word, "tls": contract.encode(tls)}, "--executor")


def _decoded(value: object, option: str) -> Executor:
    try:
        return contract.decode(Executor, value, subject="", warn=lambda _: None)
    except ContractError as error:
        raise UsageError(f"{option} is {error.found}, expected {error.expected}. Correct that option.") from None


def _opens_cluster(executor: Executor) -> bool:
    """Whether a run with this executor has a Dask cluster of its own."""
    return executor.type is ExecutorType.DASK and executor.address is None


def _is_given(options: argparse.Namespace, name: str) -> bool:
    return getattr(options, name) is not None
