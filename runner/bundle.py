"""Unpacks the bundle, the user's code, before a run.

Nothing that the zip says of itself is believed: it must be the one that the request names, by size and hash, and only
plain files come out of it, into a folder that was not there before, and no more bytes than are allowed, as they come.
"""

import os
import stat
import zlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from runner.errors import LoadError
from runner.request import Bundle
from runner.sha256 import sha256

MAX_BUNDLE_BYTES = 1_000_000
"""Largest bundle: a ConfigMap holds 1,048,576 bytes, counted before base64 (Kubernetes' MaxSecretSize)."""
MAX_FILES = 4096
"""Most files and folders of a bundle."""
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
"""Most bytes that a bundle unpacks to: a temporary folder in memory counts as memory of the run."""
CHUNK = 64 * 1024
ENCRYPTED = 0x1
"""Flag of an encrypted entry (APPNOTE.TXT, 4.4.4)."""
DAMAGE = (BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, LookupError)
"""What zipfile raises for archives that are damaged, or that use what it does not know."""
AGAIN = "Start the run anew with `penstock run`, which packs and sends the code again."


def unpack(archive: str | bytes, bundle: Bundle, folder: str) -> None:
    """Unpack a bundle into a new folder.

    Args:
        archive: path of the zip, or the zip itself.
        bundle: size and hash that it must have.
        folder: where its files go; it must not exist yet. After an error it may hold some of them.

    Raises:
        LoadError: it is another zip, or not a sound one, or there is no room for its files.
    """
    data = archive if isinstance(archive, bytes) else _bytes(archive)
    _verify(data, bundle)
    try:
        os.mkdir(folder, 0o700)  # noqa: PTH102 pathlib costs start-up time
        with ZipFile(BytesIO(data)) as opened:
            _extract(opened, folder)
    except OSError as error:
        raise LoadError(
            f"The bundle of code cannot be unpacked into {folder} ({error.strerror or error}). "
            "Give the run room in its temporary folder, or name another one with TMPDIR."
        ) from None
    except DAMAGE as error:
        raise _unsound(f"is not a sound zip ({error})") from None


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise LoadError(f"The bundle of code cannot be read at {path} ({error.strerror}). {AGAIN}") from None


def _verify(data: bytes, bundle: Bundle) -> None:
    if len(data) > MAX_BUNDLE_BYTES:
        raise _unsound(f"has more than the {MAX_BUNDLE_BYTES:,} bytes that one may have")
    found = sha256(data).hexdigest()
    if (len(data), found) != (bundle.size, bundle.sha256):
        expected = f"expected {bundle.size:,} bytes with {bundle.sha256}"
        raise _unsound(f"has {len(data):,} bytes with the SHA-256 {found}, {expected}")


def _extract(archive: ZipFile, folder: str) -> None:
    folders: set[str] = set()
    files, room = 0, MAX_UNPACKED_BYTES
    for entry in archive.infolist():
        path = folder
        parts = _parts(entry)
        try:
            for part in parts if entry.is_dir() else parts[:-1]:
                path = f"{path}/{part}"
                if path not in folders:
                    os.mkdir(path, 0o755)  # noqa: PTH102
                    folders.add(path)
            if not entry.is_dir():
                room -= _write(archive, entry, f"{path}/{parts[-1]}", room)
                files += 1
        except FileExistsError:
            raise _unsound(f"holds {entry.filename!r} twice") from None
        if files + len(folders) > MAX_FILES:
            raise _unsound(f"holds more than {MAX_FILES:,} files and folders")


def _parts(entry: ZipInfo) -> list[str]:
    """The parts of an entry's path, of a plain file or a folder that stays in the bundle."""
    path = entry.orig_filename
    parts = path.removesuffix("/").split("/")
    if "\0" in path or not {"", ".", ".."}.isdisjoint(parts):
        raise _unsound(f"holds {path!r}, which is no path inside of it")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG}:
        raise _unsound(f"holds {path!r}, which is not a plain file")
    if entry.flag_bits & ENCRYPTED:
        raise _unsound(f"holds {path!r}, which is encrypted")
    if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise _unsound(f"holds {path!r}, which is compressed in a way that bundles are not")
    return parts


def _write(archive: ZipFile, entry: ZipInfo, path: str, room: int) -> int:
    """Write a file that is new; the result is its size."""
    executable = entry.external_attr >> 16 & stat.S_IXUSR
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o755 if executable else 0o644)
    size = 0
    with open(fd, "wb", buffering=0) as file, archive.open(entry) as content:  # noqa: PTH123
        while data := content.read(CHUNK):
            size += len(data)
            if size > room:
                raise _unsound(f"unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
            file.write(data)
    return size


def _unsound(reason: str) -> LoadError:
    return LoadError(f"The bundle of code {reason}. {AGAIN}")
