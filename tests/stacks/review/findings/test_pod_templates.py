import copy
import json
from pathlib import Path
from typing import Any

import pytest

from stacks.review.findings import pod_templates
from stacks.review.values import UNKNOWN
from tests.stacks.review.findings.cases import check_survives, found, told
from tests.stacks.review.steps import step

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
GOLDEN = Path(__file__).parents[3] / "components" / "golden"


def pods(container: Any = None, *others: Any, annotations: Any = None, **spec: Any) -> dict[str, Any]:
    flow = {"name": "flow", "image": "flights:1", **(container or {})}
    template = {"metadata": {"annotations": annotations or {}}, "spec": {"containers": [flow, *others], **spec}}
    return {"metadata": {"name": "web"}, "spec": {"template": template}}


def env(*variables: Any) -> dict[str, Any]:
    return {"env": list(variables)}


TOKEN = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}}
SECRET_VOLUME = {"name": "keys", "secret": {"secretName": "tls"}}

CASES: dict[str, tuple[Any, Any, str]] = {
    "same": (pods(env(TOKEN)), pods(env(TOKEN)), ""),
    "new": (None, pods(env(TOKEN), serviceAccountName="x"), ""),
    "gone": (pods(env(TOKEN)), None, ""),
    "told elsewhere": (
        pods(),
        pods({"image": "flights:2", "resources": {"limits": {"cpu": 1}}, "securityContext": {"privileged": True}}),
        "",
    ),
    "a secret less": (
        pods(env(TOKEN)),
        pods(),
        """
NOTICE pod-template-changed
pods of web get other variables
spec.template.spec.containers[flow].env: [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "token"}}}] -> null
""",  # noqa: E501 one line of a finding
    ),
    "service account": (
        pods(serviceAccountName="a"),
        pods(serviceAccountName="b"),
        """
WARNING pod-service-account-changed
pods of web act as the service account b instead of a
spec.template.spec.serviceAccountName: "a" -> "b"
""",
    ),
    "service account, the namespace's own": (
        pods(serviceAccountName="a"),
        pods(),
        """
WARNING pod-service-account-changed
pods of web act as the service account default instead of a
spec.template.spec.serviceAccountName: "a" -> "default"
""",
    ),
    "service account, not known": (
        pods(serviceAccountName="a"),
        pods(serviceAccountName=UNKNOWN),
        """
WARNING pod-service-account-changed
pods of web act as the service account known after the change instead of a
spec.template.spec.serviceAccountName: "a" -> "<known after the change>"
""",
    ),
    "secrets": (
        pods(env({"name": "TOKEN", "value": "none"})),
        pods({**env(TOKEN), "envFrom": [{"secretRef": {"name": "all"}}]}, volumes=[SECRET_VOLUME]),
        """
WARNING pod-secret-added
pods of web now get the Secret login/token as TOKEN
spec.template.spec.containers[flow].env[TOKEN]: null -> null
WARNING pod-secret-added
pods of web now get the Secret all as variables
spec.template.spec.containers[flow].envFrom: null -> null
WARNING pod-secret-added
pods of web now get the Secret tls as files
spec.template.spec.volumes[keys]: null -> null
NOTICE pod-template-changed
pods of web get other variables
spec.template.spec: {"containers[flow].envFrom": null, "containers[flow].env[TOKEN].value": "none"} -> {"containers[flow].envFrom": [{"secretRef": {"name": "all"}}], "containers[flow].env[TOKEN].value": null}
NOTICE pod-template-changed
pods of web have other volumes
spec.template.spec.volumes: null -> [{"name": "keys", "secret": {"secretName": "tls"}}]
""",  # noqa: E501 one line of a finding
    ),
    "scheduling": (
        pods(nodeSelector={"pool": "a"}, tolerations=[], priorityClassName="batch"),
        pods(nodeSelector={"pool": "b"}, tolerations=[{"key": "gpu"}]),
        """
NOTICE pod-template-changed
pods of web are placed on nodes by other rules
spec.template.spec.nodeSelector.pool: "a" -> "b"
NOTICE pod-template-changed
pods of web have another priority
spec.template.spec.priorityClassName: "batch" -> null
NOTICE pod-template-changed
pods of web tolerate other taints of nodes
spec.template.spec.tolerations[gpu].key: null -> "gpu"
""",
    ),
    "containers": (
        pods({"command": ["a"]}, {"name": "old", "image": "x", "args": ["y"]}),
        pods({"command": ["b"]}, {"name": "proxy", "image": "z", "args": ["w"]}),
        """
NOTICE pod-template-changed
pods of web start another command
spec.template.spec.containers[flow].command: ["a"] -> ["b"]
NOTICE pod-template-changed
pods of web no longer have the container old
spec.template.spec: {"containers[old].args": ["y"], "containers[old].name": "old"} -> {"containers[old].args": null, "containers[old].name": null}
NOTICE pod-template-changed
pods of web have the container proxy too
spec.template.spec: {"containers[proxy].args": null, "containers[proxy].name": null} -> {"containers[proxy].args": ["w"], "containers[proxy].name": "proxy"}
""",  # noqa: E501 one line of a finding
    ),
    "something else": (
        pods(),
        pods(terminationGracePeriodSeconds=5),
        """
NOTICE pod-template-changed
pods of web are made in another way
spec.template.spec.terminationGracePeriodSeconds: null -> 5
""",
    ),
    "mesh": (
        pods(annotations={"linkerd.io/inject": "disabled"}),
        pods(annotations={"linkerd.io/inject": "enabled", "other": "x"}),
        """
NOTICE pod-template-changed
pods of web are treated differently by the service mesh
spec.template.metadata.annotations.linkerd.io/inject: "disabled" -> "enabled"
""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    old, new, expected = CASES[case]
    assert told(found(pod_templates.STEP_CHECKS, step(DEPLOYMENT, old, new))) == expected.lstrip()


def test_environment_documents() -> None:
    document = json.loads((GOLDEN / "dask-kubernetes-full.json").read_text())
    changed = copy.deepcopy(document)
    section = changed["dask_kubernetes"]
    section["job"]["spec"]["template"]["spec"]["priorityClassName"] = "urgent"
    section["job"]["spec"]["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] = "true"
    section["worker"]["spec"]["nodeSelector"] = {"pool": "gpu"}
    changed["secrets"] = [{"env": "LOGIN", "id": "db", "key": "password", "source": "kubernetes-secret"}]
    old, new = ({"data": {"environment.json": json.dumps(one)}} for one in (document, changed))
    findings = found(pod_templates.STEP_CHECKS, step(CONFIG_MAP, old, new))
    assert (
        told(findings)
        == """
WARNING pod-secret-added
runs of analysts now get the Secret db/password as LOGIN
secrets[0]: null -> null
NOTICE pod-template-changed
runs of analysts have another priority
dask_kubernetes.job.spec.template.spec.priorityClassName: "batch" -> "urgent"
NOTICE pod-template-changed
runs of analysts are treated differently by the service mesh
dask_kubernetes.job.spec.template.metadata.labels.sidecar.istio.io/inject: "false" -> "true"
NOTICE pod-template-changed
Dask workers of analysts are placed on nodes by other rules
dask_kubernetes.worker.spec.nodeSelector.pool: "spot" -> "gpu"
""".lstrip()
    )
    assert [finding.options[0] for finding in findings] == [
        "secrets",
        "priority_class_name",
        "service_mesh",
        "worker_node_selector",
    ]


def test_the_account_of_an_environment_that_is_renamed() -> None:
    text = (GOLDEN / "kubernetes-job.json").read_text()
    old, new = ({"data": {"environment.json": one}} for one in (text, text.replace("flights", "trains")))
    assert "flights-runner" in text
    assert not found(pod_templates.STEP_CHECKS, step(CONFIG_MAP, old, new))


@pytest.mark.parametrize("case", ["secrets", "scheduling", "mesh"])
def test_shapes_that_nobody_expects(case: str) -> None:
    old, new, _ = CASES[case]
    check_survives(pod_templates.STEP_CHECKS, DEPLOYMENT, old, new)
