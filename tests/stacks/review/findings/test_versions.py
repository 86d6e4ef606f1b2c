from typing import Any

import pytest

from stacks.review.findings import versions
from stacks.review.preview import Preview, Step
from stacks.review.values import UNKNOWN
from tests.stacks.review.findings.cases import broken, check_survives, found, told
from tests.stacks.review.steps import step

AWS = "pulumi:providers:aws"
KUBERNETES = "pulumi:providers:kubernetes"
REGION = {"region": "eu-west-1", "version": "7.51.1"}

SETTINGS: dict[str, tuple[str, Any, Any, str]] = {
    "same": (AWS, REGION, dict(REGION), ""),
    "new": (AWS, None, REGION, ""),
    "region": (
        AWS,
        REGION,
        {**REGION, "region": "eu-central-1"},
        """
DANGER provider-place-changed
everything of the provider main would be looked for elsewhere: its region changes
region: "eu-west-1" -> "eu-central-1"
""",
    ),
    "context": (
        KUBERNETES,
        {"context": "prod"},
        {"context": "test"},
        """
DANGER provider-place-changed
everything of the provider main would be looked for elsewhere: its context changes
context: "prod" -> "test"
""",
    ),
    "a kubeconfig that is not known yet": (
        KUBERNETES,
        {"kubeconfig": "apiVersion: v1"},
        {"kubeconfig": UNKNOWN},
        """
WARNING provider-place-changed
everything of the provider main would be looked for elsewhere: its kubeconfig changes
kubeconfig: "apiVersion: v1" -> "<known after the change>"
""",
    ),
    "plugin": (
        AWS,
        REGION,
        {**REGION, "pluginDownloadURL": "https://plugins.example"},
        """
WARNING provider-plugin-changed
the plugin of the provider main comes from elsewhere
pluginDownloadURL: null -> "https://plugins.example"
""",
    ),
    "tags, one of them only written differently": (
        AWS,
        {"defaultTags": '{"tags": {"team": "data"}}'},
        {"defaultTags": {"tags": {"team": "data"}}},
        "",
    ),
    "tags": (
        AWS,
        {"defaultTags": {"tags": {"team": "data"}}},
        {"defaultTags": {"tags": {"team": "ops"}}},
        """
NOTICE provider-tags-changed
everything of the provider main gets other tags
defaultTags: {"tags": {"team": "data"}} -> {"tags": {"team": "ops"}}
""",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_of_providers(case: str) -> None:
    type_, old, new, expected = SETTINGS[case]
    assert told(found(versions.STEP_CHECKS, step(type_, old, new, name="main"))) == expected.lstrip()


def in_preview(*steps: Step, before: str = "", after: str = "") -> str:
    preview = Preview(stack="prod", steps=steps, counts={}, engine_before=before, engine_after=after)
    return told(finding for check in versions.PREVIEW_CHECKS for finding in check(preview))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("7.51.1", "7.51.1", ""),
        ("7.51.1", "7.52.0", "NOTICE newer"),
        ("6.9.0", "7.0.0", "WARNING a new major version"),
        ("7.10.0", "7.9.0", "WARNING older"),
        ("7.51.1", UNKNOWN, ""),
        ("7.51.1", "latest", ""),
    ],
)
def test_versions_of_providers(before: Any, after: Any, expected: str) -> None:
    weight, _, kind = expected.partition(" ")
    sentence = f"the provider of aws becomes {kind}: {after} instead of {before}"
    lines = f'{weight} provider-version-changed\n{sentence}\nversion: "{before}" -> "{after}"\n' if expected else ""
    assert in_preview(step(AWS, {"version": before}, {"version": after})) == lines
    if isinstance(after, str) and after not in (before, "latest"):
        old, new = (f"default_{version.replace('.', '_')}" for version in (before, after))
        assert in_preview(step(AWS, {}, None, name=old), step(AWS, None, {}, name=new)) == lines


def test_versions_of_the_engine() -> None:
    assert not in_preview(before="", after="v3.272.0")
    assert not in_preview(before="v3.272.0", after="v3.272.0")
    assert in_preview(step(AWS, None, {}), before="v3.272.0", after="3.230.0") == (
        "WARNING engine-version-changed\n"
        "the stack would be changed by Pulumi 3.230.0, older than the 3.272.0 that has written its state\n"
        'version: "v3.272.0" -> "3.230.0"\n'
    )
    assert in_preview(before="v3.272.0", after="v3.273.0").startswith("NOTICE ")
    assert in_preview(before="v3.272.0", after="v4.0.0").startswith("WARNING ")


@pytest.mark.parametrize("case", ["region", "tags", "plugin"])
def test_shapes_that_nobody_expects(case: str) -> None:
    type_, old, new, _ = SETTINGS[case]
    check_survives(versions.STEP_CHECKS, type_, old, new)
    for odd in broken(new):
        in_preview(step(type_, old, odd), step(type_, odd, None, name="default_1_2_3"), step(type_, None, odd))
