from typing import Any

import pytest

from components.ecs_arguments import NetworkMode
from components.ecs_platform import NETWORKED, ONLY_ON, Platform, network_mode, platform, refuse_what_does_not_fit
from components.fargate_task import FargateTaskEnvironmentArgs
from runner.errors import ContractError
from runner.sections import LaunchType


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Platform.FARGATE),
        ({"launch_type": LaunchType.EC2}, Platform.EC2),
        ({"launch_type": "EXTERNAL"}, Platform.EXTERNAL),
        ({"capacity_provider_strategy": [{"provider": "FARGATE_SPOT"}, {"provider": "FARGATE"}]}, Platform.FARGATE),
        ({"capacity_provider_strategy": [{"provider": "gpus", "weight": 2}]}, Platform.EC2),
    ],
)
def test_what_runs_are_on(given: Any, expected: Platform) -> None:
    assert platform(**given) is expected


@pytest.mark.parametrize(
    ("on", "default"),
    [(Platform.FARGATE, "awsvpc"), (Platform.EC2, "awsvpc"), (Platform.EXTERNAL, "bridge")],
)
def test_how_containers_are_connected_unless_told_otherwise(on: Platform, default: str) -> None:
    assert network_mode(on) == default


def test_the_rules_are_about_arguments_that_there_are() -> None:
    assert {*ONLY_ON, *NETWORKED} <= set(FargateTaskEnvironmentArgs.__annotations__)


@pytest.mark.parametrize("key", ONLY_ON)
@pytest.mark.parametrize("on", Platform)
def test_each_argument_goes_with_its_platforms_only(on: Platform, key: str) -> None:
    if on in ONLY_ON[key]:
        refuse_what_does_not_fit(on, NetworkMode.AWSVPC, [key])
    else:
        with pytest.raises(ContractError) as refusal:
            refuse_what_does_not_fit(on, NetworkMode.AWSVPC, [key])
        assert refusal.value.path == key


@pytest.mark.parametrize("key", NETWORKED)
@pytest.mark.parametrize("mode", [NetworkMode.BRIDGE, NetworkMode.HOST, NetworkMode.NONE])
def test_only_tasks_with_network_interfaces_have_a_network(mode: NetworkMode, key: str) -> None:
    with pytest.raises(ContractError) as refusal:
        refuse_what_does_not_fit(Platform.EC2, mode, [key])
    assert refusal.value.path == key
