"""The policy pack under the real Pulumi CLI, on an example stack."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.review.findings import RULES
from tests.policies.environment import PACK, policies_python
from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import attached_provider, aws_engine, aws_stack_from_example
from tests.testbed.pulumi_engine import Finished
from tests.testbed.pulumi_kubernetes import Stack

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.timeout(120)]

EXAMPLE = {"image": "penstock.local/flights:test", "network_cidr": "127.40.0.0/24"}


@pytest.fixture
def stack(aws_server: Aws, tmp_path: Path) -> Iterator[Stack]:
    """The example, not provisioned."""
    policies_python()
    with attached_provider(aws_server) as provider:
        engine = aws_engine(tmp_path, provider)
        with aws_stack_from_example(engine, environment_name="flights", **EXAMPLE) as stack:
            yield stack


def preview(stack: Stack, *arguments: str) -> Finished:
    return stack.engine.run("preview", "--stack", stack.name, "--policy-pack", str(PACK), *arguments)


def allow_everything(stack: Stack) -> None:
    for part in ("actions", "resources"):
        stack.set(f"task_role_statements[0].{part}[0]", "*")


def test_the_example_passes_and_an_edit_that_allows_everything_does_not(stack: Stack) -> None:
    passed = preview(stack)
    assert (passed.code, passed.errors) == (0, []), passed.out
    assert f"    ✅ penstock@v0.1.0 (local: {PACK})\n" in passed.out

    allow_everything(stack)
    refused = preview(stack)
    assert refused.code != 0
    assert refused.errors == ["preview failed"]
    rules = {rule.name: rule for rule in RULES}
    assert f"    ❌ penstock@v0.1.0 (local: {PACK})\n" in refused.out
    found = re.findall(r"- \[mandatory\] +(\S+) +\(aws:iam:RolePolicy: (\S+)\)\n +(.*)\n +(.*)\n", refused.out)
    assert [(name, resource) for name, resource, _, _ in found] == [("iam-wildcard-action", f"{stack.name}-own")]
    rule = rules[found[0][0]]
    assert found[0][2] == rule.tells
    assert found[0][3].startswith(f"Runs of {stack.name} may ")
    assert found[0][3].endswith(f". {rule.why} It may come from task_role_statements in the stack's file.")


def test_pulumis_own_settings_of_a_pack_change_its_levels(stack: Stack, tmp_path: Path) -> None:
    allow_everything(stack)
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"iam-wildcard-action": "advisory"}))
    advised = preview(stack, "--policy-pack-config", str(settings))
    assert (advised.code, advised.errors) == (0, []), advised.out
    assert re.search(r"- \[advisory\] +iam-wildcard-action ", advised.out)
