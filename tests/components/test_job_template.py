"""The Job that every run is made from: its defaults, and what arguments and the user's own Job make of them."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import job_spec
from components.job_template import image, job_template, secret_references
from runner.contract import to_bytes
from runner.errors import ContractError

STANDARD = {
    "app.kubernetes.io/name": "penstock",
    "app.kubernetes.io/part-of": "penstock",
    "app.kubernetes.io/instance": "flights",
    "app.kubernetes.io/managed-by": "penstock",
    "app.kubernetes.io/component": "run",
    "penstock.dev/environment": "flights",
}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def made(written: Mapping[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
    spec = job_spec.read(written, folder=Path())
    return job_template("flights", "team", job_spec=spec, service_account="flights-runner", **arguments)


def job_of(**pod: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": pod}}}


def pod(job: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def flow(job: Mapping[str, Any]) -> dict[str, Any]:
    (container,) = [item for item in pod(job)["containers"] if item["name"] == "flow"]
    found: dict[str, Any] = container
    return found


def test_the_job_of_no_arguments(golden: Any) -> None:
    golden("job.json", json.dumps(made(), indent=2, sort_keys=True).encode() + b"\n")


USERS = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "mine", "namespace": "team", "labels": {"owner": "bob"}, "annotations": {"note": "x"}},
    "spec": {
        "ttlSecondsAfterFinished": 60,
        "activeDeadlineSeconds": 600,
        "template": {
            "metadata": {"labels": {"sidecar.istio.io/inject": "true"}},
            "spec": {
                "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
                "automountServiceAccountToken": True,
                "securityContext": {"runAsUser": 1000},
                "imagePullSecrets": [{"name": "theirs"}],
                "initContainers": [{"name": "fetch", "image": "fetch:1"}],
                "containers": [
                    {"name": "log-shipper", "image": "shipper:1", "env": [{"name": "LEVEL", "value": "info"}]},
                    {
                        "name": "flow",
                        "image": "flows:1",
                        "command": ["numactl", "python3", "-P", "-m", "runner"],
                        "env": [{"name": "MODE", "value": "fast"}, {"name": "HOME", "value": "/home"}],
                        "resources": {"requests": {"cpu": "1"}},
                        "securityContext": {"readOnlyRootFilesystem": False},
                        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
                    },
                ],
                "volumes": [{"name": "scratch", "emptyDir": {"medium": "Memory"}}],
            },
        },
    },
}


def test_a_users_job_keeps_what_it_says_and_gets_the_rest(golden: Any) -> None:
    job = made(
        USERS,
        labels={"team": "data"},
        pod_annotations={"prometheus.io/scrape": "false"},
        image_pull_secrets=["mine"],
        registry_secret="flights-registry",  # noqa: S106 a name
        priority_class_name="batch",
        node_selector={"pool": "spot"},
        tolerations=[{"key": "spot", "operator": "Exists"}],
        affinity={"podAntiAffinity": {}},
        volumes=[{"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"}],
        queue_name="batch",
        failure_policy={"retries": 3, "crash": "retry"},
    )

    golden("job-users.json", json.dumps(job, indent=2, sort_keys=True).encode() + b"\n")


def test_the_flows_container_is_found_by_its_name_and_others_are_left_alone_but_for_privileges() -> None:
    fetch, shipper = {"name": "fetch", "image": "fetch:1"}, {"name": "log-shipper", "image": "shipper:1"}
    job = made(job_of(initContainers=[fetch], containers=[shipper, {"name": "flow", "image": "flows:1"}]))

    assert pod(job)["initContainers"] == [{**fetch, "securityContext": RESTRICTED}]
    assert pod(job)["containers"][0] == {**shipper, "securityContext": RESTRICTED}
    assert pod(job)["containers"][1]["name"] == "flow"
    assert "image" not in flow(job)


def test_a_container_for_the_flow_is_made_when_there_is_none() -> None:
    job = made(job_of(containers=[{"name": "log-shipper", "image": "shipper:1"}]))

    assert [item["name"] for item in pod(job)["containers"]] == ["flow", "log-shipper"]


def test_the_pod_gets_its_secure_defaults() -> None:
    spec = pod(made())

    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert spec["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == "flights-runner"
    assert flow(made())["securityContext"] == {**RESTRICTED, "readOnlyRootFilesystem": True}


def test_labels_are_on_the_job_and_its_pod() -> None:
    job = made({"metadata": {"labels": {"owner": "bob"}}}, labels={"team": "data"})

    assert job["metadata"]["labels"] == {**STANDARD, "owner": "bob", "team": "data"}
    assert job["spec"]["template"]["metadata"]["labels"] == {
        **STANDARD,
        "team": "data",
        "sidecar.istio.io/inject": "false",
    }


def test_penstocks_own_labels_are_its_own_whatever_the_users_job_says() -> None:
    metadata = {"labels": {"penstock.dev/environment": "other"}}
    # The same mapping in two places, as YAML's aliases make it.
    job = made({"metadata": metadata, "spec": {"template": {"metadata": metadata}}})

    assert job["metadata"]["labels"] == STANDARD
    assert job["spec"]["template"]["metadata"]["labels"]["penstock.dev/environment"] == "flights"


def test_proxies_of_a_service_mesh_are_kept_out_unless_asked_for() -> None:
    without = made()["spec"]["template"]["metadata"]
    asked_for = made(service_mesh=True)["spec"]["template"]["metadata"]

    assert without["labels"]["sidecar.istio.io/inject"] == "false"
    assert without["annotations"] == {"linkerd.io/inject": "disabled"}
    assert asked_for == {"labels": STANDARD, "annotations": {}}


def test_the_names_of_the_users_job_are_not_a_runs() -> None:
    job = made({"metadata": {"name": "mine", "generateName": "mine-", "namespace": "team"}, "status": {"active": 1}})

    assert set(job["metadata"]) == {"labels"}
    assert "status" not in job


def test_files_on_a_claim_belong_to_a_group_of_the_run() -> None:
    claim = {"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"}

    assert pod(made(volumes=[claim]))["securityContext"]["fsGroup"] == 65532
    assert "fsGroup" not in pod(made(volumes=[{**claim, "read_only": True}]))["securityContext"]


def test_no_volume_delays_the_start_unless_one_is_asked_for() -> None:
    assert "volumes" not in pod(made())
    assert "volumeMounts" not in flow(made())


def test_tmp_can_be_something_else() -> None:
    job = made(volumes=[{"name": "disk", "mount_path": "/tmp", "empty_dir_mib": 100}])

    assert flow(job)["volumeMounts"] == [{"name": "disk", "mountPath": "/tmp"}]
    assert pod(job)["volumes"] == [{"name": "disk", "emptyDir": {"sizeLimit": "100Mi"}}]


def test_a_job_that_says_how_often_it_is_started_again_decides_alone() -> None:
    counted = made({"spec": {"backoffLimit": 3}})["spec"]
    ruled = made({"spec": {"podFailurePolicy": {"rules": []}}})["spec"]

    assert counted["backoffLimit"] == 3
    assert "podFailurePolicy" not in counted
    assert (ruled["backoffLimit"], ruled["podFailurePolicy"]) == (0, {"rules": []})


def test_what_is_in_both_is_there_once() -> None:
    toleration = {"key": "spot", "operator": "Exists"}
    job = made(
        job_of(tolerations=[toleration], imagePullSecrets=[{"name": "mine"}], serviceAccountName="robot"),
        tolerations=[toleration],
        image_pull_secrets=["mine"],
        service_account_name="robot",
    )

    assert pod(job)["tolerations"] == [toleration]
    assert pod(job)["imagePullSecrets"] == [{"name": "mine"}]
    assert pod(job)["serviceAccountName"] == "robot"


FLOW = {"name": "flow", "resources": {"limits": {"memory": "1Gi"}}}
DATA = {"name": "data", "mount_path": "/data", "secret": "x"}
CONFLICTS: list[tuple[Any, dict[str, Any], str]] = [
    (
        job_of(serviceAccountName="robot"),
        {"service_account_name": "other"},
        "service_account_name is given, expected one of both: job_spec has a serviceAccountName of its own",
    ),
    (job_of(priorityClassName="a"), {"priority_class_name": "b"}, "priority_class_name is given, expected one of both"),
    (job_of(affinity={"a": 1}), {"affinity": {}}, "affinity is given, expected one of both"),
    (job_of(nodeSelector={"pool": "a"}), {"node_selector": {"pool": "b"}}, "node_selector.pool is given, expected one"),
    ({"metadata": {"labels": {"team": "a"}}}, {"labels": {"team": "b"}}, "labels.team is given, expected one of both"),
    (
        {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "a"}}},
        {"queue_name": "b"},
        "queue_name is given, expected one of both",
    ),
    (
        {"spec": {"template": {"metadata": {"annotations": {"a": "1"}}}}},
        {"pod_annotations": {"a": "2"}},
        "pod_annotations.a is given, expected one of both",
    ),
    (
        {"spec": {"backoffLimit": 3}},
        {"failure_policy": {"preempted": "fail"}},
        "failure_policy is given, expected one of both: job_spec has a backoffLimit of its own",
    ),
    (
        job_of(containers=[FLOW]),
        {"resources": {"memory_mib": 512}},
        "resources is given, expected one of both: the flow's container in job_spec has resources of its own",
    ),
    (
        {"metadata": {"namespace": "other"}},
        {},
        'job_spec.metadata.namespace is another than the environment\'s, expected none or "team"',
    ),
    (job_of(volumes=[{"name": "data"}]), {"volumes": [DATA]}, 'volumes[0].name is "data", expected a name that no'),
    (
        None,
        {"volumes": [DATA, {**DATA, "mount_path": "/other"}]},
        'volumes[1].name is "data", expected a name that no other volume has',
    ),
    (None, {"volumes": [DATA, {**DATA, "mount_path": "/x"}]}, 'volumes[1].name is "data", expected a name that no'),
    (
        None,
        {"volumes": [DATA, {**DATA, "name": "b"}]},
        'volumes[1].mount_path is "/data", expected a path that nothing',
    ),
    (None, {"failure_policy": {"retries": 2}}, "failure_policy.retries is 2, expected 0, since neither flow nor crash"),
    (None, {"node_selector": {"a b": "c"}}, 'a key of node_selector is "a b", expected'),
    (job_of(tolerations="x"), {"tolerations": [{}]}, 'job_spec.spec.template.spec.tolerations is "x", expected a list'),
    (job_of(securityContext=[]), {}, "job_spec.spec.template.spec.securityContext is a list of 0, expected a mapping"),
]


@pytest.mark.parametrize(("written", "arguments", "sentence"), CONFLICTS, ids=[item[2] for item in CONFLICTS])
def test_an_argument_that_contradicts_the_users_job_or_itself_is_refused(
    written: Any, arguments: Any, sentence: str
) -> None:
    with pytest.raises(ContractError) as refusal:
        made(written, **arguments)

    assert sentence in str(refusal.value)


def test_resources_of_the_users_job_stay_in_it() -> None:
    assert flow(made(job_of(containers=[FLOW])))["resources"] == {"limits": {"memory": "1Gi"}}


def test_the_image_is_the_arguments_or_the_users_jobs() -> None:
    users = job_of(containers=[{"name": "log", "image": "x:1"}, {"name": "flow", "image": "flows:1"}])

    assert image(image="flows:2") == "flows:2"
    assert image(job_spec=users) == "flows:1"
    assert image(image="flows:1", job_spec=users) == "flows:1"
    assert image(job_spec=job_of(containers=[{"name": "log", "image": "x:1"}])) is None
    assert image() is None
    with pytest.raises(
        ContractError, match='image is "flows:2", expected "flows:1", which job_spec names, or only one'
    ):
        image(image="flows:2", job_spec=users)


def test_a_secret_is_a_reference_in_the_document() -> None:
    assert secret_references([{"env": "TOKEN", "secret": "api", "key": "token"}]) == [
        {"env": "TOKEN", "source": "kubernetes-secret", "id": "api", "key": "token"}
    ]
    assert secret_references() == []


TEXT = st.text("abcdefgh", min_size=1, max_size=6)
LABELS = st.dictionaries(TEXT, TEXT, max_size=3)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["flow", "log", "proxy"])},
        optional={
            "image": TEXT,
            "env": st.lists(st.builds(lambda name: {"name": name, "value": "x"}, TEXT), max_size=2),
            "securityContext": st.just({"runAsUser": 1000}),
            "volumeMounts": st.lists(st.builds(lambda name: {"name": name, "mountPath": f"/{name}"}, TEXT), max_size=2),
        },
    ),
    max_size=3,
    unique_by=lambda item: str(item["name"]),
)
JOBS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"labels": LABELS, "name": TEXT}),
        "spec": st.fixed_dictionaries(
            {"template": st.builds(lambda items: {"spec": {"containers": items}}, CONTAINERS)},
            optional={"backoffLimit": st.integers(0, 5), "ttlSecondsAfterFinished": st.integers(0, 5)},
        ),
    },
)


@given(JOBS, st.lists(st.builds(lambda key: {"key": key}, TEXT), max_size=2))
def test_equal_arguments_give_equal_bytes_and_are_never_changed(written: Any, tolerations: Any) -> None:
    job, listed = copy.deepcopy(written), copy.deepcopy(tolerations)

    first = to_bytes(made(job, tolerations=listed))

    assert (job, listed) == (written, tolerations)
    assert to_bytes(made(json.loads(json.dumps(written, sort_keys=True)), tolerations=listed)) == first


@given(JOBS)
def test_everything_that_a_job_says_but_its_name_and_image_is_kept(written: Any) -> None:
    def kept(before: Any, after: Any) -> bool:
        if isinstance(before, dict):
            return isinstance(after, dict) and all(kept(value, after.get(key)) for key, value in before.items())
        if isinstance(before, list):
            return isinstance(after, list) and all(any(kept(item, other) for other in after) for item in before)
        return bool(before == after)

    expected = copy.deepcopy(written)
    expected.get("metadata", {}).pop("name", None)
    for container in pod(expected)["containers"] if "spec" in expected else ():
        if container["name"] == "flow":
            container.pop("image", None)

    assert kept(expected, made(written))


@given(JOBS)
def test_a_complete_job_is_complete(written: Any) -> None:
    once = made(written)

    assert made(once) == once
