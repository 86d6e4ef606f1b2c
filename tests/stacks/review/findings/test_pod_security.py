import copy
import json
from pathlib import Path
from typing import Any

import pytest

from stacks.review.findings import pod_security
from stacks.review.values import UNKNOWN
from tests.stacks.review.findings.cases import check_survives, found, told
from tests.stacks.review.steps import step

NAMESPACE = "kubernetes:core/v1:Namespace"
JOB = "kubernetes:batch/v1:Job"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
GOLDEN = Path(__file__).parents[3] / "components" / "golden"


def namespace(level: Any = None) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {}
    return {"metadata": {"name": "flows", "labels": labels}}


CONFINED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def job(security: Any = None, container: Any = None, pod: Any = None, **spec: Any) -> dict[str, Any]:
    own = {"name": "flow", "securityContext": {**CONFINED, **(security or {})}, **(container or {})}
    around = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **(pod or {})}
    inner = {"containers": [own], "securityContext": around, **spec}
    return {"metadata": {"name": "load"}, "spec": {"template": {"spec": inner}}}


def hazard(weight: str, what: str, field: str, after: str) -> str:
    return f"{weight} pod-not-confined\npods of load {what}\nspec.template.spec.{field}: null -> {after}\n"


def lost(what: str, field: str, before: str, after: str = "null") -> str:
    place = f"spec.template.spec.containers[flow].securityContext.{field}"
    return f"WARNING pod-guard-removed\npods of load could {what}\n{place}: {before} -> {after}\n"


SECURITY = "containers[flow].securityContext"
HOST_PATH = {"volumes": [{"name": "sock", "hostPath": {"path": "/run/containerd"}}]}

