"""Runs on a real cluster: from submit to the end, found again, stopped, retried, cleaned up."""

import hashlib
import threading
import time
from dataclasses import replace

import pytest

from runner.environment import Retention, SecretReference, SecretSource, Timeouts
from runner.errors import UnavailableError, UsageError
from runner.kubernetes.client import Client, path
from runner.launch.kubernetes import names
from runner.launch.kubernetes.launcher import KubernetesLauncher
from runner.outcome import Outcome, State
from runner.request import RunRequest
from tests.testbed.kubernetes_cluster import await_gone, environment, jobs, pods, submit

pytestmark = pytest.mark.cluster

END_SECONDS = 1.2


def _facts(outcome: Outcome) -> Outcome:
    """The outcome without what only a follower has seen."""
    return replace(outcome, ledger={}, kind=None)


def test_a_run_and_what_is_known_of_it_afterwards(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "print_much", lines=3000)

    outcome = run.follow()

    assert (outcome.state, outcome.exit_code, outcome.environment) == ("succeeded", 0, "jobs")
    assert outcome.log.lines == run.output.count(b"\n") == 6000
    assert outcome.log.sha256 == hashlib.sha256(run.output).hexdigest()
    assert list(outcome.ledger) == sorted(outcome.ledger, key=outcome.ledger.__getitem__) or outcome.ledger
    assert {"queued", "scheduled", "started", "flow_called", "flow_ended", "finished"} <= outcome.ledger.keys()
    assert _facts(run.launcher.find(run.run_id).outcome) == _facts(outcome)
    assert run.launcher.log(run.run_id) == run.output
    assert run.launcher.log(run.run_id, tail=2) == b"".join(bytes(run.output).splitlines(keepends=True)[-2:])
    assert run.launcher.follow(run.run_id, lambda _: None).exit_code == 0


def test_the_end_is_told_soon_after_it(client: Client, namespace: str) -> None:
    late = []
    for _ in range(3):
        run = submit(client, environment(namespace), "succeed")
        outcome = run.follow()
        accepted = float(jobs(client, namespace)[-1]["metadata"]["annotations"][names.ACCEPTED_AT])
        late.append(run.ended_at - accepted - outcome.ledger["finished"])
    assert min(late) < END_SECONDS


@pytest.mark.parametrize(
    ("function", "parameters", "code", "failure"),
    [
        ("fail", {}, 1, "flow"),
        ("exit_with", {"code": 7}, 7, "flow"),
        ("crash", {}, 139, "crash"),
        ("kill_itself", {}, 137, "crash"),
        ("succeed", {"number": "many"}, 66, "flow"),
    ],
)
def test_exit_codes(
    client: Client, namespace: str, function: str, parameters: dict[str, object], code: int, failure: str
) -> None:
    run = submit(client, environment(namespace), function, **parameters)

    outcome = run.follow()

    assert outcome.failure is not None
    assert (outcome.exit_code, outcome.failure.failure_class) == (code, failure)
    assert _facts(run.launcher.find(run.run_id).outcome) == _facts(outcome)


def test_a_result_and_files_that_no_termination_message_can_hold(client: Client, namespace: str) -> None:
    large = submit(client, environment(namespace), "large")
    files = submit(client, environment(namespace), "keep_artifacts")

    whole, kept = large.follow(), files.follow()

    assert (whole.partial, [item.name for item in whole.artifacts]) == (False, ["result.json"])
    found = files.launcher.find(files.run_id).outcome
    assert [item.name for item in found.artifacts] == ["charts/delays.svg", "table.csv"]
    for outcome in (kept, found):
        with open(outcome.artifacts[1].path, "rb") as file:  # noqa: PTH123
            assert file.read() == b"a,b\n"


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
    assert not [volume for volume in spec["volumes"] if "projected" in volume]


def test_submitting_twice_is_one_run_and_something_else_under_its_id_is_refused(client: Client, namespace: str) -> None:
    target = environment(namespace)
    launcher = KubernetesLauncher(target, client)
    asked = RunRequest(run_id="once", accepted_at=time.time(), flow="json:dumps", parameters={"obj": "1"})
    started: list[bool] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        own = replace(asked, accepted_at=time.time())
        started.append(KubernetesLauncher(target, client).submit(target, own))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(started) == [False] * 7 + [True]
    assert launcher.follow("once", lambda _: None).exit_code == 0
    with pytest.raises(UsageError, match="A run 'once' exists already, of json:dumps"):
        launcher.submit(target, replace(asked, parameters={"obj": "2"}))
    assert len(jobs(client, namespace)) == 1


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


def test_no_next_attempt_while_the_last_one_is_up(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "wait_until", moment=time.time() + 120)

    with pytest.raises(UsageError, match=f"The run {run.run_id} has not ended"):
        run.launcher.retry(run.run_id)


def test_following_from_the_middle(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "print_much", lines=100)
    run.follow()
    rest: list[bytes] = []

    run.launcher.follow(run.run_id, rest.append, skip=1000)

    assert b"".join(rest) == bytes(run.output)[1000:]


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


def test_code_that_vanished_from_the_cluster_is_put_back(client: Client, namespace: str) -> None:
    submit(client, environment(namespace), "succeed").follow()
    maps = path("v1", "configmaps", namespace=namespace)
    for item in client.get(maps, labelSelector=names.CONTENT)["items"]:
        client.delete(f"{maps}/{item['metadata']['name']}")

    assert submit(client, environment(namespace), "succeed").follow().exit_code == 0


def test_a_namespace_that_is_not_there(client: Client) -> None:
    with pytest.raises(UnavailableError, match="The cluster has no namespace 'nowhere'"):
        submit(client, environment("nowhere"), "succeed")


@pytest.mark.parametrize("verb", ["find", "stop", "retry", "log"])
def test_a_run_that_there_is_not(client: Client, namespace: str, verb: str) -> None:
    with pytest.raises(UsageError, match="There is no run 'nobody'"):
        getattr(KubernetesLauncher(environment(namespace), client), verb)("nobody")


def await_no_pods(client: Client, namespace: str) -> None:
    """Wait until the namespace has no pods."""
    _await_pods(client, namespace, lambda there: not there)


def await_ended(client: Client, namespace: str, count: int) -> None:
    """Wait until so many pods have ended."""
    ends = {"Succeeded", "Failed"}
    _await_pods(client, namespace, lambda there: sum(pod["status"]["phase"] in ends for pod in there) >= count)


def _await_pods(client: Client, namespace: str, enough: object) -> None:
    from runner.kubernetes.watch import Watch

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
