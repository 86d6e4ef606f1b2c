"""What it can cost: sizes from arguments, prices from a table, and when that is told."""

from typing import Any

import pytest

from stacks.review.costs.prices import Prices, bundled, read
from stacks.review.errors import ReviewError
from stacks.review.finding import Weight
from stacks.review.findings.cost import PREVIEW_CHECKS
from stacks.review.preview import Preview, Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import STACK, step

TABLE = """
schema_version = 1
currency = "EUR"
date = 2026-01-02
about = "our own prices"
fargate = {cpu = 1, memory_gib = 0.1, storage_gib = 0.01}
fargate_arm64 = {cpu = 0.8, memory_gib = 0.08}
fargate_spot = {cpu = 0.3, memory_gib = 0.03}
node = {cpu = 2, memory_gib = 0.5, gpu = 10}
standing = {vpc_endpoint = 3, nat_gateway = 5}
"""
PRICES = read(TABLE, "table.toml")
JOBS, DASK = "penstock:index:KubernetesJobEnvironment", "penstock:index:DaskKubernetesEnvironment"
TASK, DASK_TASKS = "penstock:index:FargateTaskEnvironment", "penstock:index:DaskCloudProviderEnvironment"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
BY = "(our own prices, 2026-01-02)"


def found(*steps: Step, prices: Prices | None = PRICES) -> list[tuple[str, Weight, str, Any, Any]]:
    preview = Preview(stack=STACK, steps=steps, counts={}, prices=prices)
    return [
        (finding.rule.name, finding.weight, str(finding.what), finding.before, finding.after)
        for check in PREVIEW_CHECKS
        for finding in check(preview)
    ]


@pytest.mark.parametrize(
    ("kind", "arguments", "price", "of"),
    [
        (JOBS, {}, "1.50", "a run"),
        (JOBS, {"resources": {"cpu_millicores": 4000, "memory_mib": 8192, "gpu": 1}}, "22.00", "a run"),
        (JOBS, {"quota": {"cpu_millicores": 1000, "memory_mib": 2048}}, "3.00", "all runs of the quota"),
        (DASK, {}, "4.50", "a run"),
        (DASK, {"max_workers": "4"}, "7.50", "a run"),
        (DASK, {"min_workers": 3.0}, "6.00", "a run"),
        (DASK, {"max_workers": 4, "concurrent_runs": "2"}, "15.00", "2 runs at a time"),
        (DASK, {"max_workers": 4, "concurrent_runs": 1}, "7.50", "the one run at a time"),
        (TASK, {}, "0.60", "a run"),
        (TASK, {"resources": {"cpu_millicores": 300, "memory_mib": 600}}, "0.60", "a run"),
        (TASK, {"cpu_architecture": "ARM64"}, "0.48", "a run"),
        (TASK, {"launch_type": "EC2"}, "1.50", "a run"),
        (TASK, {"ephemeral_storage_gib": "120"}, "1.60", "a run"),
        (TASK, {"capacity_provider_strategy": [{"provider": "FARGATE_SPOT"}]}, "0.18", "a run"),
        (
            TASK,
            {"capacity_provider_strategy": [{"provider": "FARGATE_SPOT"}, {"provider": "FARGATE"}]},
            "0.60",
            "a run",
        ),
        (TASK, {"capacity_provider_strategy": [{"provider": "machines"}]}, "1.50", "a run"),
        (DASK_TASKS, {"max_workers": 4}, "3.00", "a run"),
        (DASK_TASKS, {"max_workers": 4, "fargate_spot": "true"}, "1.32", "a run"),
        (DASK_TASKS, {"max_workers": 4, "scheduler_task": True}, "3.60", "a run"),
        (DASK_TASKS, {"max_workers": 4, "fargate_workers": "false"}, "6.60", "a run"),
        (DASK_TASKS, {"max_workers": 4, "provider_class": "ECSCluster"}, "6.60", "a run"),
    ],
    ids=str,
)
def test_the_most_that_runs_of_an_environment_take(kind: str, arguments: dict[str, Any], price: str, of: str) -> None:
    assert found(step(kind, None, {"environment_name": "prod", **arguments})) == [
        (
            "cost-of-runs",
            Weight.NOTICE,
            f"{of} of prod can cost {price} EUR in an hour, by estimate",
            None,
            f"{price} EUR per hour for {of} {BY}",
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "weight", "words"),
    [
        (
            {"max_workers": 4},
            {"max_workers": 8},
            Weight.NOTICE,
            "a run of thing can cost more: 13.50 EUR in an hour, by estimate",
        ),
        (
            {"max_workers": 4},
            {"max_workers": 40},
            Weight.WARNING,
            "a run of thing can cost more: 61.50 EUR in an hour, by estimate",
        ),
        (
            {"max_workers": 8},
            {"max_workers": 4},
            Weight.NOTICE,
            "a run of thing can cost less: 7.50 EUR in an hour, by estimate",
        ),
        (
            {"max_workers": 1, "concurrent_runs": 1},
            {"max_workers": 1},
            Weight.WARNING,
            (
                "a run of thing can cost 3.00 EUR in an hour by estimate, "
                "and nothing says any more how many there are at a time"
            ),
        ),
        (
            {"max_workers": 1},
            {"max_workers": 1, "concurrent_runs": 2},
            Weight.NOTICE,
            "2 runs at a time of thing can cost 6.00 EUR in an hour, by estimate",
        ),
    ],
    ids=range(5),
)
def test_what_changes_is_told_with_both_prices(old: Any, new: Any, weight: Weight, words: str) -> None:
    [(rule, told, what, before, after)] = found(step(DASK, old, new))

    assert (rule, told, what) == ("cost-of-runs", weight, words)
    assert str(before).endswith(BY)
    assert str(after).endswith(BY)


