"""Finds the Jobs and pods of an environment's runs, which are known by their labels alone."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from runner import request
from runner.errors import UsageError
from runner.kubernetes import names
from runner.kubernetes.client import Client, path

Object = dict[str, Any]

PAGE = 500
"""Objects in one answer; kubectl's number."""


class Finder:
    """Looks in the namespace of one environment.

    Args:
        client: the cluster.
        namespace: the namespace.
        environment: the environment's name.
    """

    def __init__(self, client: Client, namespace: str, environment: str) -> None:
        self._client = client
        self._environment = environment
        self._jobs = path("batch/v1", "jobs", namespace=namespace)
        self._pods = path("v1", "pods", namespace=namespace)

    def job(self, run_id: str, attempt: int | None = None) -> Object:
        """The Job of an attempt, the last one if not said otherwise.

        Raises:
            UsageError: there is none.
        """
        legal = re.fullmatch(request.RUN_ID, run_id) is not None
        found = sorted(self.jobs(f"{names.RUN_ID}={run_id}") if legal else [], key=attempt_of)
        if not found:
            raise UsageError(
                f"There is no run {run_id!r} in {self._environment}. `penstock ls` lists those that there are."
            )
        if attempt is None:
            return found[-1]
        for item in found:
            if attempt_of(item) == attempt:
                return item
        raise UsageError(f"The run {run_id} has no attempt {attempt}. It has had {attempt_of(found[-1])}.")

    def jobs(self, which: str = names.RUN_ID) -> Iterator[Object]:
        """The Jobs that a label selector selects: all unless it is given."""
        return self._pages(self._jobs, which)

    def pods(self, which: str) -> Iterator[Object]:
        """The pods that a label selector selects."""
        return self._pages(self._pods, which)

    def pods_of(self, job: Object) -> list[Object]:
        """The pods of a Job."""
        return _by_owner(self.pods(selector(job))).get(job["metadata"]["uid"], [])

    def pods_by_job(self) -> dict[str, list[Object]]:
        """The pods of all Jobs, by the Jobs' uids."""
        return _by_owner(self.pods(f"{names.RUN_ID},!{names.WORKER}"))

    def _pages(self, where: str, which: str) -> Iterator[Object]:
        chosen = f"{which},{names.ENVIRONMENT}={self._environment}"
        more = ""
        while True:
            page = self._client.get(where, labelSelector=chosen, limit=PAGE, **({"continue": more} if more else {}))
            yield from page["items"]
            more = page["metadata"].get("continue", "")
            if not more:
                return


def selector(job: Object) -> str:
    """Selects the pods of a Job's attempt, without those that it starts for its workers."""
    labels = job["metadata"]["labels"]
    return f"{names.RUN_ID}={labels[names.RUN_ID]},{names.ATTEMPT}={labels[names.ATTEMPT]},!{names.WORKER}"


def attempt_of(job: Object) -> int:
    """Number of the attempt that a Job is."""
    return int(job["metadata"]["labels"][names.ATTEMPT])


def _by_owner(pods: Iterable[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in pods:
        for owner in pod["metadata"].get("ownerReferences", []):
            found.setdefault(owner["uid"], []).append(pod)
    return found
