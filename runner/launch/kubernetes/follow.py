"""Follows one attempt to its end: passes its output on, says what it waits for, gives it up when its time is over.

Nothing is polled: pods are watched from the first moment, the Job and its events once the start takes longer than
usual. Whatever is watched comes as messages of one queue, and one thread decides.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from runner.environment import Environment
from runner.errors import PenstockError
from runner.kubernetes import names, pending
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import Forbidden, NotFound
from runner.kubernetes.logs import PodLog
from runner.kubernetes.watch import Event, Watch
from runner.launch.kubernetes import status
from runner.launch.kubernetes.job import environment_of
from runner.launch.kubernetes.removal import await_gone, remove
from runner.outcome import ExitCode, Failure, Outcome, State
from runner.sections import FLOW_CONTAINER
from runner.trailer import Splitter
from runner.trouble import Trouble

Object = Mapping[str, Any]

USUAL_START_SECONDS = 1.0
"""A run that is up sooner needs no further watches."""
DRAIN_SECONDS = 10.0
"""How long the log may take after the container has ended, where the machine does not answer any more."""
MACHINE_SECONDS = 1.0
"""Pause before a machine that did not answer for as long as the client's budget is asked again."""
VERDICT_SECONDS = 5.0
"""How long the pod's own end may come after the runner's record, where that says that it was asked to stop."""


