"""Removes what a run on ECS started whose own process could not: `python3 -m runner.clusters.ecs_cleanup`.

It is a container of the run's task that outlives the flow's: it sleeps until that has ended, however it did, and ECS
asks it to end. Then it stops the tasks that the run's task has started, and deletes the run's secret.
"""

import os
import signal
import sys

SECRETS_PREFIX_VARIABLE = "PENSTOCK_SECRETS_PREFIX"
"""Begins the name of the run's secret; not set where runs have none."""
LOST_SECONDS = 2.0
"""So long after its start it looks whether the flow's container has ended already."""
SECONDS = 20.0
"""How long it goes on trying."""
AGAIN_SECONDS = 1.0
"""Pause before it looks again, when something was left."""


def main() -> int:
    """Wait for the end, then clean up; the result is the exit code."""
    _await_the_end()
    import time
    from collections.abc import Callable

    from runner.aws.access import load
    from runner.aws.client import Client
    from runner.clusters import run_keys
    from runner.clusters.own_task import own_task
    from runner.ecs.started import stop_started
    from runner.errors import PenstockError
    from runner.outcome import ExitCode

    code: int = ExitCode.OK

    def attempt(step: Callable[[], object]) -> None:
        nonlocal code
        try:
            step()
        except PenstockError as error:  # the other step can be done all the same
            print(f"penstock: {error}", file=sys.stderr)
            code = error.exit_code

    try:
        own, access = own_task(), load()
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return error.exit_code
    ecs, secrets = (Client(access, service, budget_seconds=SECONDS) for service in ("ecs", "secretsmanager"))

    def stop() -> None:
        # A start that the run had asked for when it was killed may come to be a moment later.
        while left := stop_started(ecs, own.cluster, own.id):
            for arn in left:
                print(f"penstock: {arn} was left by the run, and is stopped now.", file=sys.stderr)
            time.sleep(AGAIN_SECONDS)

    attempt(stop)
    prefix = os.environ.get(SECRETS_PREFIX_VARIABLE)
    if prefix is not None:
        attempt(lambda: run_keys.remove(secrets, f"{prefix}{own.id}"))
    return code


def _await_the_end() -> None:
    signals = {signal.SIGTERM, signal.SIGINT}
    if signal.sigtimedwait(signals, LOST_SECONDS) is None:
        from runner.clusters.own_task import has_ended
        from runner.errors import PenstockError
        from runner.sections import FLOW_CONTAINER

        # The first process of a container does not see a signal that came before it could be waited for.
        try:
            ended = has_ended(FLOW_CONTAINER)
        except PenstockError:
            return  # it is in no task, which is told in a moment
        if not ended:
            signal.sigwait(signals)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    sys.exit(main())
