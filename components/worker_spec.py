"""Reads a pod that the user wrote for Dask workers, and refuses what no worker can be made from."""

from pathlib import Path
from typing import Any

from components.manifest import Manifest, mapping, mappings, refuse_what_the_runner_adds
from runner.contract import broken_rule, describe
from runner.sections import WORKER_CONTAINER

ARGUMENT = "worker_spec"
POD = Manifest(argument=ARGUMENT, api_version="v1", kind="Pod")
POD_PLACE = f"{ARGUMENT}.spec"


def read(worker_spec: object = None, *, folder: Path) -> dict[str, Any] | None:
    """The pod as a mapping of its own; None without one.

    Args:
        worker_spec: the mapping, or the path of a file with it, YAML or JSON.
        folder: what a relative path is relative to.

    Raises:
        ContractError: it is not one pod, or has what is not its business.
    """
    pod = POD.read(worker_spec, folder=folder)
    if pod is None:
        return None
    spec = mapping(pod, "spec", ARGUMENT)
    if spec.get("restartPolicy") not in {None, "Never"}:
        expected = "Never: a worker that has ended is replaced by a new pod"
        raise broken_rule(f"{POD_PLACE}.restartPolicy", describe(spec["restartPolicy"]), expected)
    refuse_what_the_runner_adds(mappings(spec, "containers", POD_PLACE), WORKER_CONTAINER, f"{POD_PLACE}.containers")
    return pod
