"""The in-container entry point: `python -m runner --environment FILE --request FILE [--outcome FILE] ...`.

Launchers write this command line, people do not, so it is read without argparse: start-up time is a feature here. A
document's place is a file, `env:NAME` for an environment variable, which is removed before anything else runs, or
`s3:REGION:BUCKET/KEY` for an object.
"""

import os
import signal
import sys
import time

from runner import environment, inputs, request
from runner.errors import ContractError, PenstockError, UsageError
from runner.outcome import Failure, FailureClass, LogSummary, Outcome, State
from runner.temporary import temporary_folder

OPTIONS = (
    *("--environment", "--request", "--bundle"),
    *("--outcome", "--outcome-limit", "--trailer", "--artifacts", "--artifacts-to", "--lock-fd"),
)
ANYWHERE = "auto"
"""The value of `--artifacts` for a folder wherever temporary files go."""
LIMITS = range(1024, 4096 + 1)
"""What `--outcome-limit` may be: room for how a run ended, and a page of memory, which is written in one step."""
TRAILERS = ("yes", "awslogs")
"""What `--trailer` may be: plain, or in a log that goes through Docker's awslogs driver, which then begins with one as
well, and has a short one before a long one."""


def main(argv: list[str]) -> int:
    """Run one attempt of a flow; the result is the exit code."""
    started = time.time()
    asked = None
    warnings: list[str] = []
    try:
        options = _options(argv)
        asked = request.read(inputs.read(options["--request"], request.SUBJECT), warn=warnings.append)
        document = inputs.read(options["--environment"], environment.SUBJECT)
        target = environment.read(document, warn=warnings.append)
        _check_bundle(asked, options)
        if asked.workers is not None:
            request.check_workers(target, asked.workers, subject=request.SUBJECT)
        archive = inputs.archive(options["--bundle"]) if asked.bundle is not None else ""
        if options.get("--artifacts") == ANYWHERE:
            options["--artifacts"] = f"{temporary_folder()}/penstock-artifacts"
        if "--artifacts" in options:
            from runner.artifacts import make_folder

            make_folder(options["--artifacts"])
    except PenstockError as error:
        return _refuse(argv, asked, warnings, error)
    # Only now: a wrong document is told without the cost of these, and they take the environment for granted.
    from runner.attempt import Attempt, Code
    from runner.supervisor import supervise

    code = None
    if asked.bundle is not None:
        folder = f"{temporary_folder()}/penstock-code-{os.urandom(8).hex()}"
        code = Code(archive=archive, bundle=asked.bundle, folder=folder)
    lock = options.get("--lock-fd")
    return supervise(
        Attempt(
            environment=target,
            request=asked,
            outcome_file=options.get("--outcome"),
            outcome_limit=_limit(options),
            trailer="--trailer" in options,
            awslogs=options.get("--trailer") == "awslogs",
            artifacts=options.get("--artifacts"),
            artifacts_to=options.get("--artifacts-to"),
            code=code,
            warnings=tuple(warnings),
            lock_fd=None if lock is None else int(lock),
            started_at=started,
        )
    )


def _options(argv: list[str]) -> dict[str, str]:
    options = dict(zip(argv[::2], argv[1::2], strict=False))
    unknown = [name for name in options if name not in OPTIONS]
    if unknown or len(argv) % 2 or not {"--environment", "--request"} <= options.keys():
        found, expected = f"{argv}", " ".join(f"{name} VALUE" for name in OPTIONS)
    elif "--outcome-limit" in options and _limit(options) is None:
        found, expected = f"--outcome-limit {options['--outcome-limit']}", f"{LIMITS[0]} to {LIMITS[-1]} bytes"
    elif options.get("--trailer", "yes") not in TRAILERS:
        found, expected = f"--trailer {options['--trailer']}", f"{' or '.join(TRAILERS)}, or no such option"
    else:
        return options
    raise UsageError(
        f"The runner was called with {found}, expected {expected}. Start runs with `penstock run`, which calls it."
    )


def _limit(options: dict[str, str]) -> int | None:
    text = options.get("--outcome-limit", "")
    return int(text) if text.isdecimal() and int(text) in LIMITS else None


def _check_bundle(asked: request.RunRequest, options: dict[str, str]) -> None:
    """Refuse a request for a bundle that the runner is not given, and a bundle that no request asks for."""
    if (asked.bundle is None) != ("--bundle" not in options):
        raise ContractError(
            path="bundle",
            found="missing" if asked.bundle is None else "given",
            expected=f"{'the size and hash of' if asked.bundle is None else 'its file in'} the option --bundle",
            subject=request.SUBJECT,
            next_step=request.NEXT_STEP,
        )


def _refuse(argv: list[str], asked: request.RunRequest | None, warnings: list[str], error: PenstockError) -> int:
    """Tell of inputs that cannot be used: on stderr, and as far as possible in the run's records."""
    from runner.output import write_all
    from runner.sha256 import sha256

    said = "".join(f"penstock: {sentence}\n" for sentence in (*warnings, error)).encode(errors="backslashreplace")
    write_all(2, said)
    options = dict(zip(argv[::2], argv[1::2], strict=False))
    message = str(error).encode(errors="backslashreplace").decode()
    outcome = Outcome(
        run_id=os.environ.get("PENSTOCK_RUN_ID", "unknown") if asked is None else asked.run_id,
        attempt=1 if asked is None else asked.attempt,
        flow=None if asked is None else asked.flow,
        state=State.FAILED,
        exit_code=error.exit_code,
        failure=Failure(failure_class=FailureClass.CONFIG, message=message),
        log=LogSummary(lines=said.count(b"\n"), sha256=sha256(said).hexdigest()),
    )
    if "--outcome" in options:
        from runner.record import write_outcome

        write_outcome(options["--outcome"], outcome, limit=_limit(options))
    if options.get("--trailer") in TRAILERS:
        from runner.trailer import trailer

        line = trailer(outcome, {})
        if options["--trailer"] == "awslogs":
            from runner.awslogs import Encoder

            line = Encoder().feed(line)
        write_all(1, line)
    return error.exit_code


if __name__ == "__main__":
    # Kept until the supervisor can take them: the first process of a container would lose them, any other would end.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    sys.exit(main(sys.argv[1:]))
