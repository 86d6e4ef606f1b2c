"""Texts that want to be more than text, in every place of a report; secrets in every place of a preview."""

import base64
import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.review.finding import Sentence, Weight, say
from stacks.review.preview import Preview
from stacks.review.reading.preview_file import read
from stacks.review.report import Report
from stacks.review.reporting import report
from stacks.review.writing import markdown, terminal
from stacks.review.writing.markdown_text import code
from stacks.review.writing.report_json import from_json, to_json
from stacks.review.writing.room import units
from tests.stacks.review.writing.rendered import elements
from tests.stacks.review.writing.reports import REPORT, changed, texts_of, told

SOURCE = "https://github.com/acme/flows/blob/main"
MARKUP = "**b** _i_ ~~s~~ [l](https://evil.example) ![i](https://evil.example/x.png) # h"
TAGS = '</code></details></summary></td><img src=x onerror=alert(1)><a href="//evil">x</a><script>1</script>'
HOSTILE = {
    "markup": MARKUP,
    "HTML": TAGS,
    "the end of a comment": "--> x <!-- y -->",
    "the marker": "<!-- penstock-review -->",
    "mentions": "@acme/team @someone a@example.com",
    "references": "#12 acme/flows#3 GH-4 0123456789abcdef0123456789abcdef01234567",
    "addresses": "https://evil.example www.evil.example ftp://x mailto:a@b.c",
    "bars": "a|b\\|c\\\\|d||",
    "backticks": "`a``b```c````",
    "a backtick at each end": "`x`",
    "only backticks": "``````",
    "a fence": "x\n```\n<b>out</b>\n~~~\n",
    "lines": "x\n\n# h\n\n- a\n\n</details>\n\n| a |\n| - |\n\r\x85\u2028y",
    "entities": "&lt;b&gt; &#64;acme &amp;",
    "a backslash at the end": "x\\",
    "ANSI": "\x1b[2J\x1b]8;;https://evil.example\x07x\x1b]8;;\x07\x9b31m",
    "bidi": "a\u202eb\u2066c\u200f",
    "nothing to see": "\u200b\u3164 ",
    "NUL": "a\x00b",
    "lone surrogates": "\ud800x\udc00",
    "format": "{} {0.__class__} {{ } {x!r:>9}",
    "long": "ab " * 350_000,
    "long backticks": "`" * 1_000_000,
    "long bars": "|" * 1_000_000,
    "blanks": "   ",
    "a list": "1. x",
    "another list": "2) x - y",
    "a list without a number": "- x",
    "a table": "| a | b |\n| - | - |",
    "math": "$x$ $$y$$ `$z$`",
    "emoji": ":shipit: :tada:",
}
EVERYTHING = (
    f"{MARKUP} {TAGS} <!-- penstock-review --> @team #1 https://x.example `a``b |\\| \n```\n</details>\n \x1b[1m\u202e"
)
ACTS = re.compile(r"[@#<>`|\[\]*_~\\$]|https?:|www\.|[0-9a-f]{7,}|:\w+:")
"""What would act, or would be told wrongly, outside of code."""


def of_everything(text: str) -> Report:
    found: Report = changed(REPORT, lambda _, __: text)
    return found


def check(hostile: str, harmless: str) -> None:
    assert units(hostile) <= 65_000
    seen, usual = elements(hostile), elements(harmless)
    extra = Counter(seen.found) - Counter(usual.found)
    assert set(extra) <= {("code", ()), ("/code", ()), ("br", ())}
    assert seen.comments == [" penstock-review "]
    assert hostile.count("<!--") == 1
    assert not ACTS.search(seen.words)
    assert all(char.isprintable() or char == "\n" for char in hostile)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_acts_when_every_text_of_a_report_is_hostile(text: str) -> None:
    bad, good = of_everything(text), of_everything("harmless")
    check(markdown.comment(bad, source=SOURCE), markdown.comment(good, source=SOURCE))
    check_terminal(bad)


@pytest.mark.parametrize("place", list(texts_of(REPORT)))
def test_nothing_acts_in_any_single_place(place: str) -> None:
    bad = changed(REPORT, lambda path, text: EVERYTHING if path == place else text)
    good = changed(REPORT, lambda path, text: "harmless" if path == place else text)
    check(markdown.comment(bad, source=SOURCE), markdown.comment(good, source=SOURCE))
    check_terminal(bad)


def check_terminal(bad: Report) -> None:
    plain = terminal.text(bad, colour=False)
    assert all(char.isprintable() or char == "\n" for char in plain)
    assert re.sub(r"\x1b\[[0-9;]+m", "", terminal.text(bad, colour=True)) == plain


@pytest.mark.parametrize("name", ["`" * number for number in range(1, 8)] + ["``a`", " ` ", "a`", "`a", " ", ""])
def test_a_span_of_code_shows_exactly_its_text(name: str) -> None:
    shown = elements(f"x {code(name)} y").text
    assert shown == (f"x {name} y\n" if name.strip(" ") else f'x "{name}" y\n')


