import pytest

from components.aws_tags import environment_tags
from runner.errors import ContractError


def test_everything_says_whose_it_is() -> None:
    assert environment_tags("flights", tags={"team": "data", "cost center": "a/b+c=d@e:f"}) == {
        "cost center": "a/b+c=d@e:f",
        "penstock.dev/environment": "flights",
        "penstock.dev/managed-by": "pulumi",
        "team": "data",
    }


def test_their_order_is_always_the_same() -> None:
    assert list(environment_tags("flights", tags={"z": "1", "a": "2"})) == [
        "a",
        "penstock.dev/environment",
        "penstock.dev/managed-by",
        "z",
    ]


@pytest.mark.parametrize(
    ("tags", "path"),
    [
        ({"penstock.dev/run-id": "x"}, "tags.penstock.dev/run-id"),
        ({"AWS:x": "x"}, "a key of tags"),
        ({"": "x"}, "a key of tags"),
        ({"x" * 129: "x"}, "a key of tags"),
        ({"a*": "x"}, "a key of tags"),
        ({"a": "x" * 257}, "tags.a"),
        ({"a": "x\n"}, "tags.a"),
        ({str(i): "x" for i in range(41)}, "tags"),
    ],
)
def test_what_aws_would_not_take_is_refused(tags: dict[str, str], path: str) -> None:
    with pytest.raises(ContractError) as refusal:
        environment_tags("flights", tags=tags)
    assert refusal.value.path == path
