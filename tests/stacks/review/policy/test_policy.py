"""What a policy makes of a report."""

from datetime import date

import pytest

from stacks.review.finding import Rule, Weight, say
from stacks.review.policy import reading as policy_reading
from stacks.review.policy.applying import PolicyError, apply, read, violations
from stacks.review.policy.file import Exempt, Level, Policy
from stacks.review.report import Pointer, Report, StackReport, Told
from tests.stacks.review.steps import urn

TODAY = date(2030, 6, 30)
BUCKET = "aws:s3/bucket:Bucket"
NAMES = ("open-ingress", "every-action", "data-destroyed")


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    named = tuple(Rule(name=name, tells="a thing is so", why="That matters.") for name in NAMES)
    monkeypatch.setattr(policy_reading, "RULES", named)


def told(
    rule: str = "open-ingress", weight: Weight = Weight.DANGER, *, name: str = "thing", stack: str = "prod"
) -> Told:
    return Told(
        rule=rule, weight=weight, stack="prod", urn=urn(BUCKET), type=BUCKET, name="thing",
        what=say("{} is so", "thing"), field="", before=None, after=None, why="That matters.",
        pointer=Pointer(file="stacks/Pulumi.prod.yaml"),
    )  # fmt: skip


def report(*findings: Told, stacks: tuple[str, ...] = ("prod",)) -> Report:
    return Report(stacks=tuple(StackReport(stack=name, counts={}) for name in stacks), findings=findings)


def exempt(**given: str) -> str:
    entry = {
        "rule": '"open-ingress"', "stack": '"*"', "resource": '"thing"', "reason": '"it is meant"',
        "expires": "2030-12-31", **given,
    }  # fmt: skip
    return "schema_version = 1\n[[exceptions]]\n" + "".join(
        f"{key} = {value}\n" for key, value in entry.items() if value
    )


def applied(text: str, *findings: Told, stacks: tuple[str, ...] = ("prod",)) -> Report:
    return apply(report(*findings, stacks=stacks), read(text, file="policy.toml"), today=TODAY)


def test_all_that_a_file_can_say_is_read() -> None:
    text = """
        schema_version = 1
        default = "disabled"
        weights = {danger = "mandatory", notice = "disabled"}
        [rules]
        every-action = "advisory"
        [[exceptions]]
        rule = "open-ingress"
        stack = "dev-*"
        resource = "urn:pulumi:*"
        reason = "A laptop\\n  only."
        expires = 2030-12-31
    """
    assert read(text, file="policy.toml") == Policy(
        file="policy.toml",
        default=Level.DISABLED,
        weights={Weight.DANGER: Level.MANDATORY, Weight.NOTICE: Level.DISABLED},
        rules={"every-action": Level.ADVISORY},
        exceptions=(
            Exempt(
                path="exceptions[0]", rule="open-ingress", stack="dev-*", resource="urn:pulumi:*",
                reason="A laptop only.", expires=date(2030, 12, 31),
            ),
        ),
    )  # fmt: skip


V1 = "schema_version = 1\n"
KEYS = "one of schema_version, default, weights, rules, exceptions"
LEVELS = "one of mandatory, advisory, disabled"
DAY = "a date without quotation marks, as 2030-12-31"
CORRECT, OUT, ADD = "Correct it in the file.", "Correct it, or take it out.", "Add it."

WRONG = [
    ("", "schema_version is missing", "1", "Write schema_version = 1."),
    ("schema_version = 2", "schema_version is 2", "1", "Write schema_version = 1."),
    ("schema_version = true", "schema_version is true", "1", "Write schema_version = 1."),
    ("weight = 1", "weight is unknown", KEYS, "Did you mean weights?"),
    ('"\\u001b[1m" = 1', "'\\x1b[1m' is unknown", KEYS, OUT),
    (f"{V1}default = 'strict'", "default is 'strict'", LEVELS, CORRECT),
    (f"{V1}default = [1]", "default is a list", LEVELS, CORRECT),
    (f"{V1}rules = 'all'", "rules is 'all'", "a table", "Begin it with [rules]."),
    (
        f"{V1}rules.open-ingres = 'disabled'",
        "rules.open-ingres is unknown",
        "the name of a rule",
        "Did you mean open-ingress?",
    ),
    (f"{V1}rules.every-action = 1", "rules.every-action is 1", LEVELS, CORRECT),
    (f"{V1}weights.heavy = 'disabled'", "weights.heavy is unknown", "one of notice, warning, danger", OUT),
    (f"{V1}exceptions = {{}}", "exceptions is a table", "tables", "Begin each with [[exceptions]]."),
    (f"{V1}exceptions = [1]", "exceptions[0] is 1", "a table", "Begin it with [[exceptions]]."),
    (exempt(until="1"), "exceptions[0].until is unknown", "one of rule, stack, resource, reason, expires", OUT),
    (
        exempt(rule="'every-acton'"),
        "exceptions[0].rule is 'every-acton'",
        "the name of a rule",
        "Did you mean every-action?",
    ),
    (exempt(rule=""), "exceptions[0].rule is missing", "the name of a rule", ADD),
    (exempt(reason="' '"), "exceptions[0].reason is ' '", "a sentence that says why", CORRECT),
    (exempt(expires="'2030-12-31'"), "exceptions[0].expires is '2030-12-31'", DAY, CORRECT),
    (exempt(expires="2030-12-31T00:00:00"), "exceptions[0].expires is 2030-12-31 00:00:00", DAY, CORRECT),
    (exempt(expires=""), "exceptions[0].expires is missing", DAY, ADD),
]


