"""What a Job needs beside the rest when its run creates Dask workers: who it is, a token, and somebody to clean up."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from components.labels import RUN_ID
from components.manifest import mappings
from components.pod import RUN, restrict
from runner.contract import broken_rule, describe
from runner.sections import CLEANUP_CONTAINER

PLACE = f"{RUN.place}.spec"

POD_NAME, POD_UID = ("PENSTOCK_POD_NAME", "metadata.name"), ("PENSTOCK_POD_UID", "metadata.uid")
OWN_POD = (POD_NAME, POD_UID, ("PENSTOCK_POD_IP", "status.podIP"))
"""What the run must know of its pod: its workers belong to it by name and uid, and connect to its address."""

MODULE, CLEANUP_MODULE = "runner", "runner.clusters.cleanup"
CLEANUP_COMMAND = ("python3", "-P", "-m", CLEANUP_MODULE)
CLEANUP_RESOURCES = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
"""It sleeps until the flow's container has ended, then asks the cluster to delete some pods."""


def with_cleanup(job: Mapping[str, Any]) -> dict[str, Any]:
    """The Job of a run that creates its workers itself, as another mapping.

    Args:
        job: what `job_template` gives with a token.

    Raises:
        ContractError: the user's Job leaves the token out, or has a container of the name of ours.
    """
    made = copy.deepcopy(dict(job))
    pod = made["spec"]["template"]["spec"]
    if pod["automountServiceAccountToken"] is not True:
        expected = "true: the run creates its workers with that token"
        found = describe(pod["automountServiceAccountToken"])
        raise broken_rule(f"{PLACE}.automountServiceAccountToken", found, expected)
    flow = RUN.container_of(pod)
    flow["env"] = [*_fields(OWN_POD), *(flow.get("env") or ())]
    for key in ("containers", "initContainers"):
        for i, container in enumerate(pod.get(key) or ()):
            if container.get("name") == CLEANUP_CONTAINER:
                expected = "another name: that container is Penstock's own"
                raise broken_rule(f"{PLACE}.{key}[{i}].name", f'"{CLEANUP_CONTAINER}"', expected)
    # The last one: Kubernetes ends such containers in reverse, so a proxy that it needs is still there.
    mappings(pod, "initContainers", PLACE).append(_cleanup(flow))
    return made


def _cleanup(flow: Mapping[str, Any]) -> dict[str, Any]:
    """A container that lives a little longer than the flow's, whatever that one dies of."""
    command: Sequence[str] = flow.get("command") or ()
    container: dict[str, Any] = {
        "name": CLEANUP_CONTAINER,
        # What makes an init container one that runs beside the others.
        "restartPolicy": "Always",
        "command": [*command[:-1], CLEANUP_MODULE] if command and command[-1] == MODULE else list(CLEANUP_COMMAND),
        "env": _fields((POD_NAME, POD_UID, ("PENSTOCK_RUN_ID", f"metadata.labels['{RUN_ID}']"))),
        "imagePullPolicy": flow["imagePullPolicy"],
        "resources": copy.deepcopy(CLEANUP_RESOURCES),
        # The flow's image, so the flow's user.
        "securityContext": {
            key: value
            for key, value in flow["securityContext"].items()
            if key in {"runAsUser", "runAsGroup", "runAsNonRoot"}
        },
    }
    restrict(container, PLACE)["readOnlyRootFilesystem"] = True
    return container


def _fields(variables: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Variables with what the cluster knows of the pod."""
    return [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in variables]