ABSOLUTE: dict[str, tuple[dict[str, Any], str]] = {
    "confined": (job(), ""),
    "privileged": (
        job({"privileged": True}),
        hazard("DANGER", "could do everything on their node: they are privileged", f"{SECURITY}.privileged", "true"),
    ),
    "escalation": (
        job({"allowPrivilegeEscalation": True}),
        hazard("WARNING", "could get more rights by setuid", f"{SECURITY}.allowPrivilegeEscalation", "true"),
    ),
    "capabilities": (
        job({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CAP_SYS_ADMIN", "NET_RAW"]}}),
        hazard(
            "DANGER",
            "could use the capability SYS_ADMIN of the kernel",
            f"{SECURITY}.capabilities.add",
            '"CAP_SYS_ADMIN"',
        )
        + hazard(
            "WARNING", "could use the capability NET_RAW of the kernel", f"{SECURITY}.capabilities.add", '"NET_RAW"'
        ),
    ),
    "root": (
        job({"runAsUser": 0}),
        hazard("WARNING", "run as root", f"{SECURITY}.runAsUser", "0"),
    ),
    "host": (
        job(hostNetwork=True, hostPID=True, hostIPC=True),
        hazard("DANGER", "could use the network of their node", "hostNetwork", "true")
        + hazard("DANGER", "could use the processes of their node", "hostPID", "true")
        + hazard("DANGER", "could use the shared memory of their node", "hostIPC", "true"),
    ),
    "host path": (
        job(**HOST_PATH),
        hazard(
            "DANGER",
            "could read and change the folder /run/containerd of their node",
            "volumes[sock].hostPath",
            '"/run/containerd"',
        ),
    ),
    "host path to read": (
        job(container={"volumeMounts": [{"name": "sock", "mountPath": "/s", "readOnly": True}]}, **HOST_PATH),
        hazard(
            "WARNING",
            "could read the folder /run/containerd of their node",
            "volumes[sock].hostPath",
            '"/run/containerd"',
        ),
    ),
    "host port": (
        job(container={"ports": [{"containerPort": 8786, "hostPort": 8786}]}),
        hazard("WARNING", "could be reached at port 8786 of their node", "containers[flow].ports", '"8786"'),
    ),
    "profiles": (
        job({"procMount": "Unmasked"}, pod={"seccompProfile": {"type": "Unconfined"}}),
        hazard(
            "WARNING",
            "could use every call of the node's kernel",
            "securityContext.seccompProfile.type",
            '"Unconfined"',
        )
        + hazard("DANGER", "could see and change all of /proc", f"{SECURITY}.procMount", '"Unmasked"'),
    ),
    "Windows": (
        job(pod={"windowsOptions": {"hostProcess": True}}),
        hazard("DANGER", "are processes of their node", "securityContext.windowsOptions.hostProcess", "true"),
    ),
}

GUARDS: dict[str, tuple[dict[str, Any], str]] = {
    "escalation": (
        job({"allowPrivilegeEscalation": None}),
        lost("get more rights by setuid", "allowPrivilegeEscalation", "false"),
    ),
    "capabilities": (
        job({"capabilities": {}}),
        lost("use the capabilities that containers have by default", "capabilities.drop", '["ALL"]'),
    ),
    "root": (
        job(pod={"runAsNonRoot": None}),
        lost("run as root, if their image says so", "runAsNonRoot", "true"),
    ),
    "files": (
        job({"readOnlyRootFilesystem": False}),
        lost("change files of their image", "readOnlyRootFilesystem", "true", "false"),
    ),
    "seccomp": (
        job(pod={"seccompProfile": None}),
        lost("use every call of the node's kernel", "seccompProfile.type", '"RuntimeDefault"'),
    ),
    "not known": (job({"readOnlyRootFilesystem": UNKNOWN}), ""),
}


@pytest.mark.parametrize("case", ABSOLUTE)
def test_what_is_a_hazard_is_told_when_it_is_new(case: str) -> None:
    new, expected = ABSOLUTE[case]
    assert told(found(pod_security.STEP_CHECKS, step(JOB, None, new))) == expected
    assert told(found(pod_security.STEP_CHECKS, step(JOB, job(), new))) == expected
    assert not found(pod_security.STEP_CHECKS, step(JOB, new, copy.deepcopy(new)))
    assert not found(pod_security.STEP_CHECKS, step(JOB, new, job()))


@pytest.mark.parametrize("case", GUARDS)
def test_what_is_not_there_is_told_when_it_was(case: str) -> None:
    new, expected = GUARDS[case]
    assert told(found(pod_security.STEP_CHECKS, step(JOB, job(), new))) == expected
    assert not found(pod_security.STEP_CHECKS, step(JOB, None, new))


LEVELS: dict[str, tuple[Any, Any, str]] = {
    "same": (namespace("baseline"), namespace("baseline"), ""),
    "new": (None, namespace("restricted"), ""),
    "new without": (None, namespace(), ""),
    "raised": (namespace(), namespace("baseline"), ""),
    "not known": (namespace("restricted"), namespace(UNKNOWN), ""),
    "baseline": (
        namespace("restricted"),
        namespace("baseline"),
        """
WARNING pod-security-level-lowered
pods of the namespace flows may run as root
metadata.labels.pod-security.kubernetes.io/enforce: "restricted" -> "baseline"
""",
    ),
    "privileged": (
        None,
        namespace("privileged"),
        """
DANGER pod-security-level-lowered
pods of the namespace flows may do everything to their node
metadata.labels.pod-security.kubernetes.io/enforce: null -> "privileged"
""",
    ),
    "none": (
        namespace("baseline"),
        namespace(),
        """
DANGER pod-security-level-lowered
nothing in the namespace flows refuses pods that get at their node, unless the cluster does
metadata.labels.pod-security.kubernetes.io/enforce: "baseline" -> null
""",
    ),
}


@pytest.mark.parametrize("case", LEVELS)
def test_levels_of_namespaces(case: str) -> None:
    old, new, expected = LEVELS[case]
    assert told(found(pod_security.STEP_CHECKS, step(NAMESPACE, old, new))) == expected.lstrip()


def test_pods_in_environment_documents_are_told_by_whose_they_are() -> None:
    document = json.loads((GOLDEN / "dask-kubernetes.json").read_text())
    assert not found(pod_security.STEP_CHECKS, step(CONFIG_MAP, None, {"data": {"environment.json": document}}))
    changed = copy.deepcopy(document)
    changed["dask_kubernetes"]["worker"]["spec"]["hostNetwork"] = True
    changed["dask_kubernetes"]["job"]["spec"]["template"]["spec"]["hostPID"] = True
    old, new = ({"data": {"environment.json": json.dumps(one)}} for one in (document, changed))
    findings = found(pod_security.STEP_CHECKS, step(CONFIG_MAP, old, new))
    name = document["name"]
    assert told(findings) == (
        f"DANGER pod-not-confined\nruns of {name} could use the processes of their node\n"
        "dask_kubernetes.job.spec.template.spec.hostPID: null -> true\n"
        f"DANGER pod-not-confined\nDask workers of {name} could use the network of their node\n"
        "dask_kubernetes.worker.spec.hostNetwork: null -> true\n"
    )
    assert [finding.options for finding in findings] == [("job_spec", "pod_security"), ("worker_spec", "pod_security")]


@pytest.mark.parametrize(
    ("type_", "old", "new"),
    [
        (NAMESPACE, namespace("baseline"), namespace("privileged")),
        (JOB, job(), ABSOLUTE["host path to read"][0]),
        (JOB, job(), job({"capabilities": {"add": ["BPF"]}, "runAsUser": 0}, pod={"seccompProfile": {"type": "x"}})),
    ],
)
def test_shapes_that_nobody_expects(type_: str, old: Any, new: Any) -> None:
    check_survives(pod_security.STEP_CHECKS, type_, old, new)