@pytest.mark.parametrize("size", [1, 400, 10_000])
def test_a_comment_stays_short_enough_and_says_what_it_leaves_out(size: int) -> None:
    name = "n" * 190 + "🔴" * 10
    many = tuple(told("r", Weight.DANGER, say("{} is open", f"{name}{i}"), name=name) for i in range(size))
    comment = markdown.comment(Report(stacks=REPORT.stacks, findings=many[:2000], rows=REPORT.rows * size))
    assert units(comment) <= 65_000
    shown = comment.count("** is") + comment.count("is open**")
    left = len(many[:2000]) - shown
    assert (f"{left:,} more findings" in comment) == (left > 0)
    assert ("are not shown: run `python -m stacks.review`" in comment) == (left > 0)
    assert elements(comment).found.count(("details", ())) == elements(comment).found.count(("/details", ()))


def test_one_finding_with_huge_names_fits() -> None:
    huge = "🔴`" * 100_000
    one = told("r", Weight.DANGER, Sentence("{} " * 500, (huge,) * 500), name=huge, field=huge, before=huge, after=huge)
    comment = markdown.comment(Report(stacks=(), findings=(one,)))
    assert "more finding" not in comment.split("\n", 3)[3]
    assert units(comment) <= 65_000


MADE_UP = "zq7!Kx-made-up-42"
PLACEHOLDER = "(here)"
STATE: dict[str, dict[str, Any]] = {
    "aws:ecs/taskDefinition:TaskDefinition": {
        "family": "penstock-flights",
        "cpu": "512",
        "containerDefinitions": json.dumps(
            [
                {
                    "name": "flow",
                    "image": "penstock.local/flights:test",
                    "command": ["run", "--db", "x"],
                    "environment": [{"name": "STAGE", "value": "prod"}],
                    "portMappings": [{"containerPort": 8786, "protocol": "tcp"}],
                }
            ]
        ),
        "tags": {"team": "data"},
    },
    "aws:iam/rolePolicy:RolePolicy": {
        "policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*", "Sid": "All"}]}),
        "role": "penstock-flights",
    },
    "kubernetes:apps/v1:Deployment": {
        "metadata": {"name": "x", "annotations": {"a": "b"}},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:1", "args": ["-x"]}]}}},
    },
}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str) and value[:1] in "[{":
        yield path
        yield from leaves(json.loads(value), (*path, None))
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path


def put(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    if path[0] is None:
        return json.dumps(put(json.loads(value), path[1:], leaf))
    result = copy.copy(value)
    result[path[0]] = put(value[path[0]], path[1:], leaf)
    return result


def outputs(type_: str, before: Any, after: Any) -> str:
    """What all ways of writing say of a preview in which a resource changes, whose secret stands elsewhere too."""
    steps = [
        {
            "op": "update",
            "urn": f"urn:pulumi:s::penstock::{kind}::n",
            "oldState": {"inputs": old},
            "newState": {"inputs": new},
        }
        for kind, old, new in (
            (type_, before, after),
            (
                "aws:x/y:Z",
                {"note": "x", MADE_UP: 1},
                {"note": f"<{MADE_UP}>", "b": base64.b64encode(MADE_UP.encode()).decode()},
            ),
        )
    ]
    diagnostics = [{"severity": "warning", "message": f"warning: {MADE_UP} is odd"}]
    preview = read(json.dumps({"steps": steps, "diagnostics": diagnostics, "changeSummary": {"update": 2}}), "p.json")
    assert isinstance(preview, Preview)
    made = report([preview], stack_files=Path("stacks"))
    texts = [markdown.comment(made), terminal.text(made, colour=False), to_json(made)]
    assert from_json(json.loads(texts[2])) == made
    return "".join(texts)


CASES = [(type_, path) for type_, state in STATE.items() for path in leaves(state)]


@pytest.mark.parametrize(("type_", "path"), CASES, ids=[f"{type_}-{path}" for type_, path in CASES])
def test_a_secret_in_any_place_appears_nowhere(type_: str, path: tuple[Any, ...]) -> None:
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    plain = put(STATE[type_], path, MADE_UP)
    wrapped = put(STATE[type_], path, {**mark, "plaintext": json.dumps(MADE_UP)})
    look = "AKIA" + "ZQ7K" * 4
    for before, after in ((STATE[type_], wrapped), (put(STATE[type_], path, "[secret]"), plain), (wrapped, plain)):
        said = outputs(type_, before, after)
        assert MADE_UP not in said
        assert base64.b64encode(MADE_UP.encode()).decode().rstrip("=") not in said
    assert look not in outputs(type_, STATE[type_], {**put(STATE[type_], path, f"x {look}"), "password": MADE_UP})
