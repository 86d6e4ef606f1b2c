import ipaddress

import pytest

from components.network_plan import CIDR, services, subnets


@pytest.mark.parametrize("cidr", [CIDR, "127.40.0.0/16", "10.0.0.0/27"])
def test_a_network_is_divided_in_halves(cidr: str) -> None:
    first, second = (ipaddress.IPv4Network(part) for part in subnets(cidr))

    assert list(ipaddress.collapse_addresses([first, second])) == [ipaddress.IPv4Network(cidr)]
    assert first.num_addresses == second.num_addresses >= 16


@pytest.mark.parametrize(
    ("secrets", "command", "more"),
    [
        ([], False, set()),
        (["arn:aws:secretsmanager:x"], False, {"secretsmanager"}),
        (["arn:aws:ssm:x", "arn:aws:ssm:y"], False, {"ssm"}),
        ([], True, {"ssmmessages"}),
    ],
)
def test_there_is_an_endpoint_for_each_service_that_is_called(
    secrets: list[str], command: bool, more: set[str]
) -> None:
    found = services(secrets=secrets, execute_command=command)

    assert set(found) == {"ecr.api", "ecr.dkr", "logs", *more}
    assert list(found) == sorted(found)
