"""Puts what runs are given into the cluster: bundles of code and large requests, in ConfigMaps known by their content.

Such a ConfigMap is immutable, and one of it serves every run with the same content. A client that has made sure of one
notes that in a file of its own, so that the next submit needs no call for it; `collect` leaves alone what any client
has made sure of lately.
"""

import base64
import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import Conflict, NotFound
from runner.launch.folders import state_folder

NOTE_SECONDS = 24 * 3600
"""How long a client trusts its own note."""
UNUSED_SECONDS = 2 * NOTE_SECONDS
"""Content of this age that no Job uses is removed: no client's note of it is valid any more."""


class Content:
    """The content of one namespace.

    Args:
        client: the cluster.
        namespace: the namespace.
        environment: name of the environment, for the labels.
    """

    def __init__(self, client: Client, namespace: str, environment: str) -> None:
        self._client = client
        self._maps = path("v1", "configmaps", namespace=namespace)
        self._namespace = namespace
        self._environment = environment
        place = hashlib.sha256(f"{client.access.server} {namespace}".encode()).hexdigest()[:16]
        self._notes = state_folder() / "content" / place

    def ensure(self, kind: str, data: bytes, *, file: str, again: bool = False) -> str:
        """Make sure that the content is there; the result is its ConfigMap's name.

        Args:
            kind: `bundle` or `request`.
            data: the content.
            file: the key that it stands under.
            again: whether to ask the cluster whatever the note says.
        """
        name = names.content_name(kind, hashlib.sha256(data).hexdigest())
        note = self._notes / name
        if again or not _is_fresh(note):
            try:
                self._client.create(self._maps, self._map(kind, name, {file: data}))
            except Conflict:
                used = {"metadata": {"annotations": {names.USED_AT: str(int(time.time()))}}}
                self._client.patch(f"{self._maps}/{name}", used)
            # A note that cannot be written costs the next submit a call, nothing else.
            with contextlib.suppress(OSError):
                note.parent.mkdir(parents=True, exist_ok=True)
                note.touch()
        return name

    def exists(self, name: str) -> bool:
        """Whether a ConfigMap of that name is there."""
        try:
            self._client.get(f"{self._maps}/{name}")
        except NotFound:
            return False
        return True

    def read(self, name: str, file: str) -> bytes:
        """The content of a ConfigMap."""
        return base64.b64decode(self._client.get(f"{self._maps}/{name}")["binaryData"][file])

    def unused(self, used: Iterable[str]) -> list[str]:
        """Names of the environment's content that no Job uses and no client has made sure of lately."""
        selector = f"{names.CONTENT},{names.ENVIRONMENT}={self._environment}"
        found = self._client.get(self._maps, labelSelector=selector)["items"]
        taken, oldest = set(used), time.time() - UNUSED_SECONDS
        return [
            item["metadata"]["name"]
            for item in found
            if item["metadata"]["name"] not in taken
            and float(item["metadata"].get("annotations", {}).get(names.USED_AT, 0)) < oldest
        ]

    def remove(self, name: str) -> None:
        """Remove a ConfigMap; one that is gone already is fine."""
        with contextlib.suppress(NotFound):
            self._client.delete(f"{self._maps}/{name}")

    def _map(self, kind: str, name: str, files: Mapping[str, bytes]) -> dict[str, Any]:
        labels = {
            "app.kubernetes.io/name": "penstock",
            "app.kubernetes.io/managed-by": "penstock",
            names.CONTENT: kind,
            names.ENVIRONMENT: self._environment,
        }
        metadata = {
            "name": name,
            "namespace": self._namespace,
            "labels": labels,
            "annotations": {names.USED_AT: str(int(time.time()))},
        }
        data = {file: base64.b64encode(content).decode() for file, content in files.items()}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": data, "immutable": True}


def content_used_by(job: Mapping[str, Any]) -> Iterable[str]:
    """Names of the ConfigMaps with content that a Job uses."""
    for volume in job["spec"]["template"]["spec"].get("volumes", []):
        if volume["name"].startswith("penstock-") and "configMap" in volume:
            yield volume["configMap"]["name"]


def _is_fresh(note: Path) -> bool:
    try:
        return time.time() - os.stat(note).st_mtime < NOTE_SECONDS  # noqa: PTH116 a Path's stat says the same
    except OSError:
        return False
