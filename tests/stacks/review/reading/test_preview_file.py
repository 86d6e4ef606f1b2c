"""Previews in all ways that Pulumi writes them, whole and damaged."""

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.review.errors import ReviewError
from stacks.review.preview import Op, Preview
from stacks.review.reading.preview_file import LONGEST, read
from tests.stacks.review.steps import urn

PREVIEWS = Path(__file__).parent.parent / "previews"
AGAIN = "Make it again with `pulumi preview --json`."


def preview_of(text: str, name: str = "preview.json") -> Preview:
    found = read(text, name)
    assert isinstance(found, Preview)
    return found


def recorded(name: str) -> Preview:
    return preview_of((PREVIEWS / f"{name}.json").read_text())


def test_events_and_the_object_tell_the_same_changes() -> None:
    whole, events = recorded("dask-prod-max-workers"), recorded("dask-prod-max-workers-events")

    assert [step.op for step in whole.steps if step.op != Op.SAME] == [Op.UPDATE, Op.UPDATE]
    for step in whole.steps:
        other = next(item for item in events.steps if item.urn == step.urn)
        assert (step.op, step.new) == (other.op, other.new)
    assert (events.stack, events.counts, events.complete) == (whole.stack, whole.counts, True)
    assert whole.counts == {"same": 43, "update": 2}


def test_a_replacement_is_one_step_in_both() -> None:
    step = next(step for step in recorded("dask-prod-digest-dropped").steps if step.name == "dask-prod-task")

    assert step.op == Op.REPLACE
    assert step.replace_reasons == ("containerDefinitions",)
    assert step.old is not None
    assert step.new is not None


def test_a_summary_tells_what_happens_and_nothing_else() -> None:
    summary, whole = recorded("dask-prod-create-summary"), recorded("dask-prod-create")

    assert {(step.urn, step.op) for step in summary.steps} == {(step.urn, step.op) for step in whole.steps}
    assert (summary.has_values, whole.has_values) == (False, True)
    assert summary.counts == whole.counts


def test_a_preview_that_failed_tells_why() -> None:
    failed = recorded("dask-prod-wrong")

    assert failed.stack == "dask-prod"
    assert failed.errors == (
        (
            'penstock:kind is "nonsense", expected one of local, kubernetes-job, dask-kubernetes, fargate-task, '
            "dask-cloud-provider. Correct it in stacks/Pulumi.dask-prod.yaml."
        ),
    )


def test_json_inside_text_is_parsed() -> None:
    step = next(step for step in recorded("dask-prod-digest-dropped").steps if step.name == "dask-prod-task")

    assert step.new is not None
    definitions = step.new["containerDefinitions"]
    assert isinstance(definitions, list)
    assert {entry["name"] for entry in definitions} == {"cleanup", "flow"}


def test_events_that_break_off_are_a_preview_that_is_not_complete() -> None:
    text = (PREVIEWS / "dask-prod-max-workers-events.json").read_text()

    for cut in (text[: len(text) // 2], "\n".join(text.splitlines()[:-3])):
        found = preview_of(cut)
        assert found.stack == "dask-prod"
        assert not found.complete


def test_an_object_that_breaks_off_is_refused_wherever_it_does() -> None:
    text = (PREVIEWS / "dask-prod-egress.json").read_text().strip()

    for length in range(1, len(text), 997):
        with pytest.raises(ReviewError, match=r"^preview\.json (ends in the middle of its JSON|is no JSON)") as refused:
            read(text[:length], "preview.json")
        assert str(refused.value).endswith(AGAIN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "preview.json is empty, expected a preview."),
        (" \n\t", "preview.json is empty, expected a preview."),
        ("[]", "preview.json holds a list, expected the object of a preview."),
        ("17", "preview.json holds a number, expected the object of a preview."),
        ("null", "preview.json holds a null, expected the object of a preview."),
        ('"steps"', "preview.json holds a text, expected the object of a preview."),
        ("{}", "preview.json has 'nothing', expected steps, events or resources of a preview."),
        ('{"steps": 7}', "preview.json has 'steps', expected steps, events or resources of a preview."),
        (
            "{'steps': []}",
            "preview.json is no JSON: expecting property name enclosed in double quotes at line 1, column 2.",
        ),
        ("error: no stack", "preview.json is no JSON: expecting value at line 1, column 1."),
        ('{"steps": [', "preview.json ends in the middle of its JSON, in line 1."),
        ('{"sequence":1,"cancelEvent":{}}\nboom\n{}', "preview.json has no event in line 2, expected one per line."),
        ("[" * 100_000, "preview.json is nested more than 100 deep, which no preview is."),
        ('{"steps": [], "a": NaN}', "preview.json is no JSON: NaN is no number of JSON."),
        ('{"steps": ' + "[" * 200 + "]" * 200 + "}", "preview.json is nested more than 100 deep, which no preview is."),
    ],
    ids=range(15),
)
def test_what_is_no_preview_is_refused_in_a_sentence(text: str, message: str) -> None:
    with pytest.raises(ReviewError) as refused:
        read(text, "preview.json")

    assert str(refused.value) == f"{message} {AGAIN}"


def test_a_preview_that_is_far_too_long_is_refused() -> None:
    class Long(str):
        def __len__(self) -> int:
            return LONGEST + 1

    with pytest.raises(ReviewError, match="is longer than"):
        read(Long("{}"), "preview.json")


def test_numbers_that_are_too_large_are_read_as_text() -> None:
    inputs = '{"a": ' + "9" * 5000 + ', "b": 1e999, "c": "[1e999, ' + "9" * 5000 + ']", "d": 1.5}'
    step = f'{{"op": "create", "urn": "{urn("some:thing:Type")}", "newState": {{"inputs": {inputs}}}}}'

    [found] = preview_of(f'{{"steps": [{step}]}}').steps

    assert found.new == {"a": "9" * 5000, "b": "1e999", "c": ["1e999", "9" * 5000], "d": 1.5}


WRONG: tuple[Any, ...] = (None, True, 7, 1.5, "text", [], {}, [None], ["x"], {"x": None}, {"inputs": 7}, [[["x"]]])


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_shapes_that_nobody_writes_are_read_all_the_same(wrong: Any) -> None:
    step = {"op": "update", "urn": urn("aws:iam/role:Role"), "oldState": {"inputs": {"a": 1}}, "newState": {}}
    for key in (*step, "replaceReasons", "detailedDiff", "diffReasons", "provider"):
        preview_of(json.dumps({"steps": [{**step, key: wrong}]}))
    for state in ("inputs", "outputs", "protect", "retainOnDelete", "additionalSecretOutputs", "provider"):
        told = {"inputs": {"a": 1}, "outputs": {"b": 2}, state: wrong}
        preview_of(json.dumps({"steps": [{**step, "oldState": told, "newState": told}]}))
        event = {
            "sequence": 1,
            "resourcePreEvent": {"metadata": {"op": "update", "urn": "u", "old": told, "new": told}},
        }
        preview_of(json.dumps(event) + "\n" + json.dumps({"sequence": 2, "summaryEvent": {"resourceChanges": wrong}}))
    for key in ("steps", "diagnostics", "changeSummary", "config", "duration"):
        whole = {"steps": [wrong], "diagnostics": [], key: wrong}
        if isinstance(whole["steps"], list):
            preview_of(json.dumps(whole))
