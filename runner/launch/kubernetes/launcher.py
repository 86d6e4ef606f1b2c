"""The launcher of kind `kubernetes-job`: one Job per attempt, found again by its labels.

A submit is one call when the run's code is in the cluster already, two when it is new. Whatever happens to the client,
the Job goes on by itself, and any other client that may read it can follow it, tell how it stands, or stop it.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner import contract, request
from runner.environment import Environment
from runner.errors import PenstockError, UnavailableError, UsageError
from runner.http.errors import Unreachable
from runner.kubernetes import names, pending
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import Conflict, Forbidden, Invalid, NotFound
from runner.kubernetes.logs import read as read_log
from runner.launch import artifacts
from runner.launch.base import Collected, RunRecord
from runner.launch.dashboard import require
from runner.launch.kubernetes import job, status, workers
from runner.launch.kubernetes.content import Content, content_used_by
from runner.launch.kubernetes.dashboard import Dashboard
from runner.launch.kubernetes.finder import Finder, attempt_of, selector
from runner.launch.kubernetes.follow import Following
from runner.launch.kubernetes.removal import await_ended, remove
from runner.outcome import Outcome, State
from runner.request import RunRequest
from runner.sections import FLOW_CONTAINER
from runner.trailer import LONGEST, Record, Splitter, shortened

Object = dict[str, Any]

TRAILER_RECORDS = LONGEST // (16 * 1024)
"""What the kubelet counts as lines is what the container runtime stores: records of at most 16 KiB."""
FOLLOW_BUDGET_SECONDS = 120.0
"""How long a follower waits for a cluster that does not answer: the run goes on, and an API server may be replaced."""


class KubernetesLauncher:
    """Launches in the namespace of one environment.

    Args:
        environment: the environment, of a kind with Jobs.
        client: the cluster that it is in.
    """

    def __init__(self, environment: Environment, client: Client) -> None:
        section = environment.on_kubernetes
        assert section is not None  # noqa: S101 the contract demands the section of the kind
        self._name = environment.name
        self._namespace = section.namespace
        self._client = client
        self._jobs = path("batch/v1", "jobs", namespace=self._namespace)
        self._finder = Finder(client, self._namespace, environment.name)
        self._content = Content(client, self._namespace, environment.name)
        self._bundle: bytes | None = None
        self._passed_on: dict[str, int] = {}

    def submit(
        self,
        environment: Environment,
        request: RunRequest,
        *,
        bundle: bytes | None = None,
        notice: Callable[[str], object] = lambda _: None,  # noqa: ARG002 this platform queues by itself
    ) -> bool:
        """See `Launcher.submit`."""
        inline = bundle is not None and len(bundle) <= job.LARGEST_INLINE_BUNDLE
        rendered = job.render(environment, request, bundle=bundle if inline else None)
        try:
            self._bring(request, None if inline else bundle)
            self._client.create(self._jobs, rendered)
        except Conflict:
            return self._is_ours(rendered)
        except NotFound:
            raise UnavailableError(
                f"The cluster has no namespace {self._namespace!r}, in which {self._name} runs. "
                "Provision the environment with `pulumi up`, or choose another cluster with --context."
            ) from None
        except Forbidden as error:
            if "exceeded quota" not in str(error.message):
                raise
            raise UnavailableError(
                f"The quota of namespace {self._namespace} has no room for another Job ({error.message}). "
                "Run it again when a run has ended, or remove old ones with `penstock gc`."
            ) from None
        except Invalid as error:
            raise UnavailableError(
                f"The cluster does not take the run's Job ({error.message}). Correct that part of the stack, "
                "then `pulumi up` and `penstock env pull`."
            ) from None
        return True

    def retry(self, run_id: str) -> int:
        """See `Launcher.retry`."""
        outcome = self.find(run_id).outcome
        if not outcome.state.ended:
            raise UsageError(
                f"The run {run_id} has not ended. Follow it with `penstock logs -f {run_id}`, or cancel it."
            )
        last = self._finder.job(run_id)
        # The runner has told the end; the next attempt begins only when its container is gone.
        await_ended(self._client, path("v1", "pods", namespace=self._namespace), selector(last))
        environment = job.environment_of(last)
        asked = replace(self._request_of(last), attempt=outcome.attempt + 1, accepted_at=time.time())
        bundle = job.bundle_of(last)
        if asked.bundle is not None and bundle is None:
            name = names.content_name("bundle", asked.bundle.sha256)
            if not self._content.exists(name):
                raise UsageError(
                    f"The code of {run_id} is not kept any more. Run it from your files: penstock run {asked.flow}"
                )
        self.submit(environment, asked, bundle=bundle)
        return asked.attempt

    def follow(
        self,
        run_id: str,
        write: Callable[[bytes], object],
        *,
        skip: int = 0,
        notice: Callable[[str], object] = lambda _: None,
        dashboard: bool = False,
    ) -> Outcome:
        """See `Launcher.follow`."""
        found = self._finder.job(run_id)
        stored = status.recorded(found["metadata"].get("annotations", {}).get(names.OUTCOME))
        if stored is not None:
            return stored
        if dashboard:
            require(run_id, self._request_of(found).executor or job.environment_of(found).executor)
        leading = Dashboard(self._client, self._namespace, notice, wanted=dashboard)
        patient = Client(self._client.access, budget_seconds=FOLLOW_BUDGET_SECONDS)
        following = Following(
            patient,
            found,
            write=write,
            notice=notice,
            skip=max(0, skip - self._passed_on.get(run_id, 0)),
            repair=self._bring_again,
            seen=leading.see,
        )
        try:
            with leading:
                outcome = following.to_end()
        except Unreachable as error:
            raise UnavailableError(f"{error} The run goes on: penstock logs -f {run_id}") from None
        finally:
            patient.close()
            self._passed_on[run_id] = self._passed_on.get(run_id, 0) + following.passed_on
        outcome = artifacts.keep(outcome, following.artifacts)
        if outcome.state is State.CANCELLED:
            self._keep_outcome(found, outcome)
        return outcome

    def log(self, run_id: str, *, tail: int | None = None, attempt: int | None = None) -> bytes:
        """See `Launcher.log`."""
        found = self._finder.job(run_id, attempt)
        pod = status.newest(self._finder.pods_of(found))
        if pod is None and status.standing(found, []).state.ended:
            raise _log_is_gone(run_id)
        if tail == 0 or pod is None or not status.has_started(pod):
            return b""
        # The runner's own record comes last.
        data, _ = self._read(found, pod, None if tail is None else tail + TRAILER_RECORDS)
        lines = data.splitlines(keepends=True)
        if tail is None:
            return data
        if len(lines) <= tail:  # the first of them may be the end of a long one
            data, _ = self._read(found, pod, None)
            lines = data.splitlines(keepends=True)
        return b"".join(lines[max(0, len(lines) - tail) :])

    def worker_log(self, run_id: str, *, attempt: int | None = None) -> bytes:
        """See `Launcher.worker_log`."""
        outcome = self.find(run_id, attempt=attempt).outcome
        if outcome.state.ended:
            return workers.kept(outcome)
        return workers.read(self._client, self._finder.pods(workers.selector(self._finder.job(run_id, attempt))))

    def follow_workers(self, run_id: str, write: Callable[[bytes], object]) -> Outcome:
        """See `Launcher.follow_workers`."""
        outcome = self.find(run_id).outcome
        if outcome.state.ended:
            write(workers.kept(outcome))
            return outcome
        with workers.Following(self._client, self._namespace, workers.selector(self._finder.job(run_id)), write):
            return self.follow(run_id, lambda _: None)

    def stop(self, run_id: str, *, interrupt: bool = False) -> None:
        """See `Launcher.stop`. Kubernetes has one way to stop a container, so `interrupt` is only noted."""
        found = self._finder.job(run_id)
        pods = self._finder.pods_of(found)
        if status.standing(found, pods).state.ended:
            return
        place = f"{self._jobs}/{found['metadata']['name']}"
        word = "interrupted" if interrupt else "cancelled"
        change: Object = {"metadata": {"annotations": {names.STOPPED: word}}, "spec": {"backoffLimit": 0}}
        pod = status.newest(pods)
        up = pod is not None and status.has_started(pod) and status.ended(found, pod) is None
        if not up:
            # The Job's deadline removes a pod that has nothing to lose yet. The clock of a suspended Job stands still,
            # and one that is resumed must not make a pod.
            change["spec"] |= {"activeDeadlineSeconds": 1, "parallelism": 0, "suspend": False}
        self._client.patch(place, change)
        if pod is not None and up:
            # The pod's own deadline ends it with its grace and leaves it there, with its log.
            pods_path = path("v1", "pods", namespace=self._namespace, name=pod["metadata"]["name"])
            self._client.patch(pods_path, {"spec": {"activeDeadlineSeconds": 1}})

    def find(self, run_id: str, *, attempt: int | None = None) -> RunRecord:
        """See `Launcher.find`."""
        found = self._finder.job(run_id, attempt)
        pods = self._finder.pods_of(found)
        outcome = status.standing(found, pods)
        pod = status.newest(pods)
        # The runner's own record is the last line of the log: there before the cluster knows of the end, and whole.
        wanted = not outcome.state.ended or outcome.partial or outcome.artifacts
        if pod is not None and status.is_scheduled(pod) and wanted:
            with contextlib.suppress(PenstockError):
                _, record = self._read(found, pod, TRAILER_RECORDS)
                if record is not None:
                    outcome = self._merged(found, outcome, record)
        if outcome.state is State.QUEUED and outcome.waiting is None:
            outcome = self._explained(outcome, found, pod, self._warnings())
        return RunRecord(outcome=outcome, accepted_at=_accepted_at(found))

    def runs(self) -> Iterator[RunRecord]:
        """See `Launcher.runs`."""
        newest: dict[str, Object] = {}
        for found in self._finder.jobs():
            run_id = found["metadata"]["labels"][names.RUN_ID]
            if run_id not in newest or attempt_of(found) > attempt_of(newest[run_id]):
                newest[run_id] = found
        pods = self._finder.pods_by_job()
        warnings: list[Object] | None = None
        for found in newest.values():
            own = pods.get(found["metadata"]["uid"], [])
            outcome = status.standing(found, own)
            if outcome.state is State.QUEUED and outcome.waiting is None:
                warnings = self._warnings() if warnings is None else warnings
                outcome = self._explained(outcome, found, status.newest(own), warnings)
            yield RunRecord(outcome=outcome, accepted_at=_accepted_at(found))

    def collect(self, *, dry_run: bool) -> Collected:
        """See `Launcher.collect`."""
        jobs = list(self._finder.jobs())
        pods = self._finder.pods_by_job()
        due = [found for found in jobs if _is_due(found, pods.get(found["metadata"]["uid"], []))]
        kept = [found for found in jobs if found not in due]
        unused = self._content.unused(name for found in kept for name in content_used_by(found))
        removed = {found["metadata"]["labels"][names.RUN_ID] for found in due}
        staying = {found["metadata"]["labels"][names.RUN_ID] for found in kept}
        if not dry_run:
            for found in due:
                remove(self._client, self._namespace, found["metadata"]["name"], found["metadata"]["uid"])
            for name in unused:
                self._content.remove(name)
            for run_id in removed - staying:
                artifacts.remove(run_id)
        return Collected(runs=tuple(sorted(removed)), leftovers=tuple(unused), kept=len(staying))

    def _warnings(self) -> list[Object]:
        """The namespace's events that warn, the latest last."""
        events = path("v1", "events", namespace=self._namespace)
        found: list[Object] = self._client.get(events, fieldSelector="type=Warning")["items"]
        return sorted(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")

    @staticmethod
    def _explained(outcome: Outcome, found: Object, pod: Mapping[str, Any] | None, warnings: list[Object]) -> Outcome:
        """The outcome with what the last events say that it waits for."""
        about = (found if pod is None else pod)["metadata"]["uid"]
        troubles = [pending.of_event(event) for event in warnings if event["involvedObject"].get("uid") == about]
        known = [trouble for trouble in troubles if trouble is not None]
        return replace(outcome, waiting=known[-1].failure) if known else outcome

    def _bring(self, asked: RunRequest, bundle: bytes | None) -> None:
        if bundle is not None:
            self._bundle = bundle
            self._content.ensure("bundle", bundle, file=job.BUNDLE_FILE)
        if (large := job.content_of(asked)) is not None:
            self._content.ensure("request", large, file=job.REQUEST_FILE)

    def _bring_again(self) -> bool:
        """Put the run's code back that somebody removed since this client made sure of it."""
        if self._bundle is None:
            return False
        self._content.ensure("bundle", self._bundle, file=job.BUNDLE_FILE, again=True)
        self._bundle = None
        return True

    def _is_ours(self, rendered: Object) -> bool:
        """Whether the Job that exists is of this very submit, whose answer was lost on the way."""
        metadata = rendered["metadata"]
        there = self._client.get(f"{self._jobs}/{metadata['name']}")["metadata"].get("annotations", {})
        if there.get(names.REQUEST) != metadata["annotations"][names.REQUEST]:
            run_id = metadata["labels"][names.RUN_ID]
            raise UsageError(
                f"A run {run_id!r} exists already, of {there.get(names.FLOW)} with other parameters or options. "
                "Choose another --run-id, or leave it out for a new one."
            )
        return bool(there.get(names.ACCEPTED_AT) == metadata["annotations"][names.ACCEPTED_AT])

    def _keep_outcome(self, found: Object, outcome: Outcome) -> None:
        """Note the end of a run whose pod Kubernetes removes, in its Job."""
        short = contract.to_bytes(shortened(outcome, job.TERMINATION_LIMIT)).decode()
        change = {"metadata": {"annotations": {names.OUTCOME: short}}}
        with contextlib.suppress(PenstockError):  # the Job is gone, or this client may only read
            self._client.patch(f"{self._jobs}/{found['metadata']['name']}", change)

    def _merged(self, found: Object, standing: Outcome, record: Record) -> Outcome:
        """The whole record, unless the platform knows better how the run ended."""
        whole = record.outcome
        if not standing.state.ended and status.to_be_continued(found, whole):
            return standing
        if standing.state.ended:
            whole = replace(whole, state=standing.state, exit_code=standing.exit_code, failure=standing.failure)
        return artifacts.keep(whole, record.artifacts)

    def _read(self, found: Object, pod: Mapping[str, Any], tail: int | None) -> tuple[bytes, Record | None]:
        labels = found["metadata"]["labels"]
        splitter = Splitter(labels[names.RUN_ID], attempt_of(found))
        try:
            data = read_log(self._client, self._namespace, pod["metadata"]["name"], FLOW_CONTAINER, tail_lines=tail)
        except NotFound:
            raise _log_is_gone(labels[names.RUN_ID]) from None
        return splitter.feed(data) + splitter.rest(), splitter.record

    def _request_of(self, found: Object) -> RunRequest:
        asked = job.request_of(found)
        if asked is not None:
            return asked
        data = self._content.read(job.request_map_of(found) or "", job.REQUEST_FILE)
        return request.read(data, warn=lambda _: None)


def _log_is_gone(run_id: str) -> UsageError:
    return UsageError(f"The log of {run_id} is gone with its pod. `penstock describe {run_id}` tells how it ended.")


def _accepted_at(found: Object) -> float:
    return float(found["metadata"]["annotations"][names.ACCEPTED_AT])


def _is_due(found: Object, pods: list[Object]) -> bool:
    outcome = status.standing(found, pods)
    if outcome.state is State.QUEUED:
        return status.is_overdue(job.environment_of(found).timeouts, _accepted_at(found), status.newest(pods))
    if not outcome.state.ended:
        return False
    retention = job.environment_of(found).retention
    limit = retention.succeeded_seconds if outcome.state is State.SUCCEEDED else retention.failed_seconds
    return time.time() - _accepted_at(found) - outcome.ledger.get("finished", 0.0) > limit
