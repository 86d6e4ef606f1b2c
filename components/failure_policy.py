"""From which failures start a run again to what Kubernetes calls podFailurePolicy and backoffLimit."""

from typing import Any

from runner.environment import Action, FailurePolicy
from runner.outcome import ExitCode
from runner.sections import FLOW_CONTAINER

EXIT_CODES: dict[str, tuple[int, ...]] = {
    "flow": tuple(range(ExitCode.FLOW_FAILED, ExitCode.USAGE)),
    "crash": tuple(
        code
        for code in range(ExitCode.SIGNAL_BASE + 1, 256)
        if code not in {ExitCode.INTERRUPTED, ExitCode.KILLED, ExitCode.TERMINATED}
    ),
    "oom": (ExitCode.KILLED.value,),
}
"""The runner's exit codes of each failure that can be retried. All others end the run: they tell of a wrong document,
of time that is over, of a user who asked to stop, or (125 to 128) of a container that could not be started."""


def job_failure_policy(policy: FailurePolicy) -> dict[str, Any]:
    """The fields `backoffLimit` and `podFailurePolicy` of a Job's spec.

    A pod that the platform takes away has the condition DisruptionTarget, whatever its exit code: that rule is first.
    """
    preempted = "Ignore" if policy.preempted is Action.RETRY else "FailJob"
    rules: list[dict[str, Any]] = [
        {"action": preempted, "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    ]
    retried = sorted(
        code for name, codes in EXIT_CODES.items() if getattr(policy, name) is Action.RETRY for code in codes
    )
    if retried:
        codes = {"containerName": FLOW_CONTAINER, "operator": "NotIn", "values": retried}
        rules.append({"action": "FailJob", "onExitCodes": codes})
    return {"backoffLimit": policy.retries, "podFailurePolicy": {"rules": rules}}
