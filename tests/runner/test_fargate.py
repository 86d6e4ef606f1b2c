"""Sizes of tasks on Fargate: the table is AWS', and the smallest size that holds what is asked is taken."""

import importlib.resources
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ContractError
from runner.fargate import SIZES, TaskSize, smallest, units

RULES = importlib.resources.files("cfnlint") / "data/schemas/extensions/aws_ecs_taskdefinition/fargate_cpu_memory.json"
"""The rule by which cfn-lint checks task definitions (E3047), which its authors at AWS keep."""
PAIRS = [TaskSize(cpu_units=cpu, memory_mib=memory) for cpu, sizes in SIZES.items() for memory in sizes]


def _rules() -> dict[int, set[int]]:
    found = {}
    for rule in json.loads(RULES.read_text())["then"]["anyOf"]:
        cpu, memory = (rule["properties"][name]["then"] for name in ("Cpu", "Memory"))
        sizes = memory.get("enum") or range(memory["minimum"], memory["maximum"] + 1, memory["multipleOf"])
        found.update({int(number): {int(size) for size in sizes} for number in cpu["enum"]})
    return found


def test_the_table_is_that_of_cloudformations_linter() -> None:
    assert {cpu: set(sizes) for cpu, sizes in SIZES.items()} == _rules()


def test_the_table_goes_from_small_to_large() -> None:
    assert list(SIZES) == sorted(SIZES)
    assert all(list(sizes) == sorted(set(sizes)) for sizes in SIZES.values())
    assert len(PAIRS) == 3 + 4 + 7 + 13 + 23 + 12 + 12 + 3


@pytest.mark.parametrize("size", PAIRS, ids=lambda size: f"{size.cpu_units}-{size.memory_mib}")
def test_every_size_is_the_smallest_for_itself(size: TaskSize) -> None:
    assert smallest(size.cpu_units * 1000 // 1024, size.memory_mib) == size


@pytest.mark.parametrize(
    ("millicores", "memory", "cpu_units", "memory_mib"),
    [
        (1, 1, 256, 512),
        (250, 512, 256, 512),
        (251, 512, 512, 1024),
        (250, 513, 256, 1024),
        (250, 2049, 512, 3072),
        (100, 4097, 1024, 5120),
        (1000, 512, 1024, 2048),
        (4000, 30_721, 8192, 32_768),
        (8000, 61_440, 8192, 61_440),
        (8000, 61_441, 16_384, 65_536),
        (8001, 1, 16_384, 32_768),
        (16_000, 122_880, 16_384, 122_880),
        (250, 122_881, 32_768, 249_856),
        (16_001, 1, 32_768, 61_440),
        (32_000, 61_441, 32_768, 122_880),
    ],
)
def test_what_is_asked_for_is_rounded_up(millicores: int, memory: int, cpu_units: int, memory_mib: int) -> None:
    assert smallest(millicores, memory) == TaskSize(cpu_units=cpu_units, memory_mib=memory_mib)


@pytest.mark.parametrize(
    ("millicores", "memory", "sentence"),
    [
        (32_001, 512, r"cpu_millicores is 32,001, expected at most the 32,000 of Fargate\."),
        (250, 249_857, r"memory_mib is 249,857, expected at most the 249,856 of Fargate\."),
    ],
)
def test_what_is_larger_than_the_largest_is_refused_in_one_sentence(
    millicores: int, memory: int, sentence: str
) -> None:
    with pytest.raises(ContractError) as caught:
        smallest(millicores, memory)

    assert re.search(sentence, str(caught.value))


@given(st.integers(1, 32_000), st.integers(1, 249_856))
def test_a_size_holds_what_is_asked_for_and_no_smaller_one_does(millicores: int, memory: int) -> None:
    found = smallest(millicores, memory)

    def holds(size: TaskSize) -> bool:
        return size.cpu_units * 1000 >= millicores * 1024 and size.memory_mib >= memory

    assert holds(found)
    assert found == min(filter(holds, PAIRS), key=lambda size: (size.cpu_units, size.memory_mib))


@given(st.integers(1, 10**6))
def test_units_are_no_fewer_than_was_asked_for_and_less_than_one_more(millicores: int) -> None:
    assert 0 <= units(millicores) * 1000 - millicores * 1024 < 1000
