"""Runs on a real cluster: from submit to the end, found again, stopped, retried, cleaned up."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.environment import Retention, SecretReference, SecretSource, Timeouts
from runner.errors import UnavailableError, UsageError
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.kubernetes.watch import Watch
from runner.launch.kubernetes.job import LARGEST_INLINE_BUNDLE
from runner.outcome import Outcome, State
from tests.testbed.kubernetes_cluster import await_gone, environment, jobs, pods, submit
from tests.testbed.runner_process import BEHAVIOURS

pytestmark = pytest.mark.cluster


def _facts(outcome: Outcome) -> Outcome:
    """The outcome without what only a follower has seen."""
    return replace(outcome, ledger={}, kind=None)


def test_a_result_that_no_termination_message_can_hold(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "large")

    outcome = run.follow()

    assert (outcome.partial, [item.name for item in outcome.artifacts]) == (False, ["result.json"])
    with open(outcome.artifacts[0].path, "rb") as file:  # noqa: PTH123
        assert len(file.read()) == 300_002


def test_submitting_is_one_call_when_the_code_is_known_and_two_when_it_is_new(
    client: Client, namespace: str, large_folder: Path
) -> None:
    calls: list[str] = []

    class Counting(Client):
        def raw(self, method: str, path: str, **options: Any) -> bytes:
            calls.append(f"{method} {path.rpartition('/')[2]}")
            return super().raw(method, path, **options)

    with Counting(client.access) as counting:
        submit(counting, environment(namespace), "succeed", folder=large_folder)
        submit(counting, environment(namespace), "succeed", folder=large_folder)
        submit(counting, environment(namespace), "succeed")

    assert calls == ["POST configmaps", "POST jobs", "POST jobs", "POST jobs"]
    assert len(jobs(client, namespace)) == 3


@pytest.fixture
def large_folder(tmp_path: Path) -> Path:
    """A folder with a flow whose code is too large to travel in the Job itself."""
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "behaviours.py").write_bytes(BEHAVIOURS.read_bytes())
    (folder / "table.bin").write_bytes(os.urandom(LARGEST_INLINE_BUNDLE))
    return folder


def test_parameters_and_code_arrive_as_they_are(client: Client, namespace: str, large_folder: Path) -> None:
    words = "$(HOME) $$(HOME) $HOME ${HOME} \\ \" ' ü \u2028"
    small = submit(client, environment(namespace), "give_back", words=words)
    large = submit(client, environment(namespace), "give_back", folder=large_folder, words=words * 4000)

    assert small.follow().result == words
    outcome = large.follow()
    assert outcome.exit_code == 0
    assert [item.name for item in outcome.artifacts] in ([], ["result.json"])


def test_the_variables_of_a_run(client: Client, namespace: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "api"},
        "stringData": {"token": "hidden"},
    }
    client.create(path("v1", "secrets", namespace=namespace), secret)
    reference = SecretReference(env="COLOUR_TOKEN", source=SecretSource.KUBERNETES_SECRET, id="api", key="token")
    target = environment(namespace, env={"COLOUR": "blue"}, secrets=(reference,))
    run = submit(client, target, "show_environment")

    result = run.follow().result

    assert isinstance(result, dict)
    assert (result["COLOUR"], result["COLOUR_TOKEN"]) == ("blue", "hidden")
    assert (result["PENSTOCK_RUN_ID"], result["PENSTOCK_ENVIRONMENT"]) == (run.run_id, "jobs")
    assert [name for name in result if name.startswith("PENSTOCK_INPUT")] == []
    assert "hidden" not in str(jobs(client, namespace))


def test_no_token_is_mounted(client: Client, namespace: str) -> None:
    submit(client, environment(namespace), "succeed").follow()

    spec = pods(client, namespace)[0]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert "volumes" not in spec


def test_stopping(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "wait_until", moment=time.time() + 120)
    run.start_following()
    run.await_output(b"up")

    run.launcher.stop(run.run_id)
    outcome = run.end()
    run.launcher.stop(run.run_id)

    assert outcome.failure is not None
    assert (outcome.state, outcome.exit_code) == (State.CANCELLED, 143)
    assert outcome.failure.failure_class == "cancelled"
    assert _facts(run.launcher.find(run.run_id).outcome) == _facts(outcome)
    assert run.launcher.log(run.run_id) == run.output
    # What is known of it outlives its pod.
    client.delete(path("v1", "pods", namespace=namespace, name=pods(client, namespace)[0]["metadata"]["name"]))
    await_no_pods(client, namespace)
    assert _facts(run.launcher.find(run.run_id).outcome) == _facts(outcome)
    with pytest.raises(UsageError, match="is gone with its pod"):
        run.launcher.log(run.run_id)


def test_stopping_before_the_start_and_a_next_attempt(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "succeed")
    run.launcher.stop(run.run_id)

    outcome = run.launcher.follow(run.run_id, lambda _: None)
    assert outcome.exit_code in {0, 143}
    assert run.launcher.retry(run.run_id) == 2
    again = run.launcher.follow(run.run_id, lambda _: None)

    assert (again.attempt, again.exit_code) == (2, 0)
    assert [record.outcome.attempt for record in run.launcher.runs()] == [2]
    assert run.launcher.find(run.run_id, attempt=1).outcome.exit_code in {0, 143}


def test_output_that_is_no_text_and_ends_without_a_newline(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "print_bytes")

    outcome = run.follow()

    # containerd takes the carriage return of a \r\n away: nobody can read it from a cluster's log.
    assert bytes(run.output) == b"\x00\xff not text\n\x1b[1mbold\x1b[0m no newline at the end"
    assert outcome.log.lines == 2


def test_the_time_limit_of_a_run(client: Client, namespace: str) -> None:
    target = environment(namespace, timeouts=Timeouts(run_seconds=1, grace_seconds=5))
    outcome = submit(client, target, "wait_until", moment=time.time() + 120).follow()

    assert outcome.failure is not None
    assert (outcome.exit_code, outcome.failure.failure_class) == (124, "deadline")


def test_old_runs_are_removed_and_others_stay(client: Client, namespace: str) -> None:
    old = submit(client, environment(namespace, retention=Retention(succeeded_seconds=0)), "succeed")
    kept = submit(client, environment(namespace), "succeed")
    running = submit(client, environment(namespace), "wait_until", moment=time.time() + 120)
    old.follow()
    kept.follow()
    # The outcome is told before the cluster itself knows of it.
    await_ended(client, namespace, 2)

    planned = kept.launcher.collect(dry_run=True)
    assert (planned.runs, planned.kept) == ((old.run_id,), 2)
    assert kept.launcher.collect(dry_run=False).runs == (old.run_id,)

    await_gone(client, path("batch/v1", "jobs", namespace=namespace), names.job_name("jobs", old.run_id, 1))
    left = {job["metadata"]["labels"][names.RUN_ID] for job in jobs(client, namespace)}
    assert left == {kept.run_id, running.run_id}


def test_the_cluster_removes_jobs_after_their_retention(client: Client, namespace: str) -> None:
    retention = Retention(succeeded_seconds=0, failed_seconds=1)
    run = submit(client, environment(namespace, retention=retention), "succeed")
    run.follow()

    await_gone(client, path("batch/v1", "jobs", namespace=namespace), names.job_name("jobs", run.run_id, 1))
    with pytest.raises(UsageError, match=f"There is no run '{run.run_id}' in jobs"):
        run.launcher.find(run.run_id)
    await_no_pods(client, namespace)


def test_code_that_vanished_from_the_cluster_is_put_back(client: Client, namespace: str, large_folder: Path) -> None:
    submit(client, environment(namespace), "succeed", folder=large_folder).follow()
    maps = path("v1", "configmaps", namespace=namespace)
    for item in client.get(maps, labelSelector=names.CONTENT)["items"]:
        client.delete(f"{maps}/{item['metadata']['name']}")

    assert submit(client, environment(namespace), "succeed", folder=large_folder).follow().exit_code == 0


def test_a_namespace_that_is_not_there(client: Client) -> None:
    with pytest.raises(UnavailableError, match="The cluster has no namespace 'nowhere'"):
        submit(client, environment("nowhere"), "succeed")


def await_no_pods(client: Client, namespace: str) -> None:
    """Wait until the namespace has no pods."""
    _await_pods(client, namespace, lambda there: not there)


def await_ended(client: Client, namespace: str, count: int) -> None:
    """Wait until so many pods have ended."""
    ends = {"Succeeded", "Failed"}
    _await_pods(client, namespace, lambda there: sum(pod["status"]["phase"] in ends for pod in there) >= count)


def _await_pods(client: Client, namespace: str, enough: object) -> None:

    watch = Watch(client, path("v1", "pods", namespace=namespace))
    timer = threading.Timer(60, watch.close)
    timer.start()
    there: dict[str, dict[str, object]] = {}
    listed = False
    try:
        for event in watch:
            listed = listed or event.type == "LISTED"
            if event.type == "DELETED":
                there.pop(event.object["metadata"]["uid"], None)
            elif event.type != "LISTED":
                there[event.object["metadata"]["uid"]] = event.object
            if listed and enough(list(there.values())):  # type: ignore[operator]
                return
    finally:
        timer.cancel()
        watch.close()
    raise TimeoutError(f"the pods of {namespace} are not as they should be")
