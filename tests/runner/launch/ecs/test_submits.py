"""How runs get to ECS: with one call, once, and what is told when that cannot be."""

import json
import os
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import contract
from runner.errors import PenstockError, UsageError
from runner.launch.base import Reach
from runner.launch.ecs import names
from runner.launch.ecs.documents import document
from runner.launch.pack import pack
from runner.outcome import State
from runner.request import RunRequest, Size
from tests.testbed.aws.faults import Kind
from tests.testbed.ecs_environment import Place

pytestmark = pytest.mark.aws


def called(flows: Place) -> dict[str, int]:
    """How often each operation was called since the last time."""
    return dict(Counter(call["action"] for call in flows.aws.calls(clear=True)))


def noise(folder: Path, size: int) -> tuple[str, bytes, RunRequest]:
    """A flow whose code is as large as that."""
    (folder / "flow.py").write_text(
        "import pathlib\n\ndef main(): return len(pathlib.Path('noise.bin').read_bytes())\n"
    )
    (folder / "noise.bin").write_bytes(os.urandom(size))
    packed = pack(folder, flow="flow.py:main")
    asked = RunRequest(run_id="the-run", accepted_at=time.time(), flow="flow.py:main", bundle=packed.bundle)
    return "flow.py:main", packed.data, asked


def test_a_submit_is_one_call(flows: Place, tmp_path: Path) -> None:
    _, data, asked = noise(tmp_path, 10)
    launcher = flows.launcher()
    flows.aws.calls(clear=True)

    launcher.submit(flows.environment, asked, bundle=data)

    assert called(flows) == {"RunTask": 1}
    assert launcher.follow("the-run", lambda _: None).exit_code == 0


def test_code_that_is_too_large_is_sent_once(flows: Place, tmp_path: Path) -> None:
    _, data, asked = noise(tmp_path, 50_000)
    launcher = flows.launcher()
    flows.aws.calls(clear=True)

    launcher.submit(flows.environment, asked, bundle=data)
    first = called(flows)
    outcome = launcher.follow("the-run", lambda _: None)
    flows.aws.calls(clear=True)
    again = replace(asked, run_id="another-run", accepted_at=time.time())
    flows.launcher().submit(flows.environment, again, bundle=data)
    second = called(flows)

    assert outcome.result == 50_000
    assert first == {"PutObject": 1, "RunTask": 1}
    assert second == {"RunTask": 1}
    assert flows.launcher().follow("another-run", lambda _: None).result == 50_000


def test_code_that_somebody_removed_is_told_and_sent_again(flows: Place, tmp_path: Path) -> None:
    _, data, asked = noise(tmp_path, 50_000)
    flows.launcher().submit(flows.environment, asked, bundle=data)
    flows.launcher().follow("the-run", lambda _: None)
    assert asked.bundle is not None
    flows.aws.client("s3").delete_object(Bucket=flows.name, Key=f"bundles/{asked.bundle.sha256}.zip")

    lost = replace(asked, run_id="lost", accepted_at=time.time())
    flows.launcher().submit(flows.environment, lost, bundle=data)
    outcome = flows.launcher().follow("lost", lambda _: None)
    again = replace(asked, run_id="again", accepted_at=time.time())
    flows.launcher().submit(flows.environment, again, bundle=data)

    assert outcome.failure is not None
    assert outcome.exit_code == 69
    assert f"The bucket {flows.name} has no bundles/{asked.bundle.sha256}.zip" in outcome.failure.message
    assert flows.launcher().follow("again", lambda _: None).result == 50_000


@pytest.mark.parametrize(("size", "objects"), [(100, 0), (5_000, 1), (60_000, 2)])
def test_what_does_not_fit_into_the_call_goes_through_the_bucket(flows: Place, size: int, objects: int) -> None:
    asked, data = flows.asked("give_back", words="$(x) " + "ä" * size)
    metadata = {"notes": "n" * (0 if size < 6_000 else 4_000)}
    environment = replace(flows.environment, metadata=metadata)

    flows.launcher(environment).submit(environment, asked, bundle=data)
    outcome = flows.launcher(environment).follow("the-run", lambda _: None)

    (task,) = flows.tasks()
    assert outcome.result == "$(x) " + "ä" * size
    assert len(json.dumps(task["overrides"])) <= 8192
    found = flows.aws.client("s3").list_objects_v2(Bucket=flows.name, Prefix="inputs/").get("Contents", [])
    assert len(found) >= objects - 1
    # Also from another machine, which has noted nothing.
    assert flows.launcher(environment).retry("the-run") == 2
    assert flows.launcher(environment).follow("the-run", lambda _: None).result == outcome.result


def test_without_a_bucket_what_does_not_fit_is_refused(flows: Place) -> None:
    environment = replace(flows.environment, fargate_task=replace(flows.section, bucket=None))
    asked, data = flows.asked("give_back", words="x" * 9_000)

    with pytest.raises(UsageError, match=r"has no bucket\. Put the code into the image, or give the stack a bucket"):
        flows.launcher(environment).submit(environment, asked, bundle=data)
    assert flows.tasks() == []


def test_the_task_has_what_it_is_found_by(flows: Place) -> None:
    flows.start("succeed").follow()

    (task,) = flows.tasks()
    tags = {item["key"]: item["value"] for item in task["tags"]}
    assert task["startedBy"] == "the-run"
    assert tags["penstock.dev/run-id"] == "the-run"
    assert tags["penstock.dev/attempt"] == "1"
    assert tags["penstock.dev/environment"] == flows.name
    assert task["launchType"] == "FARGATE"
    assert len(names.client_token(flows.name, "r" * 40, 1000)) <= 64


