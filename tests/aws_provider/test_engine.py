"""A small program through the real CLI, from its first preview until nothing of it is left."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import PLUGIN_FOLDER, Attached, aws_engine, aws_stack_from_example, existing, with_aws
from tests.testbed.pulumi_engine import Engine, engine_at

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

PROGRAM = Path(__file__).parent / "program"
STACK = "dev"


@pytest.fixture
def bare(tmp_path: Path) -> Engine:
    """The program in a folder, without any AWS."""
    engine = engine_at(tmp_path)
    shutil.copytree(PROGRAM, engine.project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (engine.project / ".venv").symlink_to(sys.prefix)
    return engine


@contextmanager
def stack(engine: Engine) -> Iterator[Engine]:
    """A stack of the program; destroyed at the end, whatever happens."""
    engine.do("stack", "init", STACK)
    try:
        yield engine
    finally:
        engine.do("destroy", "--yes", "--skip-preview", "--remove")


def preview(engine: Engine) -> dict[str, int]:
    """What the next `pulumi up` would do, by verb, without what stays."""
    summary = json.loads(engine.do("preview", "--json"))["changeSummary"]
    return {verb: count for verb, count in summary.items() if verb != "same"}


def up(engine: Engine) -> None:
    engine.do("up", "--yes", "--skip-preview")


def refresh(engine: Engine) -> None:
    engine.do("refresh", "--yes", "--skip-preview")


def output(engine: Engine, name: str) -> str:
    return engine.do("stack", "output", name).strip()


@pytest.mark.long
def test_the_life_of_a_stack(bare: Engine, provider: Attached, aws_server: Aws) -> None:
    before = existing(aws_server)
    with stack(with_aws(bare, provider)) as engine:
        assert preview(engine) == {"create": 9}
        assert existing(aws_server) == before

        up(engine)
        assert preview(engine) == {}
        refresh(engine)
        assert preview(engine) == {}
        assert "hunter2" not in engine.do("stack", "export")
        first, bucket = output(engine, "task"), output(engine, "bucket")
        assert first.endswith("task-definition/probe:1")
        assert output(engine, "account") == "123456789012"
        assert {"logs group /probe", "ecs task definition probe:1", f"s3 bucket {bucket}"} < existing(
            aws_server
        ) - before

        engine.do("config", "set", "reordered", "true")
        assert preview(engine) == {}

        engine.do("config", "set", "days", "14")
        assert preview(engine) == {"update": 1}
        engine.do("config", "set", "image", "python:3.13")
        assert preview(engine) == {"update": 1, "replace": 1}
        up(engine)
        assert output(engine, "task").endswith("task-definition/probe:2")
        assert "ecs task definition probe:1" not in existing(aws_server)

        logs = aws_server.client("logs")
        logs.put_retention_policy(logGroupName="/probe", retentionInDays=30)
        aws_server.client("ecs").deregister_task_definition(taskDefinition=output(engine, "task"))
        refresh(engine)
        assert preview(engine) == {"update": 1, "create": 1}
        up(engine)
        assert logs.describe_log_groups(logGroupNamePrefix="/probe")["logGroups"][0]["retentionInDays"] == 14

        engine.do("config", "set", "memory", "8192")
        refused = engine.run("preview")
        assert refused.code != 0
        assert "memory: with 256 CPU units Fargate has 512, 1,024, 2,048 MiB, got '8192'" in refused.out
        aws_server.client("s3").put_object(Bucket=bucket, Key="left", Body=b"behind")
    assert existing(aws_server) == before


def test_the_cli_finds_the_plugin_on_path(bare: Engine, aws_server: Aws) -> None:
    path = os.pathsep.join([str(PLUGIN_FOLDER), bare.env["PATH"]])
    with stack(replace(bare, env={**bare.env, **aws_server.env, "PATH": path})) as engine:
        finished = engine.run("preview")
    assert finished.code == 0, finished.out + finished.err
    assert "+ 9 to create" in finished.out
    warnings = [line for line in (finished.out + finished.err).splitlines() if "warning:" in line]
    assert all("using pulumi-resource-aws from $PATH" in line for line in warnings), warnings


@pytest.mark.long
def test_a_stack_of_an_example_is_gone_also_when_the_test_fails(tmp_path: Path, provider: Attached) -> None:
    engine = aws_engine(tmp_path, provider)

    def failing() -> None:
        with aws_stack_from_example(engine, example="Pulumi.local.yaml") as made:
            made.up()
            environment, _ = made.environment()
            assert environment.name == f"flights-{made.name}"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert engine.stacks == []
