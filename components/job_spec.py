"""Reads a Job that the user wrote, and refuses what a run cannot be made from."""

from pathlib import Path
from typing import Any

from components.manifest import Manifest, mapping, mappings, refuse_what_the_runner_adds
from runner.contract import broken_rule, describe
from runner.sections import FLOW_CONTAINER

ARGUMENT = "job_spec"
JOB = Manifest(argument=ARGUMENT, api_version="batch/v1", kind="Job")
POD_PLACE = f"{ARGUMENT}.spec.template.spec"


def read(job_spec: object = None, *, folder: Path) -> dict[str, Any] | None:
    """The Job as a mapping of its own; None without one.

    Args:
        job_spec: the mapping, or the path of a file with it, YAML or JSON.
        folder: what a relative path is relative to.

    Raises:
        ContractError: it is not one Job, or has what is not its business.
    """
    job = JOB.read(job_spec, folder=folder)
    if job is None:
        return None
    spec = mapping(job, "spec", ARGUMENT)
    pod = mapping(mapping(spec, "template", f"{ARGUMENT}.spec"), "spec", f"{ARGUMENT}.spec.template")
    _refuse_what_is_not_one_run(spec, pod)
    refuse_what_the_runner_adds(mappings(pod, "containers", POD_PLACE), FLOW_CONTAINER, f"{POD_PLACE}.containers")
    return job


def _refuse_what_is_not_one_run(spec: dict[str, Any], pod: dict[str, Any]) -> None:
    place = f"{ARGUMENT}.spec"
    for key in ("completions", "parallelism"):
        if spec.get(key) not in {None, 1}:
            raise broken_rule(f"{place}.{key}", describe(spec[key]), "1: a run is one pod")
    if spec.get("completionMode") not in {None, "NonIndexed"}:
        raise broken_rule(f"{place}.completionMode", describe(spec["completionMode"]), "NonIndexed: a run is one pod")
    if pod.get("restartPolicy") not in {None, "Never"}:
        expected = "Never: failure_policy decides what is started again, each time in a new pod"
        raise broken_rule(f"{POD_PLACE}.restartPolicy", describe(pod["restartPolicy"]), expected)