@pytest.mark.parametrize(
    "told",
    [
        step(DASK, {"max_workers": 4}, {"max_workers": 4, "env": {"A": "b"}}),
        step("penstock:index:LocalEnvironment", None, {}),
        step(DASK, {"max_workers": 4}, None),
        step(DASK, None, {"max_workers": UNKNOWN}),
        step(DASK, None, {"max_workers": SECRET, "resources": UNKNOWN}),
        step(TASK, None, {"resources": {"cpu_millicores": 10**9}}),
        step(TASK, None, {"resources": {"cpu_millicores": "many"}}),
        step(TASK, None, {"resources": {"memory_mib": True}}),
        step(DASK, {"max_workers": []}, {"max_workers": {}}),
        step("aws:iam/role:Role", None, {}),
    ],
    ids=range(10),
)
def test_nothing_is_told_where_nothing_changes_or_nothing_is_known(told: Step) -> None:
    assert found(told) == []


def test_what_stands_costs_by_its_zones() -> None:
    one = {"vpcEndpointType": "Interface", "subnetIds": ["a", "b"]}

    assert found(
        step(ENDPOINT, None, one, name="logs"),
        step(ENDPOINT, None, {"vpcEndpointType": "Gateway"}, name="s3"),
        step("aws:ec2/natGateway:NatGateway", None, {}),
    ) == [
        (
            "cost-standing",
            Weight.WARNING,
            "1 NAT gateway, 2 interface endpoints cost 11.00 EUR an hour, whether anything runs or not, by estimate",
            None,
            f"11.00 EUR per hour for all of them that change {BY}",
        )
    ]
    assert found(step(ENDPOINT, one, None)) == [
        (
            "cost-standing",
            Weight.NOTICE,
            "2 interface endpoints save 6.00 EUR an hour, whether anything runs or not, by estimate",
            f"6.00 EUR per hour for all of them that change {BY}",
            None,
        )
    ]
    assert found(step(ENDPOINT, one, {**one, "tags": {"a": "b"}})) == []


def test_the_table_that_comes_along_has_every_price() -> None:
    prices = bundled()

    assert all(machine.cpu > 0 and machine.memory_gib > 0 for machine in prices.machines.values())
    assert all(price > 0 for price in prices.standing.values())
    assert (
        found(step(TASK, None, {}), prices=None)[0][2] == "a run of thing can cost 0.0247 USD in an hour, by estimate"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "table.toml is no TOML: "),
        ("a = 1", "schema_version of table.toml is missing, expected 1."),
        (TABLE.replace("= 2026-01-02", '= "today"'), "date of table.toml is today, expected a date as 2030-12-31."),
        (TABLE.replace('"EUR"', "3"), "currency of table.toml is 3, expected text."),
        (TABLE.replace("cpu = 2,", "cpu = -2,"), "node.cpu of table.toml is -2, expected a price of 0 or more."),
        (TABLE.replace("cpu = 2,", "cpu = nan,"), "node.cpu of table.toml is nan, expected a price of 0 or more."),
        (TABLE.replace("cpu = 2,", "cpus = 2,"), "node.cpus of table.toml is a key, expected one of cpu, memory_gib,"),
        (TABLE.replace("node =", "nodes ="), "nodes of table.toml is a key, expected one of "),
        (
            TABLE.replace("node = {cpu = 2, memory_gib = 0.5, gpu = 10}", ""),
            "node of table.toml is missing, expected a table",
        ),
    ],
    ids=range(9),
)
def test_a_table_that_is_wrong_is_refused_with_the_keys_path(text: str, message: str) -> None:
    with pytest.raises(ReviewError) as refused:
        read(text, "table.toml")

    assert str(refused.value).startswith(message)
    assert str(refused.value).endswith("Correct it, or leave --prices out.")
