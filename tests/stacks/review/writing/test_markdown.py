"""The comment of a pull request."""

from dataclasses import replace

import pytest

from stacks.review.finding import Weight, say
from stacks.review.report import Report, StackReport
from stacks.review.writing.markdown import comment
from stacks.review.writing.markdown_text import link, sentence, words
from tests.stacks.review.writing.rendered import elements, page
from tests.stacks.review.writing.reports import REPORT, told

STACK = StackReport(stack="dask-prod", counts={"same": 3})
ONE = told("r", Weight.WARNING, say("the image {} can change", "a:1"), before="x", after="a:1", why="It may.")

WHOLE = """\
<!-- penstock-review -->
### 🟠 Warning: the image `a:1` can change

1 warning · 3 unchanged

🟠 **The image `a:1` can change**\\
`SecurityGroup` `dask-prod-run`

```diff
- x
+ a:1
```

<sub>It may.</sub>

<details><summary>Resources by stack</summary>

| Stack | create | update | replace | delete | same |
| --- | ---: | ---: | ---: | ---: | ---: |
| `dask-prod` | 0 | 0 | 0 | 0 | 3 |

</details>

"""


def test_a_whole_comment() -> None:
    assert comment(Report(stacks=(STACK,), findings=(ONE,))) == WHOLE


def test_the_point_comes_first() -> None:
    lines = comment(REPORT, source="https://github.com/acme/flows/blob/abc/").splitlines()
    place = "stacks/Pulumi.dask-prod.yaml"
    first = "anyone on the internet could reach the scheduler of `dask-prod` on port `8786`"
    assert lines[:5] == [
        "<!-- penstock-review -->",
        f"### 🔴 Danger: {first}, and 1 more danger",
        "",
        "2 stacks · 1 preview failed · 2 dangers, 1 warning, 1 notice · 1 created, 4 updated, 2 replaced, 75 unchanged",
        "",
    ]
    assert lines[5:15] == [
        "🔴 **Anyone on the internet could reach the scheduler of `dask-prod` on port `8786`**\\",
        "`SecurityGroupIngressRule` `dask-prod-run-scheduler` · `cidrIpv4` · stack `dask-prod`",
        "",
        "```diff",
        "- 10.20.0.0/16",
        "+ 0.0.0.0/0",
        "```",
        "",
        "<sub>Whoever reaches a Dask scheduler runs code of their own with the rights of the flow.</sub>\\",
        f"From [`{place}:12`](https://github.com/acme/flows/blob/abc/{place}#L12) `penstock:scheduler_ingress`",
    ]


def test_everything_of_a_report_is_in_it() -> None:
    text = elements(comment(REPORT)).text
    for part in (
        "From stacks/Pulumi.dask-prod.yaml:31 penstock:task_role_statements · mandatory by the policy",
        "❌ The preview of flights could not be completed.\nline one\nline `two`\n",
        "1 notice\n🔵 Each worker of dask-prod gets twice the memory",
        "1 finding allowed by the policy",
        "🟠 Runs of flights may reach every address (open-egress, flights): The upstream has no",
        "Everything else: 2 resources",
        'containerDefinitions[flow].command: nothing → ["a","b|c"]cpu: 512 → nothing',
        "4 resources change in defaults, tags, order or writing only.",
        "Judged by the policy policies/review.yaml.",
        "The exception for open-egress ends in 12 days.",
        "dask-prod: slow",
    ):
        assert part in text


def test_why_is_told_once_for_each_rule() -> None:
    other = replace(ONE, name="another", urn="another")
    assert comment(Report(stacks=(STACK,), findings=(ONE, other))).count("<sub>It may.</sub>") == 1


def test_nothing_to_tell_is_short() -> None:
    text = comment(Report(stacks=(STACK,)))
    assert text.startswith("<!-- penstock-review -->\n### ✅ Quiet: nothing changes\n\n3 unchanged\n\n<details>")


def test_the_marker_is_a_word() -> None:
    assert comment(REPORT, marker="a --> b").startswith("<!-- a -- b -->\n")


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        ("https://h/o/r/blob/main", "stacks/a.yaml", "[x](https://h/o/r/blob/main/stacks/a.yaml#L3)"),
        ("https://h/o/r/blob/main/", "stacks/a.yaml", "[x](https://h/o/r/blob/main/stacks/a.yaml#L3)"),
        ("", "stacks/a.yaml", "x"),
        ("javascript:alert(1)", "a", "x"),
        ("https://h/a b", "a", "x"),
        ("https://h/a)", "a", "x"),
        ("https://h/o", "../../evil/repo", "x"),
        ("https://h/o", "/etc/passwd", "x"),
        ("https://h/o", "a](b", "x"),
        ("https://h/o", "", "x"),
    ],
)
def test_links_lead_into_the_checkout_only(source: str, path: str, expected: str) -> None:
    assert link("x", source, path, 3) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anyone can, or could; don't and/or.", "anyone can, or could; don't and/or."),
        ('12 of 3,000 (25%), "so" - until 2027-01-31.', '12 of 3,000 (25%), "so" - until 2027-01-31.'),
        ("set max_workers, see iam:PassRole.", "set `max_workers`, see `iam:PassRole`."),
        ("ask @team about #12 <b>", "ask `@team` about `#12` `<b>`"),
        ("1. x", "`1.` x"),
        ("- x", "`-` x"),
    ],
)
def test_words_that_could_act_are_code(text: str, expected: str) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("{} may pass {}", ("a", "b"), "`a` may pass `b`"),
        ("runs get {}{}", ("a", "b"), "Runs get `a` `b`"),
        ("a {{brace}}", (), "A `{brace}`"),
        ("it is {", ("x",), "It is `{`"),
        ("{} and {}", ("x",), '`x` and `""`'),
    ],
)
def test_sentences(text: str, names: tuple[str, ...], expected: str) -> None:
    assert sentence(replace(say(""), text=text, names=names)) == expected


def test_a_page_to_look_at() -> None:
    assert '<span class="del">- 10.20.0.0/16</span>' in page(comment(REPORT))
