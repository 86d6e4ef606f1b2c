"""Puts the files that a run leaves behind into its environment's bucket, in a process that may be killed meanwhile."""

from collections.abc import Callable, Iterable

from runner import inputs
from runner.artifacts import head_of, size_of
from runner.aws.access import load
from runner.aws.bucket import Bucket
from runner.aws.errors import AccessDenied, ApiError, Refused
from runner.errors import PenstockError
from runner.outcome import Artifact, ExitCode
from runner.sha256 import sha256

MAX_FILES = 1000
"""Most files of one run in the bucket: its record tells of each, and is bounded as well."""
MAX_FILE_BYTES = 64 * 1024 * 1024
"""Most bytes of one of them, since it is in memory as a whole, here and where it is read."""
MAX_BYTES = 256 * 1024 * 1024
"""Most bytes of all of them."""
ROLE = "`pulumi up` gives the role of runs the right"


def put(files: Iterable[Artifact], place: str, tell: Callable[..., None], *, seconds: float) -> int:
    """Put files there, the smallest ones first; the result is the exit code of the process.

    Args:
        files: the files.
        place: what begins their places, as `s3:REGION:BUCKET/PREFIX`.
        tell: called with `stored`, a `name` and its `sha256` for each that is there, and with `unstored` and `why`, the
            first reason, where there are others.
        seconds: how long it may take.
    """
    region, name, prefix = inputs.located(place)
    sizes = [(size_of(item.path), item.name, item.path) for item in files]
    reasons: list[str] = []
    room = MAX_BYTES
    try:
        bucket = Bucket(load(region=region), name, budget_seconds=seconds)
    except PenstockError as error:
        tell("unstored", why=_words(error))
        return ExitCode.UNAVAILABLE
    for index, (size, file, path) in enumerate(sorted(sizes, key=lambda item: item[0] or 0)):
        if size is None:
            reasons.append(f"{file!r} cannot be read")
            continue
        data = head_of(path, MAX_FILE_BYTES + 1) if index < MAX_FILES and size <= min(MAX_FILE_BYTES, room) else None
        if data is None or len(data) > min(MAX_FILE_BYTES, room):
            reasons.append(f"{file!r} is more than the bucket is given of one run")
            continue
        room -= len(data)
        try:
            bucket.put(f"{prefix}{file}", data)
        except PenstockError as error:
            reasons.append(_words(error))
            if not isinstance(error, Refused):  # what AWS refuses of one file says nothing of the others
                break
        else:
            tell("stored", name=file, sha256=sha256(data).hexdigest())
    if reasons:
        tell("unstored", why=reasons[0])
    return ExitCode.OK


def _words(error: PenstockError) -> str:
    """Why a file was not taken; what an error of AWS' says to do is meant for people who have credentials."""
    if isinstance(error, AccessDenied):
        return f"AWS does not allow s3:PutObject there; {ROLE}"
    if isinstance(error, ApiError):
        return f"AWS says {error.code}: {error.message}".rstrip(".: ")
    return str(error).partition(". ")[0]
