"""The steps of a run inside the flow's process: load, open the cluster, call the flow, close, `on_exit`, report."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from inspect import iscoroutine, signature
from typing import TYPE_CHECKING

from runner import contract, log, verdict
from runner.attempt import Attempt
from runner.channel import Reports
from runner.environment import Executor, ExecutorType
from runner.errors import ContractError, LoadError, PenstockError
from runner.flow import BY_VALUE, Function, Script, load, load_callback, traceback_of
from runner.outcome import ExitCode, Failure, FailureClass, Outcome, State
from runner.parameters import Bound, bind
from runner.request import WorkerCount, check_workers
from runner.result import fit
from runner.stop import StopNotice

if TYPE_CHECKING:
    from distributed import Client

LOCAL_OPTIONS = ("workers", "threads_per_worker", "memory_limit_mib")
WORKER_OPTIONS = ("min_workers", "max_workers")
"""Options that `on_execute` may change: of a local Dask cluster, and of one that the environment provisions."""
MAX_MESSAGE = 2000
"""Longest message, in characters, that an outcome carries."""
MAX_DETAIL = 16 * 1024
"""Longest traceback, in characters, that an outcome carries; the log has the whole."""


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    flow: Function | Script
    bound: Bound
    callbacks: Mapping[str, Callable[..., object]]


class _UserError(Exception):
    """The user's code raised; the cause is what it raised, the message begins a sentence about it."""


def run(attempt: Attempt, reports: Reports, notice: StopNotice) -> int:
    """Run the flow and report its end to the supervisor; the result is this process's own exit code."""
    prepare_process(attempt)
    for sentence in attempt.warnings:
        print(f"penstock: {sentence}", file=sys.stderr)
    loaded = None
    try:
        if attempt.code is not None:
            from runner.bundle import unpack  # zipfile costs start-up time

            unpack(attempt.code.archive, attempt.code.bundle, attempt.code.folder)
            os.chdir(attempt.code.folder)
        loaded = _load(attempt)
        reports.send("loaded")
        value = _run_steps(attempt, loaded, reports, notice)
        result, described = fit(value, artifacts=attempt.artifacts)
        end = verdict.End(state=State.SUCCEEDED, exit_code=ExitCode.OK, result=result, result_repr=described)
    except BaseException as error:  # noqa: BLE001 whatever ends the flow is its outcome
        end = _end_of(notice.error or error)
    if notice.stop is not None:
        end = verdict.stopped(notice.stop, run_seconds=attempt.run_seconds)
    reports.send("end", end=contract.encode(end))
    if loaded is not None and "on_exit" in loaded.callbacks:
        reports.send("on_exit")
        _guard_on_exit(lambda: loaded.callbacks["on_exit"](_outcome(attempt, end)))
    _flush()
    return end.exit_code


def call_on_exit(attempt: Attempt, outcome: Outcome) -> int:
    """Call `on_exit` in a process of its own, for a flow whose process ended before it could."""
    prepare_process(attempt)
    if attempt.code is not None:
        os.chdir(attempt.code.folder)
    sys.path.insert(0, os.path.dirname(os.path.abspath(attempt.request.flow.partition(":")[0])))  # noqa: PTH100, PTH120
    reference = attempt.callbacks.on_exit or ""
    _guard_on_exit(lambda: load_callback(reference, role="on_exit")(outcome))
    _flush()
    return ExitCode.OK


def prepare_process(attempt: Attempt) -> None:
    """Give the process the run's environment variables, unbuffered output and logging."""
    request = attempt.request
    variables = dict(attempt.environment.env)
    variables["PENSTOCK_RUN_ID"] = request.run_id
    variables["PENSTOCK_ATTEMPT"] = str(request.attempt)
    variables["PENSTOCK_ENVIRONMENT"] = attempt.environment.name
    if attempt.deadline is not None:
        variables["PENSTOCK_DEADLINE"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(attempt.deadline))
    if attempt.artifacts is not None:
        variables["PENSTOCK_ARTIFACTS"] = attempt.artifacts
    # For programs that the flow starts; this interpreter is up already.
    variables["PYTHONUNBUFFERED"] = "1"
    # Read when distributed is imported, maybe by the flow itself; extra_loggers shows more.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    os.environ.update(variables)
    log.configure(attempt.log)


