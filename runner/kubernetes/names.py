"""Names, labels and annotations of all that runs create in a cluster: an API, since `kubectl` users select by them."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from runner.labels import ATTEMPT, ENVIRONMENT, REQUEST, RUN_ID

__all__ = ["ATTEMPT", "ENVIRONMENT", "REQUEST", "RUN_ID"]

WORKER = "penstock.dev/worker"
"""Label of the pods that a run starts for its Dask workers: the worker's number."""
CONTENT = "penstock.dev/content"
"""Label of ConfigMaps that hold what runs are given: `bundle` or `request`."""
FLOW = "penstock.dev/flow"
"""Annotation of Jobs: the flow, as it was named."""
ACCEPTED_AT = "penstock.dev/accepted-at"
"""Annotation of Jobs: when the client accepted the attempt, in seconds since 1970."""
STOPPED = "penstock.dev/stopped"
"""Annotation of Jobs that were asked to stop: `cancelled` or `interrupted`."""
OUTCOME = "penstock.dev/outcome"
"""Annotation of Jobs whose pod is removed at the end: the outcome."""
USED_AT = "penstock.dev/used-at"
"""Annotation of ConfigMaps that hold content: when a client last made sure of it, in seconds since 1970."""

ENVIRONMENT_KEY = "environment.json"
"""Key of the environment document in its ConfigMap."""
LONGEST = 63
"""Longest name of a Job, since the names of Jobs become labels of their pods (RFC 1123)."""
HASH = 10


def job_name(environment: str, run_id: str, attempt: int) -> str:
    """Name of the Job of an attempt: readable, legal, and another one for every attempt."""
    return fit(f"{environment}-{run_id}-{attempt}")


def content_name(kind: str, sha256: str) -> str:
    """Name of the ConfigMap that holds content of this hash."""
    return f"penstock-{kind}-{sha256[:40]}"


def fit(name: str, *, keep: str = "") -> str:
    """The name itself, or its beginning and a hash of the whole where it is too long.

    Args:
        name: the name.
        keep: its end that is never cut off.
    """
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:HASH]
    return f"{name[: LONGEST - HASH - 1 - len(keep)].rstrip('-')}-{digest}{keep}"


def merged(*lists: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lists of objects as one in which each name stands once: the last one's, at the place of the first."""
    found: dict[str, dict[str, Any]] = {}
    for entries in lists:
        for entry in entries:
            found[entry["name"]] = dict(entry)
    return list(found.values())