@pytest.mark.parametrize(("text", "found", "expected", "advice"), WRONG)
def test_what_is_wrong_is_told_with_its_place_and_what_to_do(text: str, found: str, expected: str, advice: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(text, file="policy.toml")
    assert str(caught.value) == f"policy.toml: {found}, expected {expected}. {advice}"


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"^policy\.toml is not TOML: .+ Correct it as docs/policies\.md shows\.$"):
        read("x", file="policy.toml")


def test_what_is_nested_beyond_measure_is_a_wrong_file_too() -> None:
    with pytest.raises(PolicyError, match=r"^policy\.toml is not TOML: "):
        read("a = " + "[" * 100_000, file="policy.toml")


def test_a_long_value_is_quoted_in_part() -> None:
    with pytest.raises(PolicyError, match=r"default is 'x{59}\.\.\., expected"):
        read(f"schema_version = 1\ndefault = '{'x' * 1000}'", file="policy.toml")


def test_a_rules_level_goes_before_that_of_the_weight_and_that_before_the_default() -> None:
    text = """
        schema_version = 1
        default = "disabled"
        weights.danger = "mandatory"
        rules = {every-action = "advisory"}
    """
    after = applied(text, told(), told("every-action"), told("every-action", Weight.NOTICE), told(weight=Weight.NOTICE))
    assert [(one.rule, one.weight, one.enforcement) for one in after.findings] == [
        ("open-ingress", Weight.DANGER, "mandatory"),
        ("every-action", Weight.DANGER, "advisory"),
        ("every-action", Weight.NOTICE, "advisory"),
    ]
    assert after.policy == "policy.toml"
    assert [one.rule for one in violations(after)] == ["open-ingress"]


def test_a_file_that_says_nothing_makes_all_advisory() -> None:
    after = applied("schema_version = 1", told())
    assert [one.enforcement for one in after.findings] == ["advisory"]
    assert violations(after) == ()
    assert violations(report(told())) == ()


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({}, True),
        ({"stack": "'pr*'"}, True),
        ({"stack": "'dev-*'"}, False),
        ({"stack": "'PROD'"}, False),
        ({"resource": "'th?ng'"}, True),
        ({"resource": "'thin'"}, False),
        ({"resource": "'urn:pulumi:*:Bucket::thing'"}, True),
        ({"rule": "'every-action'"}, False),
        ({"expires": "2030-06-30"}, True),
        ({"expires": "2030-06-29"}, False),
    ],
)
def test_an_exception_covers_what_it_names_until_its_last_day(given: dict[str, str], covered: bool) -> None:
    text = exempt(**given).replace("schema_version = 1", "schema_version = 1\ndefault = 'mandatory'")
    after = applied(text, told())
    assert [one.exception for one in after.findings] == ["it is meant" if covered else ""]
    assert violations(after) == (() if covered else after.findings)
    assert after.weights() == ({} if covered else {Weight.DANGER: 1})


def test_exceptions_that_are_over_are_told_of_stacks_in_the_review() -> None:
    entries = [
        exempt(),
        exempt(expires="2029-01-01"),
        exempt(stack="'dev'"),
        exempt(stack="'dev'", expires="2029-01-01"),
    ]
    text = entries[0] + "".join(entry.removeprefix("schema_version = 1\n") for entry in entries[1:])
    assert applied(text, told()).notes == (
        (
            "exceptions[1] of policy.toml, for open-ingress, was over on 2029-01-01 and covers nothing any more; "
            "renew it or take it out."
        ),
    )


def test_an_exception_longer_than_a_year_is_refused() -> None:
    with pytest.raises(PolicyError) as caught:
        applied(exempt(expires="2031-07-02"), told())
    assert str(caught.value) == (
        "policy.toml: exceptions[0].expires is 2031-07-02, expected a day at most 366 days after 2030-06-30. "
        "Choose an earlier one; it can be renewed when that comes."
    )
    assert applied(exempt(expires="2031-07-01"), told()).findings[0].exception == "it is meant"
