"""The policy pack in its own environment: what Pulumi is told of it, and what it makes of Pulumi's properties."""

import json
import re
from pathlib import Path

import pytest

from policies.validation import levels
from stacks.review.findings import RULES
from stacks.review.hiding.marks import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_TEXTS
from stacks.review.policy.applying import read
from tests.policies.environment import PACK, run

NAMES = """
import json
from policies.pack import policies
print(json.dumps([[policy.name, policy.description, policy.enforcement_level.value] for policy in policies()]))
"""


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_it_has_a_policy_for_each_rule_and_level() -> None:
    policy = read((PACK / "penstock-policy.toml").read_text(), file="penstock-policy.toml")
    expected = [
        [f"{rule.name}-{level}" if place else rule.name, rule.tells, str(level)]
        for rule in RULES
        for place, level in enumerate(levels(rule, policy))
    ]
    finished = run("-c", NAMES)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert json.loads(finished.stdout) == expected
    assert [expected[0][0], expected[1][0]] == [RULES[0].name, f"{RULES[0].name}-advisory"]


def test_another_file_decides_when_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(f'schema_version = 1\ndefault = "disabled"\nrules = {{{RULES[0].name} = "mandatory"}}\n')
    finished = run("-c", NAMES, env={"PENSTOCK_POLICY": str(file)})
    assert json.loads(finished.stdout) == [[RULES[0].name, RULES[0].tells, "mandatory"]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("schema_version = 2", ": schema_version is 2, expected 1. Write schema_version = 1."),
        (
            'schema_version = 1\ndefault = "disabled"',
            " disables every rule, expected one that is not. Leave the policy pack out instead.",
        ),
        (None, " cannot be read: No such file or directory. Name a policy file in PENSTOCK_POLICY."),
    ],
)
def test_a_wrong_file_is_told_in_two_sentences(tmp_path: Path, text: str | None, sentence: str) -> None:
    file = tmp_path / "policy.toml"
    if text is not None:
        file.write_text(text)
    finished = run(PACK, "127.0.0.1:1", env={"PENSTOCK_POLICY": str(file)})
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", f"{file}{sentence}\n")


def test_marks_of_what_is_secret_and_not_known_reach_the_checks() -> None:
    given = {
        "plain": {"list": ["a", 1.0, True, None]},
        "secret": {SIGNATURE: SECRET_SIGNATURE, "value": "hunter2"},
        "nested": [{"unknown": min(UNKNOWN_TEXTS)}],
    }
    finished = run("-m", "tests.policies.asking", json.dumps(given))
    assert (finished.returncode, finished.stderr) == (0, "")
    assert json.loads(finished.stdout) == [given]


def test_it_runs_on_the_same_pulumi_as_the_program() -> None:
    mine, programs = pins(PACK / "requirements.lock"), pins(PACK.parent / "requirements.lock")
    assert mine["pulumi"] == programs["pulumi"]
    assert mine["protobuf"] != programs["protobuf"]
