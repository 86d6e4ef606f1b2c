"""Files of runs on ECS: through the environment's bucket, or its log, to whoever looks at the run."""

import json
import os
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from runner.launch.ecs.content import Content
from runner.launch.ecs.files import kept
from runner.launch.pack import pack
from runner.outcome import Artifact, Outcome, State
from runner.request import RunRequest
from runner.trailer import Record
from tests.testbed.ecs_environment import Place
from tests.testbed.followed_run import Run, told
from tests.testbed.waiting import wait_until

pytestmark = pytest.mark.aws

MIB = 1024 * 1024


def keys(flows: Place) -> list[str]:
    """What is in the bucket of what runs left behind."""
    found = flows.aws.client("s3").list_objects_v2(Bucket=flows.name, Prefix="artifacts/").get("Contents", [])
    return sorted(item["Key"] for item in found)


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """From here on this is another machine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))


def test_a_file_that_is_too_large_for_a_log_is_kept_by_everyone_who_looks(
    flows: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = flows.start("keep_a_large_artifact", size=3 * MIB)
    outcome = run.follow()

    (item,) = outcome.artifacts
    data = Path(item.path).read_bytes()
    assert (item.name, len(data), sum(data)) == ("noise.bin", 3 * MIB, outcome.result)
    assert bytes(run.output) == b"first\nsecond\n"
    assert keys(flows) == ["artifacts/the-run/1/noise.bin"]
    flows.aws.calls(clear=True)
    assert flows.launcher().find("the-run").outcome.artifacts == outcome.artifacts
    assert Counter(call["action"] for call in flows.aws.calls())["GetObject"] == 0

    elsewhere(monkeypatch, tmp_path / "another")
    (again,) = flows.launcher().find("the-run").outcome.artifacts
    assert again.path != item.path
    assert Path(again.path).read_bytes() == data

    flows.aws.await_stopped(flows.section.cluster_arn)
    flows.aws.forget()
    elsewhere(monkeypatch, tmp_path / "a-third")
    (last,) = flows.launcher().find("the-run").outcome.artifacts
    assert Path(last.path).read_bytes() == data


def test_each_attempt_has_files_of_its_own(flows: Place) -> None:
    first = flows.start("keep_artifacts").follow()
    flows.launcher().retry("the-run")
    second = flows.launcher().follow("the-run", lambda _: None)

    assert keys(flows) == [
        f"artifacts/the-run/{attempt}/{name}" for attempt in (1, 2) for name in ("charts/delays.svg", "table.csv")
    ]
    assert {Path(item.path).read_text() for item in second.artifacts} == {"<svg/>", "a,b\n"}
    assert {item.path for item in first.artifacts}.isdisjoint(item.path for item in second.artifacts)


def test_a_role_without_the_right_is_told_and_small_files_are_in_the_log(flows: Place) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    flows.aws.client("iam").put_role_policy(
        RoleName=f"{flows.name}-task", PolicyName="run", PolicyDocument=json.dumps(policy)
    )
    run = flows.start("keep_artifacts")

    outcome = run.follow()

    assert (outcome.state, run.notices) == (State.SUCCEEDED, [])
    assert bytes(run.output).decode() == (
        f"penstock: 2 of the run's 2 files could not be put into the bucket {flows.name} (AWS does not allow "
        "s3:PutObject there; `pulumi up` gives the role of runs the right). Those that are small are in its log.\n"
    )
    assert {item.name: Path(item.path).read_text() for item in outcome.artifacts} == {
        "charts/delays.svg": "<svg/>",
        "table.csv": "a,b\n",
    }
    assert keys(flows) == []


def test_without_a_bucket_small_files_are_in_the_log(flows: Place, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        "import os, pathlib\n"
        "def main(): pathlib.Path(os.environ['PENSTOCK_ARTIFACTS'], 'table.csv').write_text('a,b')\n"
    )
    environment = replace(flows.environment, fargate_task=replace(flows.section, bucket=None))
    packed = pack(tmp_path, flow="flow.py:main")
    asked = RunRequest(run_id="the-run", accepted_at=time.time(), flow="flow.py:main", bundle=packed.bundle)
    flows.launcher(environment).submit(environment, asked, bundle=packed.data)
    printed: list[bytes] = []

    outcome = flows.launcher(environment).follow("the-run", printed.append)

    assert [(item.name, Path(item.path).read_text()) for item in outcome.artifacts] == [("table.csv", "a,b")]
    assert (printed, keys(flows)) == ([], [])


@pytest.mark.long
def test_a_run_that_is_killed_while_its_files_are_put_there_has_crashed_and_can_be_tried_again(
    flows: Place, tmp_path: Path
) -> None:
    (tmp_path / "flow.py").write_text(
        "import os, pathlib\n"
        "def main():\n"
        "    count = 300 if os.environ['PENSTOCK_ATTEMPT'] == '1' else 1\n"
        "    for number in range(count):\n"
        "        pathlib.Path(os.environ['PENSTOCK_ARTIFACTS'], f'{number:03}').write_text('x' * number)\n"
    )
    packed = pack(tmp_path, flow="flow.py:main")
    asked = RunRequest(run_id="the-run", accepted_at=time.time(), flow="flow.py:main", bundle=packed.bundle)
    launcher = flows.launcher()
    launcher.submit(flows.environment, asked, bundle=packed.data)
    run = Run(launcher, "the-run")
    run.start_following()
    wait_until(lambda: keys(flows) or None)
    (task,) = flows.tasks()
    (pid,) = flows.aws.processes(task["taskArn"].rpartition("/")[2]).values()

    os.killpg(os.getpgid(pid), signal.SIGKILL)

    outcome = run.end()
    assert (told(outcome), outcome.artifacts) == (("crash", 137), ())
    assert 1 <= len(keys(flows)) < 300
    assert launcher.retry("the-run") == 2
    again = launcher.follow("the-run", lambda _: None)
    assert [(item.name, Path(item.path).read_text()) for item in again.artifacts] == [("000", "")]


def test_a_file_that_is_gone_from_the_bucket_is_told_with_its_place(
    flows: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows.start("keep_artifacts").follow()
    for key in keys(flows):
        flows.aws.client("s3").delete_object(Bucket=flows.name, Key=key)
    elsewhere(monkeypatch, tmp_path / "another")
    told: list[str] = []

    outcome = flows.launcher().follow("the-run", lambda _: None, notice=told.append)

    assert [item.path for item in outcome.artifacts] == [
        f"s3://{flows.name}/artifacts/the-run/1/{name}" for name in ("charts/delays.svg", "table.csv")
    ]
    (sentence,) = told
    assert sentence.startswith("files of the-run cannot be had from its bucket, 'charts/delays.svg' for one. ")


def test_what_a_record_claims_leads_to_no_object_but_its_runs_own_and_is_not_believed(
    flows: Place, state_home: Path
) -> None:
    flows.aws.client("s3").put_object(Bucket=flows.name, Key="inputs/secret", Body=b"others'")
    flows.aws.client("s3").put_object(Bucket=flows.name, Key="artifacts/the-run/1/other", Body=b"something else")
    names = ("../../../inputs/secret", "other", "missing")
    outcome = Outcome(
        run_id="the-run",
        state=State.SUCCEEDED,
        artifacts=tuple(Artifact(name=name, path=f"s3://{flows.name}/inputs/secret") for name in names),
    )
    record = Record(outcome=outcome, artifacts={}, stored=dict.fromkeys(names, "0" * 64))
    launcher = flows.launcher()

    found = kept(outcome, record, launcher._content)

    assert found == outcome
    assert not list(state_home.rglob("secret"))
    assert not list((state_home / "penstock" / "artifacts").rglob("other"))


def test_empty_and_endless_objects(flows: Place) -> None:
    s3 = flows.aws.client("s3")
    s3.put_object(Bucket=flows.name, Key="artifacts/empty", Body=b"")
    s3.put_object(Bucket=flows.name, Key="artifacts/long", Body=bytes(1000))
    content: Content = flows.launcher()._content

    assert content.read("artifacts/empty", most=10) == b""
    assert content.read("artifacts/long", most=10) == bytes(10)
    assert content.read("artifacts/long") == bytes(1000)