def _load(attempt: Attempt) -> _Loaded:
    request = attempt.request
    flow = load(request.flow, by_value=attempt.executor.address is not None)
    bound = Bound(arguments={}, clients=(), positional_only=())
    if isinstance(flow, Script):
        if request.parameters:
            raise LoadError(f"{request.flow} is a script, which takes no -p. Put its arguments behind --.")
    elif request.arguments:
        raise LoadError(f"{request.flow} is a function, which takes no arguments behind --. Use -p name=value.")
    else:
        has_client = attempt.executor.type is ExecutorType.DASK
        bound = bind(flow.signature_of, request.parameters, has_client=has_client)
    named = asdict(attempt.callbacks)
    callbacks = {role: load_callback(reference, role=role) for role, reference in named.items() if reference}
    for role, arguments in (("on_execute", 2), ("on_start", 0), ("on_exit", 1)):
        if role in callbacks:
            _check_callback(callbacks[role], role, named[role], arguments)
    return _Loaded(flow=flow, bound=bound, callbacks=callbacks)


def _check_callback(callback: Callable[..., object], role: str, reference: str, arguments: int) -> None:
    try:
        signature(callback).bind(*[None] * arguments)
    except TypeError as error:
        takes = {0: "no arguments", 1: "the outcome", 2: "the parameters and the cluster's options"}[arguments]
        raise LoadError(f"{reference} cannot be called as {role} ({error}). It is given {takes}.") from None
    except ValueError:
        return  # written in C without a signature: the call will tell


def _run_steps(attempt: Attempt, loaded: _Loaded, reports: Reports, notice: StopNotice) -> object:
    executor, workers = attempt.executor, attempt.workers
    if "on_execute" in loaded.callbacks:
        executor, workers = _on_execute(executor, workers, loaded, attempt)
    with ExitStack() as stack:
        client = None
        if executor.type is ExecutorType.DASK:
            from runner.clusters import connect

            client = stack.enter_context(connect(attempt, executor, workers, reports, notice.abort))
            if isinstance(loaded.flow, Function):
                _send_whole(loaded.flow)
        if "on_start" in loaded.callbacks:
            _call_back("on_start", loaded.callbacks["on_start"])
        if client is not None and executor.performance_report and attempt.artifacts is not None:
            from runner.clusters.report import performance_report

            stack.enter_context(performance_report(attempt.artifacts))
        reports.send("flow_called")
        try:
            return _call(loaded, attempt, client)
        finally:
            reports.send("flow_ended")


def _on_execute(
    executor: Executor, workers: WorkerCount | None, loaded: _Loaded, attempt: Attempt
) -> tuple[Executor, WorkerCount | None]:
    """Have the callback change the cluster that is about to open."""
    local_cluster = workers is None and executor.type is ExecutorType.DASK and executor.address is None
    source, names = (executor, LOCAL_OPTIONS) if local_cluster else (workers, WORKER_OPTIONS if workers else ())
    options = {name: getattr(source, name) for name in names}
    changes = _call_back("on_execute", loaded.callbacks["on_execute"], dict(loaded.bound.arguments), dict(options))
    if changes is None:
        return executor, workers
    subject = f"what {attempt.callbacks.on_execute} returned"
    if not isinstance(changes, Mapping) or not changes.keys() <= options.keys():
        raise ContractError(
            path="",
            found=contract.describe(changes) if not isinstance(changes, Mapping) else f"{sorted(changes)}",
            expected=f"a mapping with some of {sorted(options)}, or None",
            subject=subject,
            next_step="Return only the options to change.",
        )
    if workers is None:
        value = {**asdict(executor), **changes}
        return contract.decode(Executor, value, subject=subject, warn=lambda _: None), None
    count = contract.decode(WorkerCount, {**asdict(workers), **changes}, subject=subject, warn=lambda _: None)
    check_workers(attempt.environment, count, subject=subject)
    return executor, count


def _call_back(role: str, callback: Callable[..., object], *arguments: object) -> object:
    try:
        return callback(*arguments)
    except Exception as error:
        raise _UserError(f"The callback {role} raised ") from error


