"""The containers of a run's task: what is filled in, what is refused, and that order means nothing."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from components.ecs_containers import definitions, secret_references
from components.written_containers import image, read
from runner.errors import ContractError
from tests.components.ecs import IMAGE, PARAMETER, SECRET

PLACE: dict[str, Any] = {"log_group": "/penstock/flights", "region": "eu-west-1"}
USERS: list[dict[str, Any]] = [
    {
        "name": "proxy",
        "image": "registry.example/proxy:1",
        "essential": False,
        "dependsOn": None,
        "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}},
        "portMappings": [{"containerPort": 9000}, {"containerPort": 8000}],
    },
    {
        "name": "flow",
        "entryPoint": ["nice", "python3", "-P", "-m", "runner"],
        "environment": [{"name": "MODE", "value": "slow"}, {"name": "A", "value": "1"}],
        "dependsOn": [{"containerName": "proxy", "condition": "START"}],
        "ulimits": [],
    },
]
EVERYTHING: dict[str, Any] = {
    "image": IMAGE,
    "env": {"MODE": "fast", "B": "ü"},
    "secrets": [{"env": "TOKEN", "arn": SECRET, "key": "token"}, {"env": "OTHER", "arn": PARAMETER}],
    "volumes": [{"name": "lake", "efs": {"file_system_id": "fs-1"}}, {"name": "scratch"}],
    "mount_points": [{"volume": "lake", "path": "/lake", "read_only": True}, {"volume": "scratch", "path": "/tmp"}],
    "timeouts": {"grace_seconds": 60.5},
    "resources": {"gpu": 2},
}


def containers(**options: Any) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in json.loads(definitions(**{**PLACE, "image": IMAGE, **options}))}


def refused(**options: Any) -> ContractError:
    with pytest.raises(ContractError) as refusal:
        containers(**options)
    return refusal.value


def refused_to_read(written: Any) -> ContractError:
    with pytest.raises(ContractError) as refusal:
        read(written, folder=Path())
    return refusal.value


@pytest.mark.parametrize(("file", "options"), [("containers.json", {}), ("containers-users.json", EVERYTHING)])
def test_the_containers(golden: Any, file: str, options: dict[str, Any]) -> None:
    written = definitions(**{**PLACE, "image": IMAGE, "written": USERS if options else (), **options})

    golden(file, json.dumps(json.loads(written), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n")


def test_a_flow_is_a_user_without_rights_on_a_root_that_it_cannot_write() -> None:
    flow = containers()["flow"]

    assert flow["user"] == "65532:65532"
    assert flow["readonlyRootFilesystem"] is True
    assert flow["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert flow["mountPoints"] == [{"sourceVolume": "tmp", "containerPath": "/tmp"}]
    assert "privileged" not in flow
    assert flow["entryPoint"] == ["python3", "-P", "-m", "runner"]


@pytest.mark.parametrize(("grace", "stop"), [(None, 35), (0.5, 6), (60, 65), (115, 120)])
def test_ecs_kills_when_the_grace_is_over_and_the_outcome_recorded(grace: float | None, stop: int) -> None:
    flow = containers(timeouts={} if grace is None else {"grace_seconds": grace})["flow"]

    assert flow["stopTimeout"] == stop


def test_no_order_of_anything_makes_another_definition() -> None:
    turned = copy.deepcopy(USERS[::-1])
    for container in turned:
        for key, value in container.items():
            container[key] = value[::-1] if isinstance(value, list) and key != "entryPoint" else value
    other = {
        **EVERYTHING,
        "env": dict(reversed(EVERYTHING["env"].items())),
        **{key: EVERYTHING[key][::-1] for key in ("secrets", "volumes", "mount_points")},
    }

    one = definitions(**PLACE, written=USERS, **EVERYTHING)
    assert definitions(**PLACE, written=[dict(reversed(item.items())) for item in turned], **other) == one


def test_nothing_that_is_null_or_empty_is_written() -> None:
    proxy, flow = (containers(written=USERS)[name] for name in ("proxy", "flow"))

    assert "dependsOn" not in proxy
    assert "ulimits" not in flow
    assert "environment" not in containers()["flow"]


def test_what_the_user_gave_is_not_changed() -> None:
    before = copy.deepcopy(USERS)

    containers(written=USERS, **EVERYTHING)

    assert before == USERS


def test_variables_are_merged_by_name_and_the_arguments_win() -> None:
    assert containers(written=USERS, env={"MODE": "fast"})["flow"]["environment"] == [
        {"name": "A", "value": "1"},
        {"name": "MODE", "value": "fast"},
    ]


def test_containers_beside_the_flow_get_a_log_and_no_variable() -> None:
    proxy = containers(written=USERS, env={"MODE": "fast"})["proxy"]

    assert "environment" not in proxy
    assert proxy["logConfiguration"]["options"]["awslogs-stream-prefix"] == "run"
    assert proxy["linuxParameters"] == {"capabilities": {"add": ["SYS_PTRACE"]}}


def test_a_secret_is_named_as_ecs_names_it() -> None:
    secrets = containers(secrets=EVERYTHING["secrets"])["flow"]["secrets"]

    assert secrets == [{"name": "OTHER", "valueFrom": PARAMETER}, {"name": "TOKEN", "valueFrom": f"{SECRET}:token::"}]
    assert secret_references(secrets=EVERYTHING["secrets"]) == [
        {"env": "TOKEN", "source": "aws-secret", "id": SECRET, "key": "token"},
        {"env": "OTHER", "source": "aws-secret", "id": PARAMETER},
    ]


@pytest.mark.parametrize(
    ("secret", "path"),
    [
        ({"env": "X", "arn": PARAMETER, "key": "a"}, "secrets[0].key"),
        ({"env": "X", "arn": "arn:aws:s3:::bucket"}, "secrets[0].arn"),
        ({"env": "X", "arn": "api"}, "secrets[0].arn"),
    ],
)
def test_a_secret_of_elsewhere_is_refused(secret: Any, path: str) -> None:
    with pytest.raises(ContractError) as refusal:
        secret_references(secrets=[secret])
    assert refusal.value.path == path


def test_arguments_that_contradict_the_users_container_are_refused() -> None:
    assert refused(written=USERS, command=["python3"]).path == "command"
    assert refused(written=[{"name": "flow", "image": "other"}]).path == "image"
    twice = {"name": "flow", "secrets": [{"name": "MODE", "valueFrom": SECRET}]}
    assert refused(written=[twice], env={"MODE": "x"}).path in {"env", "secrets"}
    there = {"name": "flow", "mountPoints": [{"sourceVolume": "x", "containerPath": "/lake"}]}
    volumes = {key: EVERYTHING[key] for key in ("volumes", "mount_points")}
    assert refused(written=[there], **volumes).path == "mount_points"


def test_the_image_may_be_the_containers() -> None:
    assert image(written=[{"name": "flow", "image": "own"}]) == "own"
    assert image(image="own", written=[{"name": "flow", "image": "own"}]) == "own"
    assert image(image="own", written=[{"name": "proxy", "image": "other"}]) == "own"
    with pytest.raises(ContractError, match="which container_definitions names, or only one of both"):
        image(image="other", written=[{"name": "flow", "image": "own"}])


def test_containers_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text("- {name: flow, cpu: 10}\n- {name: proxy, image: proxy}\n")
    (tmp_path / "flow.json").write_text(json.dumps(USERS))

    assert read("flow.yaml", folder=tmp_path) == [{"name": "flow", "cpu": 10}, {"name": "proxy", "image": "proxy"}]
    assert read("flow.json", folder=tmp_path) == USERS
    assert read(None, folder=tmp_path) == []


@pytest.mark.parametrize(
    ("written", "path", "expected"),
    [
        ({"name": "flow"}, "container_definitions", "a list of containers"),
        (["flow"], "container_definitions[0]", "a mapping"),
        ([{"image": "x"}], "container_definitions[0].name", "text; flow is the flow's"),
        ([{"name": "flow", "enviroment": []}], "container_definitions[0].enviroment", "environment, the nearest"),
        ([{"name": "flow", "command": ["x"]}], "container_definitions[0].command", "none"),
        ([{"name": "flow", "stopTimeout": 3}], "container_definitions[0].stopTimeout", "timeouts.grace_seconds"),
        ([{"name": "flow", "essential": False}], "container_definitions[0].essential", "none"),
        ([{"name": "proxy"}], "container_definitions[0].image", "the image of that container"),
        ([{"name": "flow"}, {"name": "flow"}], "container_definitions[1].name", "no other container"),
        (
            [{"name": "flow", "environment": [{"name": "PENSTOCK_X", "value": ""}]}],
            "container_definitions[0].environment[0].name",
            "another name",
        ),
        ("missing.yaml", "container_definitions", "the path of a file with a list of containers"),
    ],
)
def test_containers_that_are_none_are_refused(written: Any, path: str, expected: str) -> None:
    refusal = refused_to_read(written)

    assert refusal.path == path
    assert expected in refusal.expected
