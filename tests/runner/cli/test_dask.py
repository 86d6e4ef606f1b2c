"""Options about the executor of one run: which there is, how many workers, and what of their logs is shown."""

import argparse
from dataclasses import replace

import pytest

from runner.cli.dask import add_options, executor_of, log_of, workers_of
from runner.environment import Environment, Executor, ExecutorType, Log, LogLevel, TlsFiles
from runner.errors import UsageError
from runner.request import WorkerCount
from runner.sections import DaskKubernetes, Kind, Local, Resources
from tests.runner.launch.kubernetes import objects

DASK = Executor(type=ExecutorType.DASK)
LOCAL = Environment(kind=Kind.LOCAL, name="here", local=Local())
LOCAL_DASK = replace(LOCAL, executor=Executor(type=ExecutorType.DASK, workers=3, memory_limit_mib=512))
JOB_DASK = objects.environment(executor=DASK)
TLS = TlsFiles(ca_file="/tls/ca.pem", cert_file="/tls/cert.pem", key_file="/tls/key.pem")
ADDRESS = replace(LOCAL, executor=Executor(type=ExecutorType.DASK, address="tls://scheduler:8786", tls=TLS))
PODS = Environment(
    kind=Kind.DASK_KUBERNETES,
    name="dask",
    image="registry.example/flights:1",
    resources=Resources(cpu_millicores=500, memory_mib=512),
    executor=DASK,
    dask_kubernetes=DaskKubernetes(
        namespace="flows",
        job={},
        worker={},
        worker_resources=Resources(cpu_millicores=500, memory_mib=512),
        min_workers=2,
        max_workers=4,
    ),
)
ENVIRONMENTS = {"local": LOCAL, "dask": LOCAL_DASK, "job": JOB_DASK, "address": ADDRESS, "pods": PODS}


