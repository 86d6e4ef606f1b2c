from typing import Any

import pytest

from components.quota import hard_limits, limit_range
from runner.errors import ContractError


def test_every_limit_of_a_quota_has_its_name_in_kubernetes() -> None:
    quota = {
        "cpu_millicores": 4000,
        "memory_mib": 8192,
        "gpu": 2,
        "pods": 20,
        "jobs": 1000,
        "storage_mib": 1536,
        "persistent_volume_claims": 3,
    }

    assert hard_limits(quota) == {
        "requests.cpu": "4",
        "requests.memory": "8Gi",
        "requests.nvidia.com/gpu": "2",
        "pods": "20",
        "count/jobs.batch": "1k",
        "requests.storage": "1536Mi",
        "persistentvolumeclaims": "3",
    }


def test_gpus_are_counted_under_the_clusters_name_for_them() -> None:
    assert hard_limits({"gpu": 0, "gpu_resource": "amd.com/gpu"}) == {"requests.amd.com/gpu": "0"}


def test_without_a_quota_or_limits_there_is_no_object() -> None:
    assert hard_limits() is None
    assert limit_range() is None


def test_the_limits_of_containers() -> None:
    limits = {
        "default_request": {"cpu_millicores": 100, "memory_mib": 128},
        "default": {"memory_mib": 512},
        "max": {"cpu_millicores": 4000, "memory_mib": 8192},
    }

    assert limit_range(limits) == [
        {
            "type": "Container",
            "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
            "default": {"memory": "512Mi"},
            "max": {"cpu": "4", "memory": "8Gi"},
        }
    ]


@pytest.mark.parametrize(
    ("quota", "sentence"),
    [
        ({"pods": -1}, "quota.pods is -1, expected a whole number of at least 0"),
        ({}, "quota is without a limit, expected one of cpu_millicores, memory_mib, gpu, pods, jobs, storage_mib"),
        ({"gpu_resource": "amd.com/gpu"}, "quota is without a limit"),
    ],
)
def test_a_quota_that_cannot_be_is_refused(quota: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        hard_limits(quota)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({}, "container_limits is without a limit, expected one of default_request, default, max"),
        ({"max": {"memory_mib": 0}}, "container_limits.max.memory_mib is 0, expected a whole number of at least 1"),
        (
            {"default": {"memory_mib": 9}, "max": {"memory_mib": 8}},
            "container_limits.default.memory_mib is 9, expected at most the 8 of max",
        ),
        (
            {"default_request": {"cpu_millicores": 9}, "default": {"cpu_millicores": 8}},
            "container_limits.default_request.cpu_millicores is 9, expected at most the 8 of default",
        ),
        (
            {"default_request": {"cpu_millicores": 9}, "max": {"cpu_millicores": 8}},
            "container_limits.default_request.cpu_millicores is 9, expected at most the 8 of max",
        ),
    ],
)
def test_limits_that_cannot_be_are_refused(limits: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        limit_range(limits)

    assert sentence in str(refusal.value)