def test_an_answer_that_is_lost_does_not_start_a_second_task(flows: Place) -> None:
    flows.aws.inject(Kind.DROP, action="RunTask")

    outcome = flows.start("succeed").follow()

    assert outcome.state is State.SUCCEEDED
    assert len(flows.tasks()) == 1


@pytest.mark.long
@pytest.mark.parametrize("kind", [Kind.THROTTLE, Kind.UNAVAILABLE])
@pytest.mark.parametrize("action", ["RunTask", "DescribeTasks", "GetLogEvents"])
def test_what_passes_is_not_told(flows: Place, kind: Kind, action: str) -> None:
    flows.aws.inject(kind, action=action, times=3)
    run = flows.start("print_much", lines=200)

    outcome = run.follow()

    assert (outcome.state, outcome.log.lines, run.notices) == (State.SUCCEEDED, 400, [])


def test_a_size_of_the_runs_own(flows: Place) -> None:
    asked, data = flows.asked("succeed")
    flows.launcher().submit(flows.environment, replace(asked, size=Size(memory_mib=3000)), bundle=data)
    flows.launcher().follow("the-run", lambda _: None)

    (task,) = flows.tasks()
    assert (task["cpu"], task["memory"]) == ("512", "3072")


def test_a_size_that_fargate_has_not(flows: Place) -> None:
    asked, data = flows.asked("succeed")

    with pytest.raises(UsageError, match=r"--memory is 999,999, expected at most the 249,856 of Fargate"):
        flows.launcher().submit(flows.environment, replace(asked, size=Size(memory_mib=999_999)), bundle=data)


def test_an_image_of_the_runs_own_is_refused(flows: Place) -> None:
    asked, data = flows.asked("succeed")

    with pytest.raises(UsageError, match="an ECS task has the image of its task definition"):
        flows.launcher().submit(flows.environment, replace(asked, image="other:1"), bundle=data)


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    (
        "cluster",
        {"cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/nowhere"},
        "There is no cluster arn:aws:ecs:eu-west-1:123456789012:cluster/nowhere for these credentials in eu-west-1.",
    ),
    (
        "definition",
        {"task_definition_arn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/none:1"},
        "is not in use any more: the stack has been changed since. Get the new document: penstock env pull --ssm",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), [item[1:] for item in MISTAKES], ids=[item[0] for item in MISTAKES])
def test_an_environment_that_is_not_there_any_more(
    flows: Place, change: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    environment = replace(flows.environment, fargate_task=replace(flows.section, **change))
    _, data, asked = noise(tmp_path, 10)

    with pytest.raises(PenstockError) as refused:
        flows.launcher(environment).submit(environment, asked, bundle=data)

    assert sentence in str(refused.value)
    assert flows.tasks() == []


def test_the_wrong_region_is_one_sentence(flows: Place) -> None:
    with pytest.raises(UsageError) as refused:
        document(Reach(region="us-east-2"), flows.name)

    assert str(refused.value) == (
        f"There is no parameter /penstock/{flows.name}/environment in us-east-2. "
        "Check --region and --profile, or provision the environment with `pulumi up`."
    )


def test_a_definition_that_was_replaced(flows: Place) -> None:
    asked, data = flows.asked("succeed")
    flows.aws.client("ecs").deregister_task_definition(taskDefinition=flows.section.task_definition_arn)

    with pytest.raises(PenstockError, match="is not in use any more: the stack has been changed since"):
        flows.launcher().submit(flows.environment, asked, bundle=data)


def test_expired_credentials_are_one_sentence(flows: Place, tmp_path: Path) -> None:
    flows.aws.inject(Kind.EXPIRED)
    _, data, asked = noise(tmp_path, 10)

    with pytest.raises(PenstockError, match=r"does not accept the credentials for ecs:RunTask \(ExpiredTokenException"):
        flows.launcher().submit(flows.environment, asked, bundle=data)


def test_a_wrong_secret_key_is_one_sentence(flows: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    _, data, asked = noise(tmp_path, 10)

    with pytest.raises(PenstockError, match="does not accept the credentials for ecs:RunTask"):
        flows.launcher().submit(flows.environment, asked, bundle=data)


def test_a_missing_permission_is_one_sentence(flows: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in flows.aws.user("nobody").items():
        monkeypatch.setenv(name, value)
    _, data, asked = noise(tmp_path, 10)

    with pytest.raises(PenstockError) as refused:
        flows.launcher().submit(flows.environment, asked, bundle=data)

    assert str(refused.value).startswith("AWS does not allow ecs:RunTask (User: arn:aws:iam::123456789012:user/nobody")
    assert "submitter policy" in str(refused.value)


@pytest.mark.long
def test_many_submits_through_one_launcher_keep_to_the_rate(flows: Place) -> None:
    launcher = flows.launcher()
    environment = flows.environment
    started: list[bool] = []

    def submit(first: int) -> None:
        for number in range(first, 50, 6):
            asked, data = flows.asked("succeed", run_id=f"run-{number}")
            started.append(launcher.submit(environment, asked, bundle=data))

    began = time.monotonic()
    threads = [threading.Thread(target=submit, args=[first]) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert started == [True] * 50
    assert time.monotonic() - began >= (50 - 20) / 20 - 0.1
    assert len(flows.tasks()) == 50


def test_the_document_that_a_run_is_given_is_the_launchers_own(flows: Place) -> None:
    run = flows.start("show_environment")

    outcome = run.follow()

    (task,) = flows.tasks()
    (container,) = task["overrides"]["containerOverrides"]
    variables = {item["name"]: item["value"] for item in container["environment"]}
    assert variables["PENSTOCK_INPUT_ENVIRONMENT"].encode() == contract.to_bytes(flows.environment)
    assert isinstance(outcome.result, dict)
    assert not any(name.startswith("PENSTOCK_INPUT") for name in outcome.result)
