"""The pod that every Dask worker is made from: its defaults, and what arguments and the user's own pod make of them."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import worker_spec
from components.worker_template import resources_of, worker_template
from runner.contract import to_bytes
from runner.errors import ContractError

DEFAULTS = {"cpu_millicores": 500, "memory_mib": 1024}
STANDARD = {
    "app.kubernetes.io/name": "penstock",
    "app.kubernetes.io/part-of": "penstock",
    "app.kubernetes.io/instance": "flights",
    "app.kubernetes.io/managed-by": "penstock",
    "app.kubernetes.io/component": "worker",
    "penstock.dev/environment": "flights",
}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def made(written: Mapping[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
    spec = worker_spec.read(written, folder=Path())
    return worker_template(
        "flights", "team", worker_spec=spec, service_account="flights-runner", defaults=DEFAULTS, **arguments
    )


def with_worker(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "worker", **fields}]}}


def worker(pod: Mapping[str, Any]) -> dict[str, Any]:
    (container,) = [item for item in pod["spec"]["containers"] if item["name"] == "worker"]
    found: dict[str, Any] = container
    return found


def test_the_pod_of_no_arguments(golden: Any) -> None:
    golden("worker.json", json.dumps(made(), indent=2, sort_keys=True).encode() + b"\n")


USERS = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "mine", "namespace": "team", "labels": {"owner": "bob"}, "annotations": {"note": "x"}},
    "spec": {
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
        "securityContext": {"runAsUser": 1000},
        "imagePullSecrets": [{"name": "theirs"}],
        "terminationGracePeriodSeconds": 90,
        "initContainers": [{"name": "fetch", "image": "fetch:1"}],
        "containers": [
            {"name": "log-shipper", "image": "shipper:1", "env": [{"name": "LEVEL", "value": "info"}]},
            {
                "name": "worker",
                "image": "gpu-workers:1",
                "command": ["numactl", "python3", "-P", "-m", "runner.clusters.worker"],
                "env": [{"name": "MODE", "value": "fast"}, {"name": "HOME", "value": "/home"}],
                "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
                "volumeMounts": [{"name": "spill", "mountPath": "/tmp"}],
            },
        ],
        "volumes": [{"name": "spill", "emptyDir": {"medium": "Memory"}}],
    },
}


def test_a_users_pod_keeps_what_it_says_and_gets_the_rest(golden: Any) -> None:
    pod = made(
        USERS,
        labels={"team": "data"},
        pod_annotations={"prometheus.io/scrape": "false"},
        image_pull_secrets=["mine"],
        registry_secret="flights-registry",  # noqa: S106 a name
        worker_priority_class_name="batch",
        worker_node_selector={"pool": "spot"},
        worker_tolerations=[{"key": "spot", "operator": "Exists"}],
        worker_affinity={"podAntiAffinity": {}},
        volumes=[{"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"}],
    )

    golden("worker-users.json", json.dumps(pod, indent=2, sort_keys=True).encode() + b"\n")


def test_what_is_a_workers_own_is_left_to_the_runner() -> None:
    assert set(made()["metadata"]) == {"labels", "annotations"}
    assert not {"image", "command", "args", "env"} & set(worker(made()))


def test_an_image_of_the_users_is_kept() -> None:
    assert worker(made(with_worker(image="gpu-workers:1")))["image"] == "gpu-workers:1"


def test_the_workers_container_is_found_by_its_name_and_others_are_left_alone_but_for_privileges() -> None:
    fetch, shipper = {"name": "fetch", "image": "fetch:1"}, {"name": "log-shipper", "image": "shipper:1"}
    pod = made({"spec": {"initContainers": [fetch], "containers": [shipper, {"name": "worker"}]}})

    assert pod["spec"]["initContainers"] == [{**fetch, "securityContext": RESTRICTED}]
    assert pod["spec"]["containers"][0] == {**shipper, "securityContext": RESTRICTED}
    assert "resources" in pod["spec"]["containers"][1]


def test_a_container_for_the_worker_is_made_when_there_is_none() -> None:
    pod = made({"spec": {"containers": [{"name": "log-shipper", "image": "shipper:1"}]}})

    assert [item["name"] for item in pod["spec"]["containers"]] == ["worker", "log-shipper"]


def test_the_pod_gets_its_secure_defaults_and_never_a_token() -> None:
    spec = made()["spec"]

    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert worker(made())["securityContext"] == {**RESTRICTED, "readOnlyRootFilesystem": True}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["serviceAccountName"] == "flights-runner"
    assert spec["restartPolicy"] == "Never"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert worker(made())["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_labels_say_that_it_is_a_worker_of_the_environment() -> None:
    written = {"metadata": {"labels": {"owner": "bob", "app.kubernetes.io/component": "run"}}}
    labels = made(written, labels={"team": "data"})["metadata"]["labels"]

    assert labels == {**STANDARD, "owner": "bob", "team": "data", "sidecar.istio.io/inject": "false"}


def test_proxies_of_a_service_mesh_are_kept_out_unless_asked_for() -> None:
    assert made()["metadata"]["annotations"] == {"linkerd.io/inject": "disabled"}
    assert made(service_mesh=True)["metadata"] == {"labels": STANDARD, "annotations": {}}


def test_a_worker_pulls_with_the_users_logins_whoever_wrote_the_pod() -> None:
    logins = {"registry_secret": "flights-registry", "image_pull_secrets": ["mine"]}

    for written in (None, with_worker(image="private:1")):
        assert made(written, **logins)["spec"]["imagePullSecrets"] == [{"name": "flights-registry"}, {"name": "mine"}]


def test_a_worker_is_limited_in_memory_and_not_in_processor_time() -> None:
    assert worker(made())["resources"] == {
        "requests": {"cpu": "500m", "memory": "1Gi"},
        "limits": {"memory": "1Gi"},
    }


def test_resources_of_a_worker_are_filled_one_by_one() -> None:
    asked = {"memory_mib": 384, "gpu": 1, "cpu_limit_millicores": 2000, "memory_limit_mib": 512}

    assert worker(made(worker_resources=asked))["resources"] == {
        "requests": {"cpu": "500m", "memory": "384Mi", "nvidia.com/gpu": "1"},
        "limits": {"memory": "512Mi", "cpu": "2", "nvidia.com/gpu": "1"},
    }


def test_the_document_says_of_a_worker_what_its_pod_says() -> None:
    own = made(with_worker(resources={"requests": {"cpu": "0.25", "memory": "1e9"}, "limits": {"amd.com/gpu": 2}}))

    assert resources_of(made(worker_resources={"cpu_millicores": 250})) == {
        "cpu_millicores": 250,
        "memory_mib": 1024,
        "gpu": 0,
        "gpu_resource": "nvidia.com/gpu",
        "cpu_limit_millicores": None,
        "memory_limit_mib": None,
    }
    assert resources_of(own, {"gpu_resource": "amd.com/gpu"}) == {
        "cpu_millicores": 250,
        "memory_mib": 954,
        "gpu": 2,
        "gpu_resource": "amd.com/gpu",
        "cpu_limit_millicores": None,
        "memory_limit_mib": None,
    }


OWN = with_worker(resources={"limits": {"memory": "1Gi"}})
CONFLICTS: list[tuple[Any, dict[str, Any], str]] = [
    (
        OWN,
        {"worker_resources": {"memory_mib": 512}},
        "worker_resources is given, expected one of both: the worker's container in worker_spec has resources of its",
    ),
    (
        {"spec": {"serviceAccountName": "robot"}},
        {"service_account_name": "other"},
        "service_account_name is given, expected one of both: worker_spec has a serviceAccountName of its own",
    ),
    (
        {"spec": {"priorityClassName": "a"}},
        {"worker_priority_class_name": "b"},
        "worker_priority_class_name is given, expected one of both: worker_spec has a priorityClassName of its own",
    ),
    ({"spec": {"affinity": {"a": 1}}}, {"worker_affinity": {}}, "worker_affinity is given, expected one of both"),
    (
        {"spec": {"nodeSelector": {"pool": "a"}}},
        {"worker_node_selector": {"pool": "b"}},
        "worker_node_selector.pool is given, expected one of both",
    ),
    (None, {"worker_node_selector": {"a b": "c"}}, 'a key of worker_node_selector is "a b", expected'),
    (
        {"spec": {"tolerations": "x"}},
        {"worker_tolerations": [{}]},
        'worker_spec.spec.tolerations is "x", expected a list',
    ),
    (
        {"spec": {"automountServiceAccountToken": True}},
        {},
        "worker_spec.spec.automountServiceAccountToken is true, expected false: workers have no business with",
    ),
    (
        {"metadata": {"namespace": "other"}},
        {},
        'worker_spec.metadata.namespace is another than the environment\'s, expected none or "team"',
    ),
    (None, {"worker_resources": {"memory_mib": 0}}, "worker_resources.memory_mib is 0, expected a whole number of at"),
    (
        None,
        {"worker_resources": {"memory_limit_mib": 512}},
        "worker_resources.memory_limit_mib is 512, expected at least the 1024",
    ),
    (
        with_worker(resources={"requests": []}),
        {},
        "worker_spec.spec.containers[0].resources.requests is a list of 0, expected a mapping",
    ),
    (None, {"labels": {"penstock.dev/worker": "1"}}, "labels.penstock.dev/worker is given, expected another key"),
]


@pytest.mark.parametrize(("written", "arguments", "sentence"), CONFLICTS, ids=[item[2] for item in CONFLICTS])
def test_an_argument_that_contradicts_the_users_pod_or_itself_is_refused(
    written: Any, arguments: Any, sentence: str
) -> None:
    with pytest.raises(ContractError) as refusal:
        made(written, **arguments)

    assert sentence in str(refusal.value)


def test_a_quantity_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(
        ContractError, match=r'worker_spec\.spec\.containers\[0\]\.resources\.requests\.cpu is "1 core"'
    ):
        resources_of(made(with_worker(resources={"requests": {"cpu": "1 core"}})))


NAMES = st.text("abcdefgh", min_size=1, max_size=6)
PODS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"labels": st.dictionaries(NAMES, NAMES, max_size=3)}),
        "spec": st.builds(
            lambda items: {"containers": items},
            st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(["worker", "log", "proxy"])},
                    optional={
                        "image": NAMES,
                        "env": st.lists(st.builds(lambda name: {"name": name, "value": "x"}, NAMES), max_size=2),
                        "resources": st.sampled_from([{"requests": {"cpu": "2"}}, {"limits": {"memory": "1Gi"}}]),
                    },
                ),
                max_size=3,
                unique_by=lambda item: str(item["name"]),
            ),
        ),
    },
)


@given(PODS, st.lists(st.builds(lambda key: {"key": key}, NAMES), max_size=2))
def test_equal_arguments_give_equal_bytes_and_are_never_changed(written: Any, tolerations: Any) -> None:
    given, listed = copy.deepcopy(written), copy.deepcopy(tolerations)

    first = to_bytes(made(given, worker_tolerations=listed))

    assert (given, listed) == (written, tolerations)
    assert to_bytes(made(json.loads(json.dumps(written, sort_keys=True)), worker_tolerations=listed)) == first


@given(PODS)
def test_a_complete_pod_is_complete(written: Any) -> None:
    once = made(written)

    assert made(once) == once


def test_what_the_document_says_of_a_worker_is_read_without_changing_it() -> None:
    pod = made(USERS)
    before = copy.deepcopy(pod)

    resources_of(pod)

    assert pod == before
