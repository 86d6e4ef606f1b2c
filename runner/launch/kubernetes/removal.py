"""Removes Jobs, and waits until they or their containers are gone."""

import threading

from runner.errors import PenstockError, UnavailableError
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import Conflict, NotFound
from runner.kubernetes.watch import Watch

GONE_SECONDS = 120.0
"""How long the cluster may take to remove a Job and its pods."""


def remove(client: Client, namespace: str, name: str, uid: str) -> None:
    """Delete a Job and its pods; one that is gone already, or replaced by another of its name, is left alone."""
    body = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
    try:
        client.delete(path("batch/v1", "jobs", namespace=namespace, name=name), body)
    except (NotFound, Conflict):
        return


def await_gone(client: Client, jobs: str, name: str, uid: str) -> bool:
    """Wait until a Job that was deleted is gone with its pods; false when that takes longer than it may."""
    watch = Watch(client, jobs, field_selector=f"metadata.name={name}")
    timer = threading.Timer(GONE_SECONDS, watch.close)
    timer.daemon = True
    timer.start()
    there = False
    try:
        for event in watch:
            if event.type == "LISTED":
                if not there:
                    return True
            elif event.object["metadata"]["uid"] == uid:
                there = event.type != "DELETED"
                if not there:
                    return True
    except PenstockError:
        return False
    finally:
        timer.cancel()
        watch.close()
    return False


def await_ended(client: Client, pods: str, selector: str) -> None:
    """Wait until none of the pods has a container that is up.

    Raises:
        UnavailableError: one still has after as long as a removal may take.
    """
    watch = Watch(client, pods, label_selector=selector)
    timer = threading.Timer(GONE_SECONDS, watch.close)
    timer.daemon = True
    timer.start()
    up: set[str] = set()
    listed = False
    try:
        for event in watch:
            listed = listed or event.type == "LISTED"
            if event.type != "LISTED":
                uid = event.object["metadata"]["uid"]
                ended = event.type == "DELETED" or event.object["status"].get("phase") in {"Succeeded", "Failed"}
                (up.discard if ended else up.add)(uid)
            if listed and not up:
                return
    finally:
        timer.cancel()
        watch.close()
    raise UnavailableError(
        f"The run's last container is still up {GONE_SECONDS:g} s after the end. Try again when its machine answers."
    )
