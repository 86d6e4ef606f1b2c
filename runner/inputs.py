"""Reads the runner's documents: from files, objects in S3, or variables, which the flow does not get to see."""

import contextlib
import os

from runner import contract
from runner.errors import ContractError

BUNDLE = "bundle of code"
VARIABLE = "env:"
"""What begins the name of an environment variable in the place of a file's."""
OBJECT = "s3:"
"""What begins the place of an object, as `s3:REGION:BUCKET/KEY`."""


def read(place: str, subject: str) -> bytes:
    """The bytes of a document, as many as one may have and one more.

    Args:
        place: path of a file, `env:NAME` for the environment variable of that name, which is removed, or
            `s3:REGION:BUCKET/KEY` for an object.
        subject: what the document is called in messages.

    Raises:
        ContractError: there is no such file or variable.
        UnavailableError: the object cannot be had.
    """
    if place.startswith(VARIABLE):
        return _taken(place.removeprefix(VARIABLE), subject)
    if place.startswith(OBJECT):
        return _object(place)
    try:
        with open(place, "rb") as file:  # noqa: PTH123 pathlib costs start-up time
            return file.read(contract.MAX_BYTES + 1)
    except OSError as error:
        raise contract.unreadable(subject, place, error) from None


def archive(place: str) -> str | bytes:
    """The bundle of code: the path of its file as it is, an object, or what the variable `env:NAME` holds in base64.

    Raises:
        ContractError: there is no such variable, or it holds something else.
        UnavailableError: the object cannot be had.
    """
    if place.startswith(OBJECT):
        return _object(place)
    if not place.startswith(VARIABLE):
        return place
    from binascii import a2b_base64

    try:
        return a2b_base64(_taken(place.removeprefix(VARIABLE), BUNDLE), strict_mode=True)
    except ValueError:
        raise ContractError(
            path="",
            found=f"not base64 in the variable {place.removeprefix(VARIABLE)}",
            expected="the zip in base64 there",
            subject=BUNDLE,
            next_step="Start runs with `penstock run`, which sets it.",
        ) from None


def located(place: str) -> tuple[str, str, str]:
    """Region, bucket and key of `s3:REGION:BUCKET/KEY`."""
    region, _, rest = place.removeprefix(OBJECT).partition(":")
    bucket, _, key = rest.partition("/")
    return region, bucket, key


def _object(place: str) -> bytes:
    from runner.aws.access import load
    from runner.aws.bucket import Bucket
    from runner.aws.errors import NotFound
    from runner.errors import UnavailableError

    region, bucket, key = located(place)
    objects = Bucket(load(region=region), bucket)
    try:
        return objects.get(key)
    except NotFound:
        raise UnavailableError(
            f"The bucket {bucket} has no {key}, which this run needs. Start it again with `penstock run`, which sends "
            "it, and let the bucket keep objects for days."
        ) from None
    finally:
        objects.close()  # the flow's process gets none of the runner's connections


def _taken(name: str, subject: str) -> bytes:
    data = os.environb.pop(os.fsencode(name), None)
    if data is None:
        raise ContractError(
            path="",
            found=f"not in the environment variable {name}",
            expected="its JSON there",
            subject=subject,
            next_step="Start runs with `penstock run`, which sets it.",
        )
    _blank_out(os.fsencode(name), data)
    return data


def _blank_out(name: bytes, value: bytes) -> None:
    """Overwrite a variable's value in the memory that /proc/PID/environ shows, of this process and all that it forks.

    Where there is no such file, or it is not to be written, the value stays there; programs that the flow starts do not
    get it in any case.
    """
    with contextlib.suppress(OSError):
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123
            # Fields 50 and 51 of proc(5), env_start and env_end; the first two end with the last parenthesis.
            start, end = (int(field) for field in file.read().rpartition(b")")[2].split()[47:49])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:  # noqa: PTH123
            memory.seek(start)
            block = b"\0" + memory.read(end - start)
            at = block.find(b"\0%b=%b\0" % (name, value))
            if at >= 0:
                memory.seek(start + at + len(name) + 1)
                memory.write(b" " * len(value))