def _call(loaded: _Loaded, attempt: Attempt, client: "Client | None") -> object:
    try:
        if isinstance(loaded.flow, Script):
            loaded.flow.run(attempt.request.arguments)
            return None
        function = loaded.flow.call
        if loaded.flow.prefect and client is not None:
            from runner.clusters.prefect import on_cluster

            function = on_cluster(function, client)
        value = loaded.bound.call(function, client=client)
        if not iscoroutine(value):
            return value
        import asyncio

        return asyncio.run(value)
    except Exception as error:
        raise _UserError from error


def _send_whole(flow: Function) -> None:
    """Send the flow's own functions to the workers whole when these cannot import them."""
    if flow.module.__name__.endswith(BY_VALUE):
        import cloudpickle

        cloudpickle.register_pickle_by_value(flow.module)


def _end_of(error: BaseException) -> verdict.End:
    """How an exception ends the run; its traceback goes to the log."""
    if isinstance(error, SystemExit):
        return _end_of_exit(error)
    if isinstance(error, PenstockError):
        return _end_of_mistake(error)
    cause = error.__cause__ or error if isinstance(error, _UserError) else error
    detail = traceback_of(cause)
    print(detail, end="", file=sys.stderr)
    if isinstance(error, _UserError):
        kind, code, words = FailureClass.FLOW, ExitCode.FLOW_FAILED, str(error)
    elif isinstance(error, KeyboardInterrupt):  # raised by the flow itself: a signal is told by the notice
        kind, code, words = FailureClass.FLOW, ExitCode.INTERRUPTED, ""
    else:
        kind, code, words = FailureClass.INTERNAL, ExitCode.INTERNAL, "The runner has a bug, please report it: "
    message = f"{words}{type(cause).__name__}{f': {cause}' if str(cause) else ''}"
    failure = Failure(failure_class=kind, message=_message(message), detail=plain(detail[-MAX_DETAIL:]))
    return verdict.End(state=State.FAILED, exit_code=code, failure=failure)


def _end_of_mistake(error: PenstockError) -> verdict.End:
    """A mistake is told in its sentence; a traceback that belongs to it is kept in the outcome."""
    detail = getattr(error, "detail", None)
    print(f"penstock: {error}", file=sys.stderr)
    kind = FailureClass.FLOW if error.exit_code is ExitCode.CANNOT_LOAD else FailureClass.CONFIG
    failure = Failure(
        failure_class=getattr(error, "failure_class", kind),
        message=_message(str(error)),
        detail=detail and plain(detail[-MAX_DETAIL:]),
        evidence=getattr(error, "evidence", None),
    )
    return verdict.End(state=State.FAILED, exit_code=error.exit_code, failure=failure)


def _end_of_exit(error: SystemExit) -> verdict.End:
    if error.code is None or error.code == 0:
        return verdict.End(state=State.SUCCEEDED, exit_code=ExitCode.OK)
    if not isinstance(error.code, int):
        print(error.code, file=sys.stderr)
    number = error.code if isinstance(error.code, int) else ExitCode.FLOW_FAILED
    code = number if 1 <= number < ExitCode.USAGE else ExitCode.FLOW_FAILED
    note = "" if code == number else ", which is not one of the flow's own codes 1-63"
    failure = Failure(
        failure_class=FailureClass.FLOW, message=_message(f"The flow raised SystemExit({error.code!r}){note}.")
    )
    return verdict.End(state=State.FAILED, exit_code=code, failure=failure)


def _message(text: str) -> str:
    return plain(text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…")


def plain(text: str) -> str:
    """Text that any JSON reader takes: no NUL, no lone surrogates."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def _outcome(attempt: Attempt, end: verdict.End) -> Outcome:
    outcome = Outcome(
        run_id=attempt.request.run_id,
        attempt=attempt.request.attempt,
        environment=attempt.environment.name,
        kind=attempt.environment.kind,
        flow=attempt.request.flow,
        state=end.state,
    )
    return replace(outcome, **{name: getattr(end, name) for name in ("exit_code", "failure", "result", "result_repr")})


def _guard_on_exit(callback: Callable[[], object]) -> None:
    try:
        callback()
    except (Exception, SystemExit) as error:  # noqa: BLE001 it must not hide how the flow ended
        cause = error if not isinstance(error, PenstockError) else None
        print(traceback_of(cause) if cause else f"penstock: {error}\n", end="", file=sys.stderr)
        print("penstock: on_exit failed; the run's outcome stays as it was.", file=sys.stderr)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
