"""Brings what runs are given into the environment's bucket: code and inputs, each known by its content.

Which objects are there is noted on this machine, so that a repeated run sends nothing and asks nothing.
"""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from runner.aws.access import Access
from runner.aws.bucket import Bucket
from runner.errors import UnavailableError
from runner.launch.folders import state_folder

NOTED_SECONDS = 20 * 3600
"""How long a note is believed: the bucket keeps objects for a day at least, from when they were put there."""


class Content:
    """What is in a bucket.

    Args:
        access: where AWS is, and who asks.
        bucket: the bucket's name; null for none.
    """

    def __init__(self, access: Access, bucket: str | None) -> None:
        self._bucket = None if bucket is None else Bucket(access, bucket)
        self._notes = state_folder() / "sent" / (bucket or "none")

    def ensure(self, objects: Mapping[str, bytes]) -> None:
        """Put the objects that are not known to be there."""
        for key, data in objects.items():
            if not self.is_noted(key):
                assert self._bucket is not None  # noqa: S101 rendering refuses objects without a bucket
                # Also where it is there already: that renews the time for which the bucket keeps it.
                self._bucket.put(key, data)
                self._note(key)

    def is_noted(self, key: str) -> bool:
        """Whether this machine knows that an object is there."""
        try:
            return time.time() - self._place(key).stat().st_mtime < NOTED_SECONDS
        except OSError:
            return False

    def forget(self) -> None:
        """Believe no note any more: something was not there."""
        for note in self._notes.glob("*"):
            note.unlink(missing_ok=True)

    def read(self, key: str, *, most: int | None = None) -> bytes:
        """The bytes of an object, or so many of its first ones at most.

        Raises:
            NotFound: it is not there.
        """
        if self._bucket is None:  # a record can name what it likes
            raise UnavailableError("The environment has no bucket. Get its document again with `penstock env pull`.")
        return self._bucket.get(key, most=most)

    def _note(self, key: str) -> None:
        with contextlib.suppress(OSError):  # without a note it is only sent again
            self._notes.mkdir(parents=True, exist_ok=True)
            self._place(key).touch()

    def _place(self, key: str) -> Path:
        return self._notes / key.replace("/", "-")
