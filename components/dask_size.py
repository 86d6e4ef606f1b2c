"""How large a run with Dask workers is, and the quota of a namespace in which some of them fit."""

import copy
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from components import container_resources, job_spec, worker_spec
from components.pod import RUN
from runner.contract import broken_rule, decode
from runner.sections import Resources

WORKERS = 2
"""Workers of a run unless told otherwise: the fewest that show whether a flow can be spread."""

SIZES = {
    "cpu_millicores": ("cpu", Fraction(1, 1000)),
    "memory_mib": ("memory", Fraction(container_resources.MIB)),
}
"""Keys of a quota that count what containers ask for, with Kubernetes' name and the unit."""


def worker_range(*, min_workers: int | None = None, max_workers: int | None = None) -> dict[str, int]:
    """The fewest and the most workers of a run, by the arguments' names.

    Raises:
        ContractError: they are no range.
    """
    if max_workers is None and min_workers == 0:
        raise broken_rule("max_workers", "missing", "a whole number of at least 1, since min_workers is 0")
    given = [number for number in (min_workers, max_workers) if number is not None] or [WORKERS]
    fewest, most = given[0], given[-1]
    for key, number, least in (("min_workers", fewest, 0), ("max_workers", most, 1)):
        if number < least:
            raise broken_rule(key, str(number), f"a whole number of at least {least}")
    if fewest > most:
        raise broken_rule("min_workers", str(fewest), f"at most the {most} of max_workers")
    return {"min_workers": fewest, "max_workers": most}


def executor(*, performance_report: bool | None = None) -> dict[str, Any]:
    """The document's `executor`: Dask, whose size the kind's own section says."""
    return {"type": "dask", **({} if performance_report is None else {"performance_report": performance_report})}


def quota(
    *,
    job: Mapping[str, Any],
    worker: Mapping[str, Any],
    resources: Mapping[str, Any],
    worker_resources: Mapping[str, Any],
    max_workers: int,
    concurrent_runs: int | None = None,
    quota: Mapping[str, Any] | None = None,
    container_limits: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """The namespace's `QuotaOptions`; None without a quota.

    Args:
        job: the Job of every run, complete.
        worker: the pod of every worker, complete.
        resources: what the document says that the flow's container asks for.
        worker_resources: the same of a worker's.
        max_workers: how many workers a run has at most.
        concurrent_runs: how many runs with all their workers must fit; None for no quota but the user's.
        quota: the user's, whose keys win.
        container_limits: a `ContainerLimitOptions`: what containers ask for that say nothing.

    Raises:
        ContractError: not even one run fits, or a container does not say what it asks for.
    """
    if concurrent_runs is not None and concurrent_runs < 1:
        raise broken_rule("concurrent_runs", str(concurrent_runs), "a whole number of at least 1")
    own = dict(quota or {})
    asking = worker_resources if worker_resources.get("gpu") else resources
    gpu_resource = own.get("gpu_resource", asking.get("gpu_resource", Resources.gpu_resource))
    run = _run_pod(job, resources)

    def one_run(key: str) -> int:
        """What a run asks for with all its workers, in the unit of a key of the quota."""
        if key == "pods":
            return 1 + max_workers
        name, unit = SIZES.get(key, (gpu_resource, Fraction(1)))
        default = _default(key, container_limits or {}) if key in SIZES else Fraction(0)
        of_run = container_resources.pod_request(run, name, default=default, path=job_spec.POD_PLACE)
        of_worker = container_resources.pod_request(worker["spec"], name, default=default, path=worker_spec.POD_PLACE)
        whole: int = math.ceil((of_run + max_workers * of_worker) / unit)
        return whole

    counted = ("pods", "gpu", *SIZES)
    for key in counted:
        if key in own and own[key] < one_run(key):
            workers = "its worker" if max_workers == 1 else f"all its {max_workers} workers"
            expected = f"at least the {one_run(key):,} that one run with {workers} asks for"
            raise broken_rule(f"quota.{key}", str(own[key]), expected)
    if concurrent_runs is None:
        return own if quota is not None else None
    needed = {key: concurrent_runs * one_run(key) for key in counted}
    if not needed["gpu"]:
        del needed["gpu"]
    return {**needed, **({"gpu_resource": gpu_resource} if "gpu" in needed else {}), **own}


def _run_pod(job: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    """The pod's spec of a Job, with what the launcher adds to the flow's container."""
    pod: dict[str, Any] = copy.deepcopy(job["spec"]["template"]["spec"])
    asked = decode(Resources, resources, subject="", path="resources", warn=lambda _: None)
    flow = RUN.container_of(pod)
    place = f"{job_spec.POD_PLACE}.containers[{pod['containers'].index(flow)}]"
    container_resources.complete(flow, asked, place)
    return pod


def _default(key: str, container_limits: Mapping[str, Any]) -> Fraction | None:
    """What a container asks for that says nothing, where a LimitRange fills it in."""
    for size in ("default_request", "default", "max"):
        if key in container_limits.get(size, {}):
            return int(container_limits[size][key]) * SIZES[key][1]
    return None
