"""What is said when AWS does not answer what a component asks."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime import invoke_async

from components import lookups
from components.given import ArgumentError
from tests.components.fargate import deployed
from tests.testbed.pulumi_mocks import REGION, Deploy, unknown

LOGIN = "See that this shell is logged in to the account (`aws sts get-caller-identity`), and may make this call."
NOT_FOUND = "invoking aws:ec2/getVpc:getVpc: 1 error occurred:\n\t* no matching EC2 VPC found\n\n"


def refusing(monkeypatch: pytest.MonkeyPatch, said: str, *, function: str) -> None:
    """Have one function refused in the words of Pulumi's engine; others are answered."""

    async def invoke(token: str, *arguments: Any) -> Any:
        if token != function:
            return await invoke_async(token, *arguments)
        # Nothing more special is what Pulumi raises.
        raise Exception(f"invoke of {token} failed: invocation of {token} returned an error: {said}")

    monkeypatch.setattr("components.lookups.invoke_async", invoke)


def test_the_answer_has_the_names_of_the_schema(deploy: Deploy) -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        pulumi.export("region", lookups.lookup("index/getRegion", parent)["region"])
        pulumi.export("later", lookups.lookup("ec2/getVpc", parent, id=unknown())["cidrBlock"])

    exports = deploy(program, preview=True).exports

    assert (exports["region"].value, exports["region"].known) == (REGION, True)
    assert exports["later"].known is False


def test_a_network_that_is_not_there_is_the_mistake_of_its_argument(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, NOT_FOUND, function="aws:ec2/getVpc:getVpc")

    with pytest.raises(ArgumentError) as raised:
        deployed(deploy, vpc_id="vpc-0", subnet_ids=["subnet-0"])

    assert str(raised.value) == (
        "FargateTaskEnvironment 'flights': vpc_id is none that AWS knows (no matching EC2 VPC found), expected the "
        "id of a VPC in the account and region. Correct that argument."
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("unable to validate AWS credentials.\nDetails: none.", "unable to validate AWS credentials. Details: none"),
        ("x" * 500, f"{'x' * 400}..."),
    ],
)
def test_a_shell_that_is_not_logged_in_is_told_so(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, said: str, shown: str
) -> None:
    refusing(monkeypatch, said, function="aws:index/getCallerIdentity:getCallerIdentity")

    with pytest.raises(pulumi.RunError) as raised:
        deployed(deploy)

    assert str(raised.value) == f"AWS does not answer getCallerIdentity ({shown}). {LOGIN}"
