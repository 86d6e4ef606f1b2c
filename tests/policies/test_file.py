"""The policy file that comes with Penstock."""

import pytest

from stacks.review.finding import Weight
from stacks.review.policy.applying import Level, read
from tests.policies.environment import PACK

FILE = PACK / "penstock-policy.toml"


@pytest.mark.parametrize(
    ("rule", "weight", "level"),
    [
        ("ingress-from-internet", Weight.DANGER, Level.MANDATORY),
        ("ingress-wider", Weight.WARNING, Level.ADVISORY),
        ("image-changed", Weight.NOTICE, Level.ADVISORY),
        ("cost-of-runs", Weight.DANGER, Level.ADVISORY),
    ],
)
def test_it_forbids_what_is_hard_to_take_back(rule: str, weight: Weight, level: Level) -> None:
    assert read(FILE.read_text(), file="policy.toml").level(rule, weight) == level


def test_the_exception_that_it_shows_can_be_taken_as_it_is() -> None:
    before, mark, shown = FILE.read_text().partition("# [[exceptions]]\n")
    text = before + "".join(f"{line.removeprefix('# ')}\n" for line in (mark + shown).splitlines())
    policy = read(text, file="policy.toml")
    assert [(entry.rule, entry.stack) for entry in policy.exceptions] == [("iam-wildcard-action", "sandbox-*")]
