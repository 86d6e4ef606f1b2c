from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.container_resources import asked_by, complete, pod_request
from runner.errors import ContractError
from runner.sections import Resources

SMALL = Resources(cpu_millicores=500, memory_mib=1024)


def completed(own: Any = None, resources: Resources = SMALL) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "worker", **({} if own is None else {"resources": own})}
    complete(container, resources, "spec.containers[0]")
    found: dict[str, Any] = container["resources"]
    return found


@pytest.mark.parametrize(
    ("own", "requests", "limits"),
    [
        (None, {"cpu": "500m", "memory": "1Gi"}, {"memory": "1Gi"}),
        ({"requests": {"cpu": "2"}}, {"cpu": "2", "memory": "1Gi"}, {"memory": "1Gi"}),
        ({"requests": {"memory": "8Gi"}}, {"cpu": "500m", "memory": "8Gi"}, {"memory": "8Gi"}),
        ({"limits": {"memory": "256Mi"}}, {"cpu": "500m"}, {"memory": "256Mi"}),
        ({"limits": {"cpu": "100m"}}, {"memory": "1Gi"}, {"cpu": "100m", "memory": "1Gi"}),
        (
            {"limits": {"amd.com/gpu": 1}},
            {"cpu": "500m", "memory": "1Gi"},
            {"amd.com/gpu": 1, "memory": "1Gi"},
        ),
    ],
)
def test_what_the_user_wrote_is_never_contradicted_by_a_default(own: Any, requests: Any, limits: Any) -> None:
    assert completed(own) == {"requests": requests, "limits": limits}


def test_what_else_the_user_wrote_stays() -> None:
    assert completed({"claims": [{"name": "gpu"}]})["claims"] == [{"name": "gpu"}]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ("big", 'spec.containers[0].resources is "big", expected a mapping'),
        ({"limits": 4}, "spec.containers[0].resources.limits is 4, expected a mapping"),
    ],
)
def test_resources_that_are_none_are_refused(own: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        completed(own)

    assert sentence in str(refusal.value)


@given(
    st.builds(
        lambda cpu, memory, gpu, more: Resources(
            cpu_millicores=cpu, memory_mib=memory, gpu=gpu, cpu_limit_millicores=more and cpu + more
        ),
        st.integers(1, 10**6),
        st.integers(1, 10**6),
        st.integers(0, 8),
        st.none() | st.integers(1, 1000),
    )
)
def test_what_was_written_is_read_back(resources: Resources) -> None:
    container: dict[str, Any] = {"name": "worker"}
    complete(container, resources, "")

    assert Resources(**asked_by(container, resources.gpu_resource, "")) == resources


def container(cpu: str = "", **fields: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}} if cpu else {}, **fields}


SIDECAR = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("pod", "cores"),
    [
        ({"containers": [container("1"), container("500m")]}, Fraction(3, 2)),
        ({"containers": [container("1")], "initContainers": [container("500m", **SIDECAR)]}, Fraction(3, 2)),
        ({"containers": [container("1")], "initContainers": [container("4"), container("2")]}, 4),
        ({"containers": [container("1")], "initContainers": [container("500m"), container("500m")]}, 1),
        ({"containers": [container("1")], "initContainers": [container("1", **SIDECAR), container("4")]}, 5),
        ({"containers": [container("1")], "initContainers": [container("4"), container("1", **SIDECAR)]}, 4),
        ({"containers": [{"resources": {"limits": {"cpu": "2"}}}]}, 2),
        ({"containers": [{"resources": {"limits": {"cpu": "2"}, "requests": {"cpu": 1}}}]}, 1),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "3"}}}, 3),
        ({"containers": [container("1")], "resources": {"requests": {"memory": "3Gi"}}}, 1),
    ],
)
def test_a_pod_asks_for_what_its_containers_ask_for_at_a_time(pod: Any, cores: Any) -> None:
    assert pod_request(pod, "cpu", default=None, path="spec") == cores


def test_a_container_that_says_nothing_asks_for_the_default() -> None:
    pod = {"containers": [container("1"), container(), {}]}

    assert pod_request(pod, "cpu", default=Fraction(1, 4), path="spec") == Fraction(3, 2)


@pytest.mark.parametrize(
    ("pod", "sentence"),
    [
        (
            {"containers": [container("1"), {"name": "log"}]},
            "spec.containers[1].resources.requests.cpu is missing, expected what that container asks for",
        ),
        (
            {"containers": [container("1")], "initContainers": [{}]},
            "spec.initContainers[0].resources.requests.cpu is missing",
        ),
        ({"containers": [container("x")]}, 'spec.containers[0].resources.requests.cpu is "x", expected a quantity'),
        ({"containers": [{"resources": []}]}, "spec.containers[0].resources is a list of 0, expected a mapping"),
    ],
)
def test_a_pod_that_cannot_be_counted_is_refused(pod: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        pod_request(pod, "cpu", default=None, path="spec")

    assert sentence in str(refusal.value)
