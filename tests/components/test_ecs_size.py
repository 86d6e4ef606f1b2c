from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ecs_platform import Platform
from components.ecs_size import cpu, memory, size
from runner import fargate


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, (500, 1024)),
        ({"cpu_millicores": 100, "memory_mib": 100}, (250, 512)),
        ({"cpu_millicores": 251}, (500, 1024)),
        ({"memory_mib": 5000}, (1000, 5120)),
        ({"cpu_millicores": 1500, "memory_mib": 5000}, (2000, 5120)),
    ],
)
def test_on_fargate_the_smallest_size_that_holds_it_is_said(asked: Any, expected: tuple[int, int]) -> None:
    found = size(Platform.FARGATE, resources=asked)

    assert (found["cpu_millicores"], found["memory_mib"]) == expected


def test_elsewhere_what_is_asked_for_is_said() -> None:
    asked = {"cpu_millicores": 123, "memory_mib": 456, "gpu": 1}

    assert size(Platform.EC2, resources=asked) == asked
    assert (cpu(asked), memory(asked)) == ("126", "456")


@given(units=st.sampled_from(sorted(fargate.SIZES)), data=st.data())
def test_a_size_of_fargates_stays_what_it_is(units: int, data: st.DataObject) -> None:
    mib = data.draw(st.sampled_from(fargate.SIZES[units]))
    said = size(Platform.FARGATE, resources={"cpu_millicores": units * 1000 // 1024, "memory_mib": mib})

    assert (cpu(said), memory(said)) == (str(units), str(mib))
    assert size(Platform.FARGATE, resources=said) == said
