"""Mistakes that a DaskKubernetesEnvironment refuses beside those about every environment on Kubernetes, and when."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.dask_kubernetes import DaskKubernetesEnvironment
from components.given import ArgumentError
from tests.testbed.pulumi_mocks import Deploy, unknown

IMAGE = "registry.example/team/flows:1"


def of_worker(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "worker", **fields}]}}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"image": None}, "image is missing, expected what every run of kind dask-kubernetes needs"),
    ({"executor": {"type": "dask"}}, "executor is unknown, expected "),
    ({"min_workers": 4, "max_workers": 2}, "min_workers is 4, expected at most the 2 of max_workers"),
    ({"min_workers": -1}, "min_workers is -1, expected a whole number of at least 0"),
    ({"max_workers": 0}, "max_workers is 0, expected a whole number of at least 1"),
    ({"min_workers": 0}, "max_workers is missing, expected a whole number of at least 1, since min_workers is 0"),
    ({"max_workers": "four"}, 'max_workers is "four", expected a whole number'),
    ({"max_workers": 1.5}, "max_workers is 1.5, expected a whole number"),
    ({"worker_threads": 0}, "worker_threads is 0, expected a whole number of at least 1"),
    ({"work_stealing": "no"}, 'work_stealing is "no", expected true or false'),
    ({"scheduler_logs": 1}, "scheduler_logs is 1, expected true or false"),
    ({"log_k8s_errors": "x"}, 'log_k8s_errors is "x", expected true or false'),
    ({"performance_report": "x"}, 'performance_report is "x", expected true or false'),
    ({"worker_resources": {"cpu": 1}}, "worker_resources.cpu is unknown, expected worker_resources."),
    ({"worker_resources": {"memory_mib": 0}}, "worker_resources.memory_mib is 0, expected a whole number of at least"),
    (
        {"worker_resources": {"memory_limit_mib": 512}},
        "worker_resources.memory_limit_mib is 512, expected at least the",
    ),
    ({"worker_spec": "nowhere.yaml"}, "worker_spec is a file that cannot be read ("),
    ({"worker_spec": {"kind": "Job"}}, 'worker_spec.kind is "Job", expected Pod'),
    ({"worker_spec": of_worker(args=["x"])}, "worker_spec.spec.containers[0].args is given, expected none"),
    (
        {"worker_spec": of_worker(env=[{"name": "PENSTOCK_X"}])},
        'worker_spec.spec.containers[0].env[0].name is "PENSTOCK_X", expected another name',
    ),
    (
        {"worker_spec": {"spec": {"restartPolicy": "Always"}}},
        'worker_spec.spec.restartPolicy is "Always", expected Never',
    ),
    (
        {"worker_spec": {"spec": {"automountServiceAccountToken": True}}},
        "worker_spec.spec.automountServiceAccountToken is true, expected false",
    ),
    (
        {"worker_spec": of_worker(resources={"limits": {"memory": "1 Gi"}})},
        'worker_spec.spec.containers[0].resources.limits.memory is "1 Gi", expected a quantity such as 500m',
    ),
    (
        {"worker_spec": of_worker(resources={"limits": {"memory": "1Gi"}}), "worker_resources": {"memory_mib": 512}},
        "worker_resources is given, expected one of both: the worker's container in worker_spec has resources of its",
    ),
    (
        {"worker_spec": of_worker(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}})},
        "worker_resources.memory_limit_mib is 1024, expected at least the 2048",
    ),
    (
        {"job_spec": {"spec": {"template": {"spec": {"automountServiceAccountToken": False}}}}},
        "job_spec.spec.template.spec.automountServiceAccountToken is false, expected true",
    ),
    (
        {"job_spec": {"spec": {"template": {"spec": {"initContainers": [{"name": "cleanup"}]}}}}},
        'job_spec.spec.template.spec.initContainers[0].name is "cleanup", expected another name',
    ),
    ({"worker_node_selector": {"a b": "c"}}, 'worker_node_selector is given the key "a b", expected as each key'),
    ({"worker_tolerations": {}}, "worker_tolerations is an object with 0 keys, expected a list"),
    ({"concurrent_runs": 0}, "concurrent_runs is 0, expected a whole number of at least 1"),
    ({"concurrent_runs": "two"}, 'concurrent_runs is "two", expected a whole number'),
    (
        {"quota": {"cpu_millicores": 1000}, "max_workers": 8},
        "quota.cpu_millicores is 1000, expected at least the 4,510 that one run with all its 8 workers asks for",
    ),
    (
        {"quota": {"pods": 2}, "concurrent_runs": 1},
        "quota.pods is 2, expected at least the 3 that one run with all its 2",
    ),
    ({"quota": {}}, "quota is without a limit, expected one of"),
    ({"api_server_cidrs": ["10.0.0.1"]}, 'api_server_cidrs[0] is "10.0.0.1", expected a range of addresses'),
    ({"api_server_cidrs": "10.0.0.0/8"}, 'api_server_cidrs is "10.0.0.0/8", expected a list'),
    ({"egress": [{"cidr": "x"}]}, 'egress[0].cidr is "x", expected a range of addresses'),
    ({"egress": [{"cidr": "10.0.0.0/8"}], "egress_anywhere": True}, "egress is given beside egress_anywhere"),
    ({"volumes": [{"name": "a", "mount_path": "/a"}]}, "volumes[0] is with no source, expected exactly one of"),
    ({"labels": {"app.kubernetes.io/component": "x"}}, "labels.app.kubernetes.io/component is given, expected another"),
    ({"namespace": "kube-system"}, 'namespace is "kube-system", expected another name'),
    ({"scheduler_spec": "x"}, "scheduler_spec is unknown, expected "),
]


def merged(args: Mapping[str, Any]) -> Any:
    return {"image": IMAGE, **args}


@pytest.mark.parametrize(("args", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_a_mistake_is_refused_in_the_constructor_before_anything_is_registered(
    deploy: Deploy, args: Any, sentence: str
) -> None:
    refusals = []

    def program() -> None:
        with pytest.raises(ArgumentError) as refusal:
            DaskKubernetesEnvironment("flights", merged(args))
        refusals.append(str(refusal.value))

    monitor = deploy(program, preview=True)

    assert refusals[0].startswith(f"DaskKubernetesEnvironment 'flights': {sentence}")
    assert refusals[0].endswith(". Correct that argument.")
    assert monitor.own == []


def soon(value: Any) -> Any:
    return pulumi.Output.from_input(value)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (lambda: {"min_workers": soon(4), "max_workers": 2}, "min_workers is 4, expected at most the 2 of max_workers"),
        (lambda: {"max_workers": soon("four")}, 'max_workers is "four", expected a whole number'),
        (lambda: {"worker_spec": {"kind": soon("Job")}}, 'worker_spec.kind is "Job", expected Pod'),
        (lambda: {"quota": {"pods": soon(2)}}, "quota.pods is 2, expected at least the 3 that one run with all its 2"),
        (lambda: {"quota": {"pods": 2}, "max_workers": soon(2)}, "quota.pods is 2, expected at least the 3"),
        (lambda: {"api_server_cidrs": soon(["x"])}, 'api_server_cidrs[0] is "x", expected a range of addresses'),
        (lambda: {"worker_threads": soon(0)}, "worker_threads is 0, expected a whole number of at least 1"),
        (lambda: {"worker_spec": {"spec": pulumi.Output.secret({})}}, "worker_spec.spec is a secret, expected a plain"),
        (lambda: {"concurrent_runs": soon(1)}, "concurrent_runs is an Output, expected a plain value"),
    ],
)
def test_a_mistake_in_an_output_is_refused_once_it_is_known(deploy: Deploy, args: Any, sentence: str) -> None:
    def program() -> None:
        DaskKubernetesEnvironment("flights", merged(args()))

    with pytest.raises(ArgumentError) as refusal:
        deploy(program)

    assert sentence in str(refusal.value)


def test_what_is_known_is_checked_at_preview_though_the_image_is_not(deploy: Deploy) -> None:
    def program() -> None:
        args: Any = {"image": unknown(), "min_workers": 3, "max_workers": 1}
        with pytest.raises(ArgumentError, match="min_workers is 3, expected at most the 1 of max_workers"):
            DaskKubernetesEnvironment("flights", args)

    assert deploy(program, preview=True).own == []
