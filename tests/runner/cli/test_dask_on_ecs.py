"""The command on an environment whose runs start workers as tasks of ECS, with the rights that the stack gives."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner import contract
from runner.labels import ENVIRONMENT
from tests.runner.cli.conftest import Done, Penstock
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place

pytestmark = [pytest.mark.aws, pytest.mark.long]

NOBODY = "0123456789abcdef" * 2
"""Id of a task that ECS knows nothing of."""


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, (1, 3)) as made:
        yield made


@pytest.fixture
def submitter(place: DaskPlace, penstock: Penstock, store: Callable[..., Path]) -> Penstock:
    """The command of somebody who may start runs, with the document in the local store."""
    store(place.name).write_bytes(contract.to_bytes(place.environment))
    variables = place.aws.user(f"{place.name}-submitter", *place.submitter())

    def run(*words: str) -> Done:
        return penstock(*words, **variables)

    return run


def test_files_of_a_run_come_through_the_bucket_with_the_rights_of_the_stack(
    place: DaskPlace, submitter: Penstock
) -> None:
    done = submitter(
        *("run", "behaviours.py:keep_artifacts", "--env", place.name, "--executor", "inline", "--run-id", "one"),
        "--json",
    )

    assert done.code == 0, done.err
    files = {item["name"]: Path(item["path"]).read_text() for item in done.json["artifacts"]}
    assert files == {"charts/delays.svg": "<svg/>", "table.csv": "a,b\n"}
    assert "could not be put" not in done.err
    objects = place.aws.client("s3").list_objects_v2(Bucket=place.section.bucket, Prefix="artifacts/one/1/")
    assert objects["KeyCount"] == 2

    shown = submitter("logs", "one", "--workers")
    assert (shown.code, shown.out) == (64, "")
    assert shown.err.startswith("penstock: Nothing that workers of one printed is there.")
    assert not [call for call in place.aws.calls() if call["denied"] and place.name in call["principal"]]


def test_gc_tells_of_keys_that_no_run_has_any_more(place: DaskPlace, submitter: Penstock) -> None:
    name = f"{place.section.secrets_prefix}{NOBODY}"
    tags = [{"Key": ENVIRONMENT, "Value": place.name}]
    place.aws.client("secretsmanager").create_secret(Name=name, SecretString="{}", Tags=tags)

    planned = submitter("gc", "--env", place.name, "--dry-run")
    done = submitter("gc", "--env", place.name, "--json")

    assert planned.err == f"Of no run any more, and would be removed: {name}.\n0 runs would be removed, 0 kept.\n"
    assert done.json == {"dry_run": False, "removed": [], "leftovers": [name], "kept": 0}
    assert place.secrets() == []
    assert submitter("gc", "--env", place.name, "--json").json["leftovers"] == []


def test_gc_without_the_right_says_so_and_does_the_rest(
    place: DaskPlace, penstock: Penstock, submitter: Penstock
) -> None:
    policy = json.loads(
        json.dumps(place.submitter()[0]).replace("secretsmanager:ListSecrets", "secretsmanager:ListNothing")
    )

    done = penstock("gc", "--env", place.name, **place.aws.user(f"{place.name}-few-rights", policy))

    assert done.code == 0
    assert done.err.startswith(
        "penstock: Secrets with the keys of runs that have ended are not looked for. AWS does not allow "
        "secretsmanager:ListSecrets ("
    )
    assert done.err.endswith("0 runs removed, 0 kept.\n")


def test_doctor_says_how_many_workers_there_are_and_how_large(place: DaskPlace, submitter: Penstock) -> None:
    found = submitter("doctor", "--env", place.name, "--json").json["checks"]

    assert "dask-cloud-provider, executor dask with 1 to 3 workers of 250 millicores and 1024 MiB" in [
        check["found"] for check in found
    ]
    assert {check["what"] for check in found} >= {"account", "cluster", "log group", "document"}
