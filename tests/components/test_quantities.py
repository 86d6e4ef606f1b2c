from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity

from components.quantities import SUFFIXES, count, cpu, memory, parse
from runner.errors import ContractError


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


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("500m", Fraction(1, 2)),
        ("0.5", Fraction(1, 2)),
        (0.5, Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("2", 2),
        (2, 2),
        ("2.", 2),
        ("+2", 2),
        ("0", 0),
        ("1Gi", 1024**3),
        ("1.5Gi", 1536 * 1024**2),
        ("128974848", 128974848),
        (128974848, 128974848),
        ("100M", 100_000_000),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1.2e-1", Fraction(3, 25)),
        ("1E", 1000**6),
        ("1Ei", 1024**6),
        ("100u", Fraction(1, 10_000)),
        ("5n", Fraction(5, 10**9)),
    ],
)
def test_what_users_write(written: Any, number: Any) -> None:
    assert parse(written, "cpu") == number


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", '""'),
        ("1 Gi", '"1 Gi"'),
        ("1K", '"1K"'),
        ("1mi", '"1mi"'),
        ("-1", '"-1"'),
        (-1, "-1"),
        ("half", '"half"'),
        ("1e", '"1e"'),
        ("1e3Mi", '"1e3Mi"'),
        ("1e9999", '"1e9999"'),
        ("0x10", '"0x10"'),
        ("1_000", '"1_000"'),
        (True, "true"),
        (None, "null"),
        ([1], "a list of 1"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
    ],
)
def test_what_kubernetes_would_not_read_is_refused_with_its_place(written: Any, shown: str) -> None:
    with pytest.raises(ContractError) as refusal:
        parse(written, "requests.cpu")

    assert f"requests.cpu is {shown}, expected a quantity such as 500m, 2 or 1Gi" in str(refusal.value)


@given(st.decimals(0, 10**6, places=3), st.sampled_from(sorted(SUFFIXES)))
def test_it_is_read_as_kubernetes_reads_it(number: Any, suffix: str) -> None:
    written = f"{number}{suffix}"

    assert float(parse(written, "")) == pytest.approx(float(parse_quantity(written)))


@given(st.integers(0, 10**9))
def test_what_is_written_here_is_read_back(number: int) -> None:
    assert parse(cpu(number), "") * 1000 == number
    assert parse(memory(number), "") == number * 1024**2
    assert parse(count(number), "") == number
