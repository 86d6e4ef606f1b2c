from typing import Any

from components.egress_rules import rules

NETWORK: dict[str, Any] = {"vpc_cidr": "127.40.0.0/24", "s3_prefix_list": "pl-s3"}


def test_by_default_runs_reach_https_in_their_network_and_s3() -> None:
    assert rules(**NETWORK) == {
        "endpoints": {
            "ip_protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "cidr_ipv4": "127.40.0.0/24",
            "description": "endpoints of AWS in this network",
        },
        "s3": {
            "ip_protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "prefix_list_id": "pl-s3",
            "description": "S3: code, and layers of images",
        },
    }


def test_file_systems_are_reached_where_there_are_some() -> None:
    assert rules(**NETWORK, files=True)["files"]["from_port"] == 2049


def test_each_port_is_a_rule_of_its_own() -> None:
    found = rules(**NETWORK, egress=[{"cidr": "10.0.0.0/8", "ports": [5432, 443]}, {"security_group_id": "sg-1"}])

    assert found["10.0.0.0-8-5432"]["cidr_ipv4"] == "10.0.0.0/8"
    assert found["10.0.0.0-8-443"]["to_port"] == 443
    assert found["sg-1-all"] == {
        "ip_protocol": "-1",
        "referenced_security_group_id": "sg-1",
        "description": "egress of the stack",
    }


def test_addresses_may_be_of_ipv6_and_lists() -> None:
    found = rules(**NETWORK, egress=[{"cidr": "fd00::/8", "ports": [443]}, {"prefix_list_id": "pl-1"}])

    assert found["fd00---8-443"]["cidr_ipv6"] == "fd00::/8"
    assert found["pl-1-all"]["prefix_list_id"] == "pl-1"


def test_everything_is_two_rules_and_no_more() -> None:
    assert set(rules(**NETWORK, egress_anywhere=True)) == {"anywhere-4", "anywhere-6"}
