"""The document of an environment whose runs are containers: what it needs, and what contradicts itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from runner.contract import to_bytes
from runner.environment import (
    Action,
    Environment,
    Executor,
    ExecutorType,
    FailurePolicy,
    SecretReference,
    SecretSource,
    Timeouts,
    read,
)
from runner.errors import ContractError
from runner.sections import DaskKubernetes, Kind, KubernetesJob, Resources
from tests.runner.strategies import mutations

NEXT_STEP = " Provision it anew with `pulumi up`, then `penstock env pull`."
NAME_MEANING = "at most 63 lower-case letters, digits and inner hyphens"
SMALLEST: dict[str, Any] = {
    "schema_version": 1,
    "kind": "kubernetes-job",
    "name": "batch",
    "image": "registry.example/flights:1",
    "resources": {"cpu_millicores": 500, "memory_mib": 1024},
    "kubernetes_job": {"namespace": "flows", "job": {}},
}
CONTAINER = Environment(
    kind=Kind.KUBERNETES_JOB,
    name="batch-gpu",
    image=f"registry.example:5000/team/flights@sha256:{'0a' * 32}",
    resources=Resources(
        cpu_millicores=1500,
        memory_mib=2048,
        gpu=1,
        gpu_resource="amd.com/gpu",
        cpu_limit_millicores=4000,
        memory_limit_mib=2048,
    ),
    env={"MODE": "fast"},
    secrets=(SecretReference(env="TOKEN", source=SecretSource.KUBERNETES_SECRET, id="warehouse", key="token"),),
    timeouts=Timeouts(queue_seconds=600, start_seconds=900),
    failure_policy=FailurePolicy(retries=2, crash=Action.RETRY, oom=Action.RETRY, preempted=Action.FAIL),
    kubernetes_job=KubernetesJob(
        namespace="flows",
        job={
            "apiVersion": "batch/v1",
            "kind": "Job",
            "spec": {"template": {"spec": {"containers": [{"name": "flow"}]}}},
        },
    ),
)
POD: dict[str, Any] = {"containers": [{"name": "worker", "securityContext": {"readOnlyRootFilesystem": True}}]}
DASK = Environment(
    kind=Kind.DASK_KUBERNETES,
    name="dask-gpu",
    image="registry.example/flights:1",
    resources=Resources(cpu_millicores=500, memory_mib=1024),
    env={"MODE": "fast"},
    secrets=(SecretReference(env="TOKEN", source=SecretSource.KUBERNETES_SECRET, id="warehouse", key="token"),),
    executor=Executor(type=ExecutorType.DASK, dashboard=True, performance_report=False),
    timeouts=Timeouts(start_seconds=900),
    dask_kubernetes=DaskKubernetes(
        namespace="flows",
        job={"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": {}}}},
        worker={"apiVersion": "v1", "kind": "Pod", "spec": POD},
        worker_resources=Resources(cpu_millicores=2000, memory_mib=8192, gpu=1),
        worker_threads=4,
        min_workers=0,
        max_workers=32,
        work_stealing=False,
        scheduler_logs=True,
        log_k8s_errors=True,
    ),
)
SMALLEST_DASK: dict[str, Any] = {
    **{key: value for key, value in SMALLEST.items() if key != "kubernetes_job"},
    "kind": "dask-kubernetes",
    "executor": {"type": "dask"},
    "dask_kubernetes": {
        "namespace": "flows",
        "job": {},
        "worker": {},
        "worker_resources": {"cpu_millicores": 500, "memory_mib": 1024},
        "min_workers": 1,
        "max_workers": 2,
    },
}
SCHEMA_FILE = Path(__file__).parents[2] / "runner" / "environment.schema.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


@pytest.mark.parametrize(
    ("name", "environment"),
    [("environment-kubernetes-job.json", CONTAINER), ("environment-dask-kubernetes.json", DASK)],
)
def test_a_document_is_written_as_the_same_bytes_as_ever_and_read_back_from_them(
    name: str, environment: Environment, golden: Any
) -> None:
    data = to_bytes(environment)

    golden(name, data)
    assert read(data, warn=pytest.fail) == environment
    assert list(SCHEMA.iter_errors(json.loads(data))) == []


def test_an_image_and_resources_are_needed_beside_what_every_environment_needs() -> None:
    for smallest in (SMALLEST, SMALLEST_DASK):
        assert list(SCHEMA.iter_errors(smallest)) == []
        for key in smallest.keys() - {"executor"}:
            with pytest.raises(ContractError, match=f"^environment document: {key} is missing"):
                read(json.dumps({name: value for name, value in smallest.items() if name != key}), warn=pytest.fail)


def test_what_is_left_out_has_the_defaults_that_the_reference_tells() -> None:
    found = read(json.dumps(SMALLEST), warn=pytest.fail)

    assert found.resources == Resources(
        cpu_millicores=500,
        memory_mib=1024,
        gpu=0,
        gpu_resource="nvidia.com/gpu",
        cpu_limit_millicores=None,
        memory_limit_mib=None,
    )
    assert found.failure_policy == FailurePolicy(
        retries=0, flow=Action.FAIL, crash=Action.FAIL, oom=Action.FAIL, preempted=Action.RETRY
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"resources": {"cpu_millicores": 1, "memory_mib": 1, "memory_limit_mib": 0}},
            "resources.memory_limit_mib is 0, expected a whole number of at least 1.",
        ),
        (
            {"image": "no space"},
            'image is "no space", expected an image reference such as registry.example/team/image@sha256:....',
        ),
        (
            {"failure_policy": {"retries": -1}},
            "failure_policy.retries is -1, expected a whole number of at least 0 and of at most 100.",
        ),
        (
            {"failure_policy": {"retries": 101}},
            "failure_policy.retries is 101, expected a whole number of at least 0 and of at most 100.",
        ),
        ({"failure_policy": {"oom": "ignore"}}, 'failure_policy.oom is "ignore", expected one of fail, retry.'),
        (
            {"kubernetes_job": {"namespace": "Flows", "job": {}}},
            f'kubernetes_job.namespace is "Flows", expected {NAME_MEANING}.',
        ),
        ({"kubernetes_job": {"namespace": "a"}}, "kubernetes_job.job is missing, expected a value."),
        ({"kubernetes_job": {"namespace": "a", "job": []}}, "kubernetes_job.job is a list of 0, expected a mapping."),
    ],
    ids=json.dumps,
)
def test_the_reader_refuses_in_one_sentence_and_the_schema_refuses_too(change: dict[str, Any], sentence: str) -> None:
    document = {**SMALLEST, **change}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"
    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"local": {}}, "local is given, expected only kubernetes_job, the section of kind kubernetes-job."),
        ({"kubernetes_job": None}, "kubernetes_job is missing, expected the section of kind kubernetes-job."),
        ({"image": None}, "image is missing, expected what every run of kind kubernetes-job needs."),
        ({"resources": None}, "resources is missing, expected what every run of kind kubernetes-job needs."),
        (
            {"resources": {"cpu_millicores": 500, "memory_mib": 1, "cpu_limit_millicores": 499}},
            "resources.cpu_limit_millicores is 499, expected at least the 500 that the run asks for.",
        ),
        (
            {"resources": {"cpu_millicores": 1, "memory_mib": 512, "memory_limit_mib": 511}},
            "resources.memory_limit_mib is 511, expected at least the 512 that the run asks for.",
        ),
        (
            {"secrets": [{"env": "A", "source": "aws-secret", "id": "x", "key": "k"}]},
            "secrets[0].source is aws-secret, expected kubernetes-secret.",
        ),
        (
            {"secrets": [{"env": "A", "source": "kubernetes-secret", "id": "x"}]},
            "secrets[0].key is missing, expected the key inside the Secret.",
        ),
        (
            {"env": {"A": "1"}, "secrets": [{"env": "A", "source": "kubernetes-secret", "id": "x", "key": "k"}]},
            "secrets is a second value for A, expected each variable once, in env or in secrets.",
        ),
        (
            {"secrets": [{"env": "A", "source": "kubernetes-secret", "id": "x", "key": key} for key in ("k", "l")]},
            "secrets is a second value for A, expected each variable once, in env or in secrets.",
        ),
        (
            {"failure_policy": {"oom": "retry"}},
            "failure_policy.retries is 0, expected at least 1, since oom is retry.",
        ),
        (
            {"failure_policy": {"retries": 1}},
            "failure_policy.retries is 1, expected 0, since neither flow nor crash nor oom is retry.",
        ),
    ],
    ids=json.dumps,
)
def test_fields_that_contradict_each_other_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST, **change}), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"


def test_limits_may_be_what_is_asked_for_and_preemptions_need_no_count() -> None:
    same: dict[str, Any] = {
        "cpu_millicores": 500,
        "memory_mib": 512,
        "cpu_limit_millicores": 500,
        "memory_limit_mib": 512,
    }
    policy = {"retries": 0, "preempted": "fail"}

    found = read(json.dumps({**SMALLEST, "resources": same, "failure_policy": policy}), warn=pytest.fail)

    assert found.resources == Resources(**same)
    assert found.failure_policy == FailurePolicy(preempted=Action.FAIL)


def _workers(**changes: Any) -> dict[str, Any]:
    return {"dask_kubernetes": {**SMALLEST_DASK["dask_kubernetes"], **changes}}


def test_what_is_left_out_about_workers_has_the_defaults_that_the_reference_tells() -> None:
    found = read(json.dumps(SMALLEST_DASK), warn=pytest.fail)

    assert found.dask_kubernetes == DaskKubernetes(
        namespace="flows",
        job={},
        worker={},
        worker_resources=Resources(cpu_millicores=500, memory_mib=1024),
        worker_threads=1,
        min_workers=1,
        max_workers=2,
        work_stealing=True,
        scheduler_logs=False,
        log_k8s_errors=False,
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_workers(namespace="Flows"), f'dask_kubernetes.namespace is "Flows", expected {NAME_MEANING}.'),
        (_workers(worker=[]), "dask_kubernetes.worker is a list of 0, expected a mapping."),
        (_workers(worker_threads=0), "dask_kubernetes.worker_threads is 0, expected a whole number of at least 1."),
        (_workers(min_workers=-1), "dask_kubernetes.min_workers is -1, expected a whole number of at least 0."),
        (_workers(max_workers=0), "dask_kubernetes.max_workers is 0, expected a whole number of at least 1."),
        (_workers(work_stealing="yes"), 'dask_kubernetes.work_stealing is "yes", expected true or false.'),
        (
            _workers(worker_resources={"memory_mib": 1}),
            "dask_kubernetes.worker_resources.cpu_millicores is missing, expected a value.",
        ),
    ],
    ids=json.dumps,
)
def test_the_reader_refuses_workers_in_one_sentence_and_the_schema_refuses_too(
    change: dict[str, Any], sentence: str
) -> None:
    document = {**SMALLEST_DASK, **change}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"
    assert not SCHEMA.is_valid(document)


OWN_SIZE = "expected none: the kind's own section says how large workers are."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            _workers(min_workers=3),
            "dask_kubernetes.min_workers is 3, expected at most the 2 of max_workers.",
        ),
        (
            {"executor": {"type": "inline"}},
            "executor.type is inline, expected dask: a dask-kubernetes environment is that.",
        ),
        *(
            ({"executor": {"type": "dask", name: value}}, f"executor.{name} is given, {OWN_SIZE}")
            for name, value in (
                ("workers", 2),
                ("threads_per_worker", 1),
                ("memory_limit_mib", 512),
                ("address", "tcp://other:8786"),
            )
        ),
        ({"dask_kubernetes": None}, "dask_kubernetes is missing, expected the section of kind dask-kubernetes."),
        (
            {"kubernetes_job": {"namespace": "flows", "job": {}}},
            "kubernetes_job is given, expected only dask_kubernetes, the section of kind dask-kubernetes.",
        ),
        (
            _workers(worker_resources={"cpu_millicores": 2, "memory_mib": 2, "memory_limit_mib": 1}),
            "dask_kubernetes.worker_resources.memory_limit_mib is 1, expected at least the 2 that the run asks for.",
        ),
        (
            {"env": {"A": "1"}, "secrets": [{"env": "A", "source": "kubernetes-secret", "id": "x", "key": "k"}]},
            "secrets is a second value for A, expected each variable once, in env or in secrets.",
        ),
    ],
    ids=json.dumps,
)
def test_fields_about_workers_that_contradict_each_other_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST_DASK, **change}), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"


@given(mutations(to_bytes(CONTAINER)) | mutations(to_bytes(DASK)))
def test_nothing_that_is_read_raises_anything_but_a_contract_error(data: str) -> None:
    try:
        environment = read(data, warn=lambda _: None)
    except ContractError:
        return
    assert read(to_bytes(environment), warn=pytest.fail) == environment
