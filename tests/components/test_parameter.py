import pytest

from components.given import ArgumentError
from components.parameter import tier


@pytest.mark.parametrize(("size", "expected"), [(4096, "Standard"), (4097, "Advanced"), (8192, "Advanced")])
def test_the_tier_is_the_cheapest_that_holds_it(size: int, expected: str) -> None:
    assert tier("X", size) == expected


def test_what_none_holds_is_refused_with_its_size() -> None:
    with pytest.raises(ArgumentError, match="that the environment document has 8,193 bytes, expected less"):
        tier("X", 8193)
