import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity

from components.quantities import count, cpu, memory


@pytest.mark.parametrize(
    ("millicores", "text"), [(0, "0"), (1, "1m"), (500, "500m"), (1500, "1500m"), (2000, "2"), (1_000_000, "1k")]
)
def test_processor_time(millicores: int, text: str) -> None:
    assert cpu(millicores) == text


@pytest.mark.parametrize(
    ("mib", "text"),
    [(0, "0"), (1, "1Mi"), (1536, "1536Mi"), (2048, "2Gi"), (3 * 1024**2, "3Ti"), (2 * 1024**4, "2048Pi")],
)
def test_memory(mib: int, text: str) -> None:
    assert memory(mib) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (7, "7"), (200, "200"), (1000, "1k"), (1500, "1500")])
def test_a_number_of_things(number: int, text: str) -> None:
    assert count(number) == text


@given(st.integers(0, 10**9))
def test_kubernetes_reads_what_was_meant(number: int) -> None:
    assert parse_quantity(cpu(number)) * 1000 == number
    assert parse_quantity(memory(number)) == number * 1024**2
    assert parse_quantity(count(number)) == number