def parsed(words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(words.split())


def chosen(words: str, environment: Environment) -> tuple[Executor | None, WorkerCount | None]:
    """What a request for the environment would have."""
    options = parsed(words)
    executor = executor_of(options, environment)
    return executor, workers_of(options, environment, executor or environment.executor)


def pods(fewest: int, most: int) -> tuple[None, WorkerCount]:
    return None, WorkerCount(min_workers=fewest, max_workers=most)


CHOSEN: list[tuple[str, str, tuple[Executor | None, WorkerCount | None]]] = [
    *((name, "", (None, None)) for name in ENVIRONMENTS),
    *((name, "--executor inline", (Executor(), None)) for name in ENVIRONMENTS),
    ("local", "--executor dask", (DASK, None)),
    ("dask", "--executor dask", (LOCAL_DASK.executor, None)),
    ("job", "--executor dask", (DASK, None)),
    ("address", "--executor dask", (DASK, None)),
    ("pods", "--executor dask", (DASK, None)),
    *(
        (name, "--executor tcp://other:8786", (Executor(type=ExecutorType.DASK, address="tcp://other:8786"), None))
        for name in ENVIRONMENTS
    ),
    (
        "address",
        "--executor tls://other:8786",
        (Executor(type=ExecutorType.DASK, address="tls://other:8786", tls=TLS), None),
    ),
    ("local", "--executor dask --workers 2", (Executor(type=ExecutorType.DASK, workers=2), None)),
    ("dask", "--workers 2", (replace(LOCAL_DASK.executor, workers=2), None)),
    ("dask", "--workers 2 --dashboard", (replace(LOCAL_DASK.executor, workers=2, dashboard=True), None)),
    ("job", "--workers 2", (Executor(type=ExecutorType.DASK, workers=2), None)),
    ("dask", "--dashboard", (replace(LOCAL_DASK.executor, dashboard=True), None)),
    ("pods", "--dashboard", (replace(DASK, dashboard=True), None)),
    ("pods", "--workers 3", pods(3, 3)),
    ("pods", "--workers 1", pods(1, 1)),
    ("pods", "--workers 4", pods(4, 4)),
    ("pods", "--min-workers 0", pods(0, 4)),
    ("pods", "--min-workers 4", pods(4, 4)),
    ("pods", "--max-workers 3", pods(2, 3)),
    ("pods", "--max-workers 1", pods(1, 1)),
    ("pods", "--min-workers 1 --max-workers 3", pods(1, 3)),
    ("pods", "--executor dask --workers 3", (DASK, WorkerCount(min_workers=3, max_workers=3))),
    ("pods", "--workers 3 --dashboard", (replace(DASK, dashboard=True), WorkerCount(min_workers=3, max_workers=3))),
]


@pytest.mark.parametrize(
    ("environment", "words", "expected"), CHOSEN, ids=[f"{name} {words}" for name, words, _ in CHOSEN]
)
def test_what_is_asked_for(environment: str, words: str, expected: tuple[Executor | None, WorkerCount | None]) -> None:
    assert chosen(words, ENVIRONMENTS[environment]) == expected


NO_WORKERS = (
    "the run's executor has no workers of its own to count. Leave it out, or choose an environment that has some."
)
PROCESSES = (
    "the run's workers are processes, as many from the start to the end. "
    "Give that, or choose an environment that provisions workers."
)
NOT_BOTH = "both say how many workers there are. Give one of them."
FEWER = "Ask for fewer, or raise max_workers of the stack and `pulumi up`."
REFUSED: list[tuple[str, str, str]] = [
    *((name, "--workers 2", f"--workers is given, expected none: {NO_WORKERS}") for name in ("local", "address")),
    *(
        (name, f"--{option}-workers 1", f"--{option}-workers is given, expected none: {NO_WORKERS}")
        for name in ("local", "address")
        for option in ("min", "max")
    ),
    *(
        (name, f"--{option}-workers 1", f"--{option}-workers is given, expected --workers: {PROCESSES}")
        for name in ("dask", "job")
        for option in ("min", "max")
    ),
    *(
        (name, "--executor inline --workers 2", f"--workers is given, expected none: {NO_WORKERS}")
        for name in ("dask", "job", "pods")
    ),
    (
        "pods",
        "--executor tcp://other:8786 --min-workers 2",
        f"--min-workers is given, expected none: {NO_WORKERS}",
    ),
    ("dask", "--workers 2 --max-workers 3", f"--max-workers is given, expected --workers: {PROCESSES}"),
    ("dask", "--workers 0", "--workers is 0, expected a whole number of at least 1. Correct that option."),
    ("job", "--workers -1", "--workers is -1, expected a whole number of at least 1. Correct that option."),
    ("pods", "--workers 2 --min-workers 1", f"--workers and --min-workers {NOT_BOTH}"),
    ("pods", "--workers 2 --max-workers 3", f"--workers and --max-workers {NOT_BOTH}"),
    ("pods", "--workers 2 --min-workers 1 --max-workers 3", f"--workers and --min-workers {NOT_BOTH}"),
    ("pods", "--workers 0", "--workers is 0, expected a whole number of at least 1. Correct that option."),
    ("pods", "--workers 5", f"--workers is 5, expected at most the 4 that the stack allows. {FEWER}"),
    ("pods", "--max-workers 5", f"--max-workers is 5, expected at most the 4 that the stack allows. {FEWER}"),
    ("pods", "--max-workers 0", "--max-workers is 0, expected a whole number of at least 1. Correct that option."),
    ("pods", "--min-workers -1", "--min-workers is -1, expected a whole number of at least 0. Correct that option."),
    ("pods", "--min-workers 5", "--min-workers is 5, expected at most the 4 of max_workers. Correct that option."),
    (
        "pods",
        "--min-workers 3 --max-workers 2",
        "--min-workers is 3, expected at most the 2 of max_workers. Correct that option.",
    ),
    (
        "local",
        "--executor threads",
        '--executor is "threads", expected an address such as tls://host:8786. Correct that option.',
    ),
    (
        "pods",
        "--executor tcp://",
        '--executor is "tcp://", expected an address such as tls://host:8786. Correct that option.',
    ),
]


@pytest.mark.parametrize(
    ("environment", "words", "sentence"), REFUSED, ids=[f"{name} {words}" for name, words, _ in REFUSED]
)
def test_what_cannot_be_is_told_in_a_sentence(environment: str, words: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(words, ENVIRONMENTS[environment])

    assert str(caught.value) == sentence


@pytest.mark.parametrize("environment", ["local", "address"])
def test_a_dashboard_needs_a_cluster_of_the_runs_own(environment: str) -> None:
    with pytest.raises(UsageError, match="dashboard"):
        chosen("--dashboard", ENVIRONMENTS[environment])


LOGS: list[tuple[str, Log, Log | None]] = [
    ("", Log(), None),
    ("--log-level DEBUG", Log(), Log(level=LogLevel.DEBUG)),
    ("--log-level ERROR", Log(extra_loggers=("mine",)), Log(level=LogLevel.ERROR, extra_loggers=("mine",))),
    ("--scheduler-logs", Log(), Log(extra_loggers=("distributed.scheduler",))),
    ("--log-k8s-errors", Log(level=LogLevel.ERROR), Log(level=LogLevel.ERROR, extra_loggers=("penstock.kubernetes",))),
    (
        "--log-k8s-errors --scheduler-logs --log-level WARNING",
        Log(extra_loggers=("mine",)),
        Log(level=LogLevel.WARNING, extra_loggers=("mine", "distributed.scheduler", "penstock.kubernetes")),
    ),
    ("--scheduler-logs", Log(extra_loggers=("distributed.scheduler",)), None),
]


@pytest.mark.parametrize(("words", "default", "expected"), LOGS)
def test_what_of_logging_is_shown(words: str, default: Log, expected: Log | None) -> None:
    assert log_of(parsed(words), default) == expected


def test_levels_and_numbers_are_checked_by_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ("--log-level info", "--workers many", "--min-workers 1.5"):
        with pytest.raises(SystemExit):
            parsed(words)
    assert "invalid choice: 'info'" in capsys.readouterr().err
