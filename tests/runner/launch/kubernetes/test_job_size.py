"""What the container of a run asks for, when the run says so itself."""

import copy
from typing import Any

import pytest

from runner.launch.kubernetes import job
from runner.request import Size
from runner.sections import KubernetesJob, Resources
from tests.runner.launch.kubernetes.objects import TEMPLATE, asked, environment

RESOURCES = Resources(cpu_millicores=500, memory_mib=256, gpu=1, cpu_limit_millicores=1000, memory_limit_mib=512)
GPU = {"nvidia.com/gpu": "1"}


def resources_of(rendered: dict[str, Any]) -> Any:
    return job.flow_container(rendered["spec"]["template"]["spec"])["resources"]


@pytest.mark.parametrize(
    ("size", "requests", "limits"),
    [
        (None, {"cpu": "500m", "memory": "256Mi"}, {"cpu": "1000m", "memory": "512Mi"}),
        (
            Size(cpu_millicores=2000),
            {"cpu": "2000m", "memory": "256Mi"},
            {"cpu": "2000m", "memory": "512Mi"},
        ),
        (Size(memory_mib=4096), {"cpu": "500m", "memory": "4096Mi"}, {"cpu": "1000m", "memory": "4096Mi"}),
        (
            Size(cpu_millicores=100, memory_mib=64),
            {"cpu": "100m", "memory": "64Mi"},
            {"cpu": "1000m", "memory": "512Mi"},
        ),
    ],
    ids=["environment", "cpu", "memory", "less"],
)
def test_the_container_asks_for_the_runs_own_size_where_it_has_one(
    size: Size | None, requests: dict[str, str], limits: dict[str, str]
) -> None:
    rendered = job.render(environment(resources=RESOURCES), asked(size=size))

    assert resources_of(rendered) == {"requests": requests | GPU, "limits": limits | GPU}


def test_without_limits_memory_alone_is_limited_to_what_the_run_asks_for() -> None:
    rendered = job.render(environment(), asked(size=Size(cpu_millicores=750, memory_mib=300)))

    assert resources_of(rendered) == {"requests": {"cpu": "750m", "memory": "300Mi"}, "limits": {"memory": "300Mi"}}


def test_other_containers_keep_their_size() -> None:
    template = copy.deepcopy(TEMPLATE)
    own = {"requests": {"cpu": "10m"}}
    template["spec"]["template"]["spec"]["containers"][0]["resources"] = own
    target = environment(kubernetes_job=KubernetesJob(namespace="flows", job=template))

    rendered = job.render(target, asked(size=Size(cpu_millicores=2000)))

    assert rendered["spec"]["template"]["spec"]["containers"][0]["resources"] == own


def test_the_size_is_read_back_from_the_job() -> None:
    request = asked(size=Size(cpu_millicores=750))

    assert job.request_of(job.render(environment(), request)) == request


def test_what_the_run_asks_for_counts_more_than_what_the_template_says_of_its_own() -> None:
    template = copy.deepcopy(TEMPLATE)
    own = {"requests": {"cpu": "4", "memory": "1Gi"}, "limits": {"cpu": "8", "memory": "2Gi", "example.com/fpga": "1"}}
    job.flow_container(template["spec"]["template"]["spec"])["resources"] = own
    section = KubernetesJob(namespace="flows", job=template)

    rendered = job.render(environment(kubernetes_job=section), asked(size=Size(cpu_millicores=750)))

    assert resources_of(rendered) == {
        "requests": {"cpu": "750m", "memory": "1Gi"},
        "limits": {"memory": "2Gi", "example.com/fpga": "1"},
    }
