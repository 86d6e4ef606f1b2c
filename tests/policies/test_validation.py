"""What the policy pack reports of one resource, without Pulumi."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from policies import validation
from policies.validation import Validation, bare, levels, message
from stacks.review.finding import Finding, Rule, Weight, say
from stacks.review.findings import RULES
from stacks.review.hiding.marks import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_TEXTS
from stacks.review.policy.file import Exempt, Level, Policy
from stacks.review.preview import Op, Step
from stacks.review.values import SECRET, UNKNOWN
from stacks.review.workloads import TASK_DEFINITION
from tests.stacks.review.steps import urn

BUCKET = "aws:s3/bucket:Bucket"
RULE = Rule(name="open-bucket", tells="everybody may read a bucket", why="What is in it is public then.")
OTHER = Rule(name="other", tells="it is something else", why="That matters.")
PLAIN = Policy(file="policy.toml", weights={Weight.DANGER: Level.MANDATORY})
TOUCHED = "UnknownValueError"


class Wrapped:
    """A mapping or list as pulumi_policy hands it out: what is not known yet raises when it is touched."""

    def __init__(self, inside: Any) -> None:
        self.inside = inside

    def __getitem__(self, key: Any) -> Any:
        if key == "__target":
            return self.inside
        if self.inside[key] in UNKNOWN_TEXTS:
            raise LookupError(TOUCHED)
        return self.inside[key]

    def __len__(self) -> int:
        return len(self.inside)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.inside)


class WrappedMapping(Wrapped, Mapping[str, Any]):
    pass


class WrappedList(Wrapped, Sequence[Any]):
    pass


def wrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return WrappedMapping({key: wrapped(item) for key, item in value.items()})
    return WrappedList([wrapped(item) for item in value]) if isinstance(value, list) else value


@dataclass(kw_only=True)
class Asked:
    """What Pulumi tells of a resource."""

    props: Any
    resource_type: str = BUCKET
    urn: str = urn(BUCKET)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Step]]:
    """The steps that checks were given. A bucket is a danger when it is open, a warning when that is not known."""
    steps: list[Step] = []

    def check(step: Step) -> Iterable[Finding]:
        steps.append(step)
        properties = step.new or {}
        found = Finding(
            rule=RULE, weight=Weight.DANGER, urn=step.urn, what=say("everybody may read {}", properties.get("bucket")),
            options=("bucket_access", "tags"),
        )  # fmt: skip
        if properties.get("acl") == "public-read":
            yield found
        if properties.get("acl") is UNKNOWN:
            yield replace(found, weight=Weight.WARNING, options=())
        yield replace(found, rule=OTHER, weight=Weight.NOTICE)

    monkeypatch.setattr(validation, "STEP_CHECKS", (check,))
    monkeypatch.setattr(validation, "PREVIEW_CHECKS", ())
    validation._findings.cache_clear()
    yield steps
    validation._findings.cache_clear()


def reported(
    props: Any, *, rule: Rule = RULE, level: Level = Level.MANDATORY, exempt: Sequence[Exempt] = ()
) -> list[str]:
    found: list[str] = []
    Validation(rule=rule, level=level, policy=PLAIN, exempt=exempt)(Asked(props=wrapped(props)), found.append)
    return found


def test_a_finding_is_reported_with_its_reason_and_where_it_may_come_from(seen: list[Step]) -> None:
    (found,) = reported({"bucket": "lake", "acl": "public-read"})
    assert found == (
        "Everybody may read lake. What is in it is public then. "
        "It may come from bucket_access, tags in the stack's file."
    )
    assert seen == [Step(urn=urn(BUCKET), op=Op.CREATE, new={"bucket": "lake", "acl": "public-read"})]


def test_what_is_well_is_not_reported(seen: list[Step]) -> None:
    assert reported({"bucket": "lake", "acl": "private"}) == []
    assert len(seen) == 1


def test_findings_of_another_rule_or_level_are_not_reported(seen: list[Step]) -> None:
    props = {"bucket": "lake", "acl": "public-read"}
    assert reported(props, level=Level.ADVISORY) == []
    assert reported(props, rule=OTHER) == []
    assert len(seen) == 1  # each resource is looked at once, whatever the number of rules


def test_what_is_not_known_yet_is_marked(seen: list[Step]) -> None:
    unknown = min(UNKNOWN_TEXTS)
    assert reported({"bucket": "lake", "acl": unknown, "rules": [{"days": unknown}]}, level=Level.ADVISORY) == [
        "Everybody may read lake. What is in it is public then."
    ]
    assert seen[0].new == {"bucket": "lake", "acl": UNKNOWN, "rules": [{"days": UNKNOWN}]}


def test_what_is_secret_is_marked_and_in_no_message(seen: list[Step]) -> None:
    secret = {SIGNATURE: SECRET_SIGNATURE, "value": "hunter2-hunter2"}
    found = reported({"bucket": "of hunter2-hunter2", "acl": "public-read", "token": secret})
    assert seen[0].new is not None
    assert seen[0].new["token"] is SECRET
    assert len(found) == 1
    assert "hunter2" not in found[0]


def test_numbers_and_json_are_read_as_in_a_preview(seen: list[Step]) -> None:
    reported({"days": 14.0, "share": 0.5, "policy": '{"Statement": [{"Action": "*"}]}', "tags": None})
    assert seen[0].new == {"days": 14, "share": 0.5, "policy": {"Statement": [{"Action": "*"}]}, "tags": None}
    assert seen[0].new is not None
    assert type(seen[0].new["days"]) is int


def test_what_is_found_in_whole_stacks_is_looked_for_in_the_resource_alone() -> None:
    image = Asked(
        props=wrapped({"containerDefinitions": '[{"name": "flow", "image": "flows:latest"}]'}),
        resource_type=TASK_DEFINITION,
        urn=urn(TASK_DEFINITION),
    )
    rule = next(rule for rule in RULES if rule.name == "image-tag-moves")
    found: list[str] = []
    Validation(rule=rule, level=Level.ADVISORY, policy=PLAIN, exempt=())(image, found.append)
    assert len(found) == 1
    assert f" get an image by the tag latest, which can move. {rule.why}" in found[0]


@pytest.mark.parametrize(
    ("stack", "resource", "found"), [("prod", "thing", 0), ("*", "urn:*::thing", 0), ("dev", "*", 1), ("*", "other", 1)]
)
def test_what_is_allowed_is_not_reported(seen: list[Step], stack: str, resource: str, found: int) -> None:
    allowed = Exempt(
        path="exceptions[0]", rule=RULE.name, stack=stack, resource=resource, reason="It is meant.",
        expires=date(2030, 12, 31),
    )  # fmt: skip
    assert len(reported({"bucket": "lake", "acl": "public-read"}, exempt=[allowed])) == found


def test_no_message_speaks_to_the_terminal() -> None:
    finding = Finding(rule=RULE, weight=Weight.DANGER, urn=urn(BUCKET), what=say("{} is open", "\x1b[31mlake\n"))
    assert message(finding) == "?[31mlake? is open. What is in it is public then."


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (PLAIN, [Level.MANDATORY, Level.ADVISORY]),
        (replace(PLAIN, rules={RULE.name: Level.ADVISORY}), [Level.ADVISORY]),
        (replace(PLAIN, rules={RULE.name: Level.DISABLED}), []),
        (replace(PLAIN, default=Level.DISABLED), [Level.MANDATORY]),
        (Policy(file="policy.toml", weights={Weight.NOTICE: Level.MANDATORY}), [Level.ADVISORY]),
    ],
)
def test_a_rule_is_asked_once_for_each_level_that_its_findings_can_have(policy: Policy, expected: list[Level]) -> None:
    assert list(levels(RULE, policy)) == expected


def test_values_that_are_not_wrapped_are_taken_as_they_are() -> None:
    value = {"a": [1, {"b": None}], "c": "text", "d": True}
    assert bare(value) == value
    assert bare(wrapped(value)) == value