class Following:
    """One attempt on its way to its end.

    Args:
        client: the cluster.
        job: the Job, as the API server has it.
        write: called with the flow's output as it comes.
        notice: called with a sentence about what the run waits for.
        skip: bytes at the beginning of the output that are not wanted.
        repair: called once when the run's code has vanished from the cluster; whether it has been put back.
        seen: called with the pod that the run is in whenever that has changed.
    """

    def __init__(
        self,
        client: Client,
        job: Object,
        *,
        write: Callable[[bytes], object],
        notice: Callable[[str], object],
        skip: int = 0,
        repair: Callable[[], bool] = lambda: False,
        seen: Callable[[Object], object] = lambda _: None,
    ) -> None:
        self.passed_on = 0
        """Bytes of the output of earlier pods of this attempt, which are gone from the cluster."""
        self._client = client
        self._job = job
        self._job_gone = self._job_seen = False
        self._environment: Environment = environment_of(job)
        self._namespace = job["metadata"]["namespace"]
        self._name = job["metadata"]["name"]
        self._run_id = job["metadata"]["labels"][names.RUN_ID]
        self._accepted_at = float(job["metadata"]["annotations"][names.ACCEPTED_AT])
        self._write, self._notice, self._repair, self._told_of_pod = write, notice, repair, seen
        self._skip = skip
        self._queue: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._sources: list[Watch | PodLog] = []
        self._pods: dict[str, Object] = {}
        self._pod: Object | None = None
        self._ended: dict[str, Outcome] = {}
        self._seen: dict[str, float] = {"queued": time.time()}
        self._trouble: Trouble | None = None
        self._told: str | None = None
        self._looking_closely = False
        self._began = time.monotonic()
        self._log: PodLog | None = None
        self._log_ended = False
        self._splitter = self._new_splitter()
        self._recorded_at = self._ended_at = 0.0

    def to_end(self) -> Outcome:
        """Follow until the attempt has ended; the result is its outcome.

        Raises:
            Unreachable: the cluster did not answer for longer than the client's budget. The run goes on.
        """
        labels = self._job["metadata"]["labels"]
        own = (f"{name}={labels[name]}" for name in (names.RUN_ID, names.ATTEMPT, names.ENVIRONMENT))
        selector = ",".join([*own, f"!{names.WORKER}"])
        try:
            self._watch("pod", path("v1", "pods", namespace=self._namespace), label_selector=selector)
            while (outcome := self._decided(now := time.monotonic())) is None:
                if "started" not in self._seen and now >= self._began + USUAL_START_SECONDS:
                    self._look_closely()
                with contextlib.suppress(queue.Empty):
                    self._take(*self._queue.get(timeout=self._patience(now)))
            return self._with_ledger(outcome)
        finally:
            for source in self._sources:
                source.close()

    @property
    def artifacts(self) -> Mapping[str, bytes]:
        """Files that came with the run's record, by name."""
        return self._splitter.record.artifacts if self._splitter.record else {}

    def _watch(self, what: str, where: str, **selectors: str) -> None:
        watch = Watch(self._client, where, **selectors)
        self._sources.append(watch)

        def pump() -> None:
            try:
                for item in watch:
                    self._queue.put((what, item))
            except Forbidden as error:
                # Events only explain: who may not read them follows all the same.
                if what != "event":
                    self._queue.put(("failed", error))
            except Exception as error:  # noqa: BLE001 whatever it is, the thread that decides has to know
                self._queue.put(("failed", error))

        threading.Thread(target=pump, daemon=True).start()

    def _patience(self, now: float) -> float | None:
        """Seconds until something has to be done although nothing happens; null for never."""
        moments = [self._recorded_at + VERDICT_SECONDS, self._ended_at + DRAIN_SECONDS]
        if "started" not in self._seen:
            moments.append(self._began + USUAL_START_SECONDS)
        if (clock := self._clock()) is not None:
            moments.append(now + clock[2] - time.time())
        return min((at - now for at in moments if at > now), default=None)

    def _clock(self) -> tuple[str, float, float] | None:
        """The clock that runs now: its name, its seconds, and when it is over (since 1970)."""
        timeouts = self._environment.timeouts
        if "started" in self._seen:
            return None
        name = "start" if "scheduled" in self._seen else "queue"
        limit = timeouts.start_seconds if name == "start" else timeouts.queue_seconds
        since = self._seen["scheduled"] if name == "start" else self._accepted_at
        return None if limit is None else (name, limit, since + limit)

    def _take(self, what: str, value: Any) -> None:
        if what == "pod":
            self._take_pod(value)
        elif what == "job":
            self._take_job(value)
        elif what == "event":
            self._take_event(value)
        elif what == "log" and value[0] is self._log:
            self._pass_on(value[1])
        elif what == "log ended":
            self._log_ended = self._log_ended or value is self._log
        elif what == "lost":
            self._notice(f"the machine of {self._run_id} does not answer; the run may go on, and is waited for.")
        elif what == "failed":
            raise value

    def _look_closely(self) -> None:
        """Watch the Job and what the cluster says about it, too."""
        if self._looking_closely:
            return
        self._looking_closely = True
        jobs = path("batch/v1", "jobs", namespace=self._namespace)
        self._watch("job", jobs, field_selector=f"metadata.name={self._name}")
        self._watch_events(self._name)
        if self._pod is not None:
            self._watch_events(self._pod["metadata"]["name"])

    def _watch_events(self, about: str) -> None:
        self._watch(
            "event", path("v1", "events", namespace=self._namespace), field_selector=f"involvedObject.name={about}"
        )

    def _take_pod(self, event: Event) -> None:
        if event.type == "LISTED":
            return
        pod = event.object
        uid = pod["metadata"]["uid"]
        self._pods[uid] = pod
        if event.type == "DELETED" and (self._pod is None or uid == self._pod["metadata"]["uid"]):
            self._look_closely()  # its Job tells what follows
        newest = status.newest(list(self._pods.values()))
        assert newest is not None  # noqa: S101 there is at least the one that came
        if self._pod is None or newest["metadata"]["uid"] != self._pod["metadata"]["uid"]:
            self._turn_to(newest)
        self._pod = newest
        self._told_of_pod(newest)
        if status.is_scheduled(newest) and "scheduled" not in self._seen:
            self._seen["scheduled"] = time.time()
            self._trouble = None
        if status.has_started(newest):
            self._seen.setdefault("started", time.time())
            self._trouble = None
            self._follow_log(newest)
        elif (trouble := pending.of_pod(newest)) is not None:
            self._set_trouble(trouble)
        if not self._ended_at and (end := status.ended(self._job, newest)) is not None:
            self._take_end(newest, end)

    def _take_end(self, pod: Object, end: Outcome) -> None:
        if end.failure is not None:
            # What the Job says now decides whether somebody has asked for that, and whether another pod follows.
            with contextlib.suppress(NotFound):
                self._job = self._client.get(path("batch/v1", "jobs", namespace=self._namespace, name=self._name))
                end = status.ended(self._job, pod) or end
            self._look_closely()
        self._ended[pod["metadata"]["uid"]] = end
        self._ended_at = time.monotonic()
        if self._log is not None:
            self._flow_ended.set()
            self._log.finish()

    def _turn_to(self, pod: Object) -> None:
        """Begin with another pod of the Job, which has a log of its own."""
        if self._pod is not None:
            self.passed_on += self._splitter_bytes
            before = self._ended.get(self._pod["metadata"]["uid"])
            why = f" ({before.failure.failure_class})" if before is not None and before.failure is not None else ""
            self._notice(f"{self._run_id} ended{why}, and the cluster starts it again as {pod['metadata']['name']}.")
            for name in ("scheduled", "started"):
                self._seen.pop(name, None)
        if self._looking_closely:
            self._watch_events(pod["metadata"]["name"])
        self._trouble = None
        self._log, self._log_ended = None, False
        self._ended_at = self._recorded_at = 0.0
        self._splitter = self._new_splitter()

    def _new_splitter(self) -> Splitter:
        self._splitter_bytes = 0
        return Splitter(self._run_id, int(self._job["metadata"]["labels"][names.ATTEMPT]))

    def _follow_log(self, pod: Object) -> None:
        if self._log is not None:
            return
        self._log = PodLog(
            self._client, namespace=self._namespace, pod=pod["metadata"]["name"], container=FLOW_CONTAINER
        )
        self._sources.append(self._log)
        self._flow_ended = threading.Event()
        threading.Thread(target=self._pump_log, args=(self._log, self._flow_ended), daemon=True).start()

    def _pump_log(self, log: PodLog, ended: threading.Event) -> None:
        """Pass the log on for as long as the container is up, also when its machine does not answer for a while."""
        last_try = False
        while not last_try:
            last_try = ended.is_set()
            try:
                for line in log:
                    self._queue.put(("log", (log, line)))
                break
            except PenstockError:
                if not last_try:
                    self._queue.put(("lost", log))
                    ended.wait(MACHINE_SECONDS)
        self._queue.put(("log ended", log))

    def _pass_on(self, data: bytes) -> None:
        output = self._splitter.feed(data)
        if self._splitter.record is not None and not self._recorded_at:
            self._recorded_at = time.monotonic()
        self._splitter_bytes += len(output)
        unwanted = min(self._skip, len(output))
        self._skip -= unwanted
        if output[unwanted:]:
            self._write(output[unwanted:])

    def _take_job(self, event: Event) -> None:
        if event.type == "DELETED":
            self._job_gone = True
        elif event.type == "LISTED":
            self._job_gone = self._job_gone or not self._job_seen
        else:
            self._job_seen = True
            self._job = event.object
            if (trouble := pending.suspended(self._job)) is not None:
                self._set_trouble(trouble)

    def _take_event(self, event: Event) -> None:
        if event.type in {"LISTED", "DELETED"} or "started" in self._seen:
            return
        about = event.object.get("involvedObject", {}).get("uid")
        of_job = about == self._job["metadata"]["uid"] and not self._pods
        of_pod = self._pod is not None and about == self._pod["metadata"]["uid"]
        if not of_job and not of_pod:
            return
        trouble = pending.of_event(event.object)
        if trouble is None:
            return
        if trouble.fatal and "penstock-bundle" in (trouble.failure.evidence or "") and self._repair():
            return
        self._set_trouble(trouble)

    def _set_trouble(self, trouble: Trouble) -> None:
        self._trouble = trouble
        told = f"queued({trouble.failure.failure_class}): {trouble.failure.message}"
        if not trouble.fatal and told != self._told:
            self._told = told
            self._notice(f"{self._run_id} is {told}")

    def _decided(self, now: float) -> Outcome | None:
        """How the attempt ended; null while nobody can know."""
        if self._pod is not None and (end := self._end(now)) is not None:
            return None if status.to_be_continued(self._job, end) and not self._job_gone else end
        if self._trouble is not None and self._trouble.fatal:
            return self._give_up(self._trouble.failure)
        if (clock := self._clock()) is not None and time.time() >= clock[2]:
            return self._give_up(pending.not_started(self._trouble, clock=clock[0], seconds=clock[1]))
        if self._job_gone and not self._pods_alive():
            return status.cancelled(status.blank(self._job), "The run's Job was deleted.")
        if self._looking_closely and self._job_seen and not self._pods_alive():
            outcome = status.standing(self._job, list(self._pods.values()))
            return outcome if outcome.state.ended else None
        return None

    def _pods_alive(self) -> bool:
        return any("deletionTimestamp" not in pod["metadata"] for pod in self._pods.values())

    def _end(self, now: float) -> Outcome | None:
        """How the newest pod's run ended: from the record in its log or from its container's end, what comes first."""
        assert self._pod is not None  # noqa: S101 asked only when there is a pod
        record = self._splitter.record
        end = self._ended.get(self._pod["metadata"]["uid"])
        if record is not None:
            whole = record.outcome
            if whole.state is not State.CANCELLED or self._asked_to_stop():
                return whole
            # Somebody stopped the container: whether the platform did is told by its pod.
            if end is None:
                return whole if now >= self._recorded_at + VERDICT_SECONDS else None
            if end.state is not State.CANCELLED:
                whole = replace(whole, state=end.state, exit_code=end.exit_code, failure=end.failure)
            return whole
        if end is None:
            return None
        complete = self._log is None or self._log_ended or now >= self._ended_at + DRAIN_SECONDS
        return end if complete else None

    def _asked_to_stop(self) -> bool:
        return names.STOPPED in self._job["metadata"].get("annotations", {})

    def _give_up(self, failure: Failure) -> Outcome:
        """Delete the Job, and say why only when it is gone."""
        uid = self._job["metadata"]["uid"]
        jobs = path("batch/v1", "jobs", namespace=self._namespace)
        remove(self._client, self._namespace, self._name, uid)
        gone = await_gone(self._client, jobs, self._name, uid)
        detail = None if gone else f"The Job {self._name} was deleted, and the cluster has not confirmed it yet."
        outcome = status.failed(status.blank(self._job), ExitCode.UNAVAILABLE, replace(failure, detail=detail))
        return replace(outcome, ledger={"finished": round(time.time() - self._accepted_at, 4)})

    def _with_ledger(self, outcome: Outcome) -> Outcome:
        seen = {name: round(max(0.0, at - self._accepted_at), 4) for name, at in self._seen.items()}
        # The runner's own clock is the better one, and it knows when it started.
        ledger = {name: seen[name] for name in ("queued", "scheduled") if name in seen} | dict(outcome.ledger)
        return replace(outcome, ledger=ledger)
