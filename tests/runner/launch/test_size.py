"""What a run asks for: the environment's size, or its own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.size import sized
from runner.request import Size
from runner.sections import Resources
from tests.runner.strategies import RESOURCES, SIZES

OWN = st.builds(Size, cpu_millicores=st.none() | SIZES, memory_mib=st.none() | SIZES)


def resources(cpu: int = 500, memory: int = 256, **more: Any) -> Resources:
    return Resources(cpu_millicores=cpu, memory_mib=memory, **more)


def test_without_a_size_of_its_own_a_run_has_the_environments() -> None:
    environments = resources(gpu=1, cpu_limit_millicores=600)

    assert sized(environments, None) is environments
    assert sized(environments, Size()) == environments
    assert sized(None, None) is None
    assert sized(None, Size(memory_mib=1)) is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(cpu_millicores=2000), resources(2000, 256, gpu=2, gpu_resource="amd.com/gpu")),
        (Size(memory_mib=64), resources(500, 64, gpu=2, gpu_resource="amd.com/gpu")),
        (Size(cpu_millicores=1, memory_mib=4096), resources(1, 4096, gpu=2, gpu_resource="amd.com/gpu")),
    ],
)
def test_what_is_asked_for_takes_the_place_of_the_environments_and_the_rest_stays(
    size: Size, expected: Resources
) -> None:
    assert sized(resources(gpu=2, gpu_resource="amd.com/gpu"), size) == expected


def test_limits_below_what_is_asked_for_give_way_and_others_stay() -> None:
    environments = resources(500, 256, cpu_limit_millicores=1000, memory_limit_mib=512)

    assert sized(environments, Size(cpu_millicores=2000, memory_mib=100)) == resources(
        2000, 100, cpu_limit_millicores=2000, memory_limit_mib=512
    )
    assert sized(environments, Size(cpu_millicores=800, memory_mib=513)) == resources(
        800, 513, cpu_limit_millicores=1000, memory_limit_mib=513
    )


@given(RESOURCES, OWN)
def test_any_size_fits_into_any_environment(environments: Resources, size: Size) -> None:
    found = sized(environments, size)

    assert found is not None
    assert found.cpu_millicores == (size.cpu_millicores or environments.cpu_millicores)
    assert found.memory_mib == (size.memory_mib or environments.memory_mib)
    assert (found.cpu_limit_millicores is None) == (environments.cpu_limit_millicores is None)
    assert (found.gpu, found.gpu_resource) == (environments.gpu, environments.gpu_resource)
