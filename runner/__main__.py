"""The in-container entry point: `python -m runner --environment FILE --request FILE [--outcome FILE] ...`.

Launchers write this command line, people do not, so it is read without argparse: start-up time is a feature here.
"""

import os
import sys
import time

from runner import contract, environment, request
from runner.errors import PenstockError, UsageError
from runner.outcome import Failure, FailureClass, Outcome, State

OPTIONS = ("--environment", "--request", "--outcome", "--artifacts", "--lock-fd")


def main(argv: list[str]) -> int:
    """Run one attempt of a flow; the result is the exit code."""
    started = time.time()
    try:
        options = _options(argv)
        target, asked = _inputs(options)
    except PenstockError as error:
        return _refuse(argv, error)
    # Only now: a wrong document is told without the cost of these, and they take the environment for granted.
    from runner.attempt import Attempt
    from runner.supervisor import supervise

    lock = options.get("--lock-fd")
    return supervise(
        Attempt(
            environment=target,
            request=asked,
            outcome_file=options.get("--outcome"),
            artifacts=options.get("--artifacts"),
            lock_fd=None if lock is None else int(lock),
            started_at=started,
        )
    )


def _options(argv: list[str]) -> dict[str, str]:
    options = dict(zip(argv[::2], argv[1::2], strict=False))
    unknown = [name for name in options if name not in OPTIONS]
    if unknown or len(argv) % 2 or not {"--environment", "--request"} <= options.keys():
        raise UsageError(
            f"The runner was called with {argv}, expected {' '.join(f'{name} VALUE' for name in OPTIONS)}. "
            "Start runs with `penstock run`, which calls it."
        )
    return options


def _inputs(options: dict[str, str]) -> tuple[environment.Environment, request.RunRequest]:
    warn = lambda sentence: print(f"penstock: {sentence}", file=sys.stderr, flush=True)  # noqa: E731
    target = environment.read(_bytes(options["--environment"], environment.SUBJECT), warn=warn)
    return target, request.read(_bytes(options["--request"], request.SUBJECT), warn=warn)


def _bytes(path: str, subject: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 pathlib costs start-up time
            return file.read(contract.MAX_BYTES + 1)
    except OSError as error:
        raise contract.unreadable(subject, path, error) from None


def _refuse(argv: list[str], error: PenstockError) -> int:
    """Tell of inputs that cannot be used, on stderr and as far as possible in the outcome."""
    print(f"penstock: {error}", file=sys.stderr, flush=True)
    options = dict(zip(argv[::2], argv[1::2], strict=False))
    if "--outcome" in options:
        from runner.record import write_outcome

        failure = Failure(failure_class=FailureClass.CONFIG, message=str(error))
        run_id = os.environ.get("PENSTOCK_RUN_ID", "unknown")
        outcome = Outcome(run_id=run_id, state=State.FAILED, exit_code=error.exit_code, failure=failure)
        write_outcome(options["--outcome"], outcome)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
