import re

from hypothesis import given
from hypothesis import strategies as st

from components.kubernetes_surroundings import PARTS
from components.naming import LONGEST, child_name
from runner.sections import NAME

ENVIRONMENTS = st.from_regex(NAME, fullmatch=True)
ROLES = st.sampled_from([*PARTS, "quota", "limits", "deny"])


def test_a_name_is_read_as_it_was_given() -> None:
    assert child_name("flights", "submitter") == "flights-submitter"


def test_a_long_name_is_its_beginning_and_a_hash_of_it() -> None:
    name = child_name("a" * 63, "submitter")

    assert name == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-7d3e74a0-submitter"
    assert len(name) == LONGEST


@given(ENVIRONMENTS, ROLES)
def test_whatever_the_environment_is_called_the_name_is_a_legal_one_of_at_most_63(environment: str, role: str) -> None:
    assert re.fullmatch(NAME, child_name(environment, role))


@given(ENVIRONMENTS, ENVIRONMENTS, ROLES, ROLES)
def test_different_environments_and_parts_have_different_names(one: str, two: str, part: str, other: str) -> None:
    if (one, part) != (two, other):
        assert child_name(one, part) != child_name(two, other)


def test_two_long_names_with_the_same_beginning_stay_apart() -> None:
    assert child_name("a" * 62 + "b", "runner") != child_name("a" * 62 + "c", "runner")
