"""Packs the user's code into a bundle, which travels with a run.

What is left out by itself: whatever begins with a dot (.git, .venv, .env, .penstock), `__pycache__`, `*.pyc`, `venv`,
`node_modules`, links that lead out of the folder, and everything that is neither a file nor a folder. A file
`.penstockignore` in the folder leaves out more. It is read like a .gitignore of shell patterns (`fnmatch`): one on each
line, `#` begins a comment; a pattern without a slash goes for names at any depth, one with a slash for paths from the
folder on, where `*` stands for slashes too; a slash at the end goes for folders only; `!` takes in what an earlier
pattern left out, unless the folder that it is in was left out. The last pattern that fits counts.

The same files give the same bytes, whatever their times and owners. Between machines only the zlib may make a
difference: a bundle that another one has packed is then sent a second time, and nothing else happens.
"""

import fnmatch
import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from runner.bundle import MAX_BUNDLE_BYTES, MAX_FILES, MAX_UNPACKED_BYTES
from runner.errors import UsageError
from runner.flow import suggestion
from runner.request import Bundle

Entry = os.DirEntry[str]

IGNORE_FILE = ".penstockignore"
LEFT_OUT = (".*", "__pycache__/", "*.pyc", "venv/", "node_modules/")
"""What is left out by itself, as patterns of that file."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every file in a bundle: the first that a zip can tell."""
LEVEL = 6
"""zlib's own default; 9 takes longer and saves a hundredth."""
ALTERNATIVES = (
    f"Leave files out with {IGNORE_FILE}, put data or code into the image and use --no-bundle, "
    "or read data from storage."
)


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A bundle, ready to be sent."""

    data: bytes
    """The zip."""
    bundle: Bundle
    """Its size and hash."""
    files: int
    """Number of files in it."""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """One pattern of what is left out, or taken in after all."""

    matches: re.Pattern[str]
    of_path: bool
    folders_only: bool
    leaves_out: bool


def pack(folder: Path, *, flow: str) -> Packed:
    """Pack a folder.

    Args:
        folder: what becomes the working directory of the flow.
        flow: the flow as the request names it; when that is a file, it must be among those packed.

    Raises:
        UsageError: the flow's file is not among them, there are too many or too large ones, or one cannot be read.
    """
    root = os.path.realpath(folder)
    try:
        found = _found(root)
        _check_flow(root, flow, found)
        sizes = {name: entry.stat().st_size for name, entry in found.items()}
        if (total := sum(sizes.values())) > MAX_UNPACKED_BYTES:
            raise _too_large(f"{root} is {total:,} bytes, more than the {MAX_UNPACKED_BYTES:,}", sizes)
        data, sizes = _zipped(found)
    except OSError as error:
        raise UsageError(
            f"The code in {root} cannot be packed: {error.filename} cannot be read ({error.strerror}). "
            f"Make it readable, or leave it out with {IGNORE_FILE}."
        ) from None
    if len(data) > MAX_BUNDLE_BYTES:
        raise _too_large(f"{root} packs to {len(data):,} bytes, more than the {MAX_BUNDLE_BYTES:,}", sizes)
    digest = hashlib.sha256(data).hexdigest()
    return Packed(data=data, bundle=Bundle(sha256=digest, size=len(data)), files=len(found))


def _found(root: str) -> dict[str, Entry]:
    """The files to pack by their names, in order."""
    found: dict[str, Entry] = {}
    for name, entry in _entries(root, "", (root,), _rules(root)):
        found[name] = entry
        if len(found) > MAX_FILES:
            parents = Counter(name.rpartition("/")[0] or "." for name in found)
            most = ", ".join(f"{parent} ({count:,})" for parent, count in parents.most_common(3))
            what = f"The code in {root} is more than {MAX_FILES:,} files and folders"
            raise UsageError(f"{what}, most of them in {most}. {ALTERNATIVES}")
    return {name: found[name] for name in sorted(found) if not found[name].is_dir()}


def _entries(root: str, prefix: str, above: tuple[str, ...], rules: Sequence[_Rule]) -> Iterator[tuple[str, Entry]]:
    """Files and folders below a folder that are not left out, by their paths from the root on.

    Args:
        root: the folder to pack, without links in its path.
        prefix: the folder to look at, as the beginning of paths from the root on.
        above: real paths of that folder and of those that it was reached through.
        rules: what is left out.
    """
    with os.scandir(f"{root}/{prefix}") as entries:
        for entry in entries:
            real = f"{above[-1]}/{entry.name}"
            if entry.is_symlink():
                real = os.path.realpath(entry.path)
                if not real.startswith(f"{root}/") or real in above or not Path(real).exists():
                    continue
            name, is_folder = f"{prefix}{entry.name}", entry.is_dir()
            if _left_out(name, entry.name, is_folder, rules) or not (is_folder or entry.is_file()):
                continue
            yield name, entry
            if is_folder:
                yield from _entries(root, f"{name}/", (*above, real), rules)


def _rules(root: str) -> list[_Rule]:
    path = Path(root, IGNORE_FILE)
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    lines = [line.strip() for line in text.splitlines()]
    return [_rule(pattern) for pattern in (*LEFT_OUT, *lines) if pattern and not pattern.startswith("#")]


def _rule(pattern: str) -> _Rule:
    wanted = pattern.removeprefix("!")
    place = wanted.rstrip("/")
    return _Rule(
        matches=re.compile(fnmatch.translate(place.removeprefix("/"))),
        of_path="/" in place,
        folders_only=wanted.endswith("/"),
        leaves_out=wanted == pattern,
    )


def _left_out(path: str, name: str, is_folder: bool, rules: Sequence[_Rule]) -> bool:
    out = False
    for rule in rules:
        wanted = rule.leaves_out is not out and (is_folder or not rule.folders_only)
        if wanted and rule.matches.match(path if rule.of_path else name):
            out = rule.leaves_out
    return out


def _check_flow(root: str, flow: str, names: Collection[str]) -> None:
    """Refuse a flow whose file would not be there; a module may be in the image."""
    place = flow.rpartition(":")[0] or flow
    name = os.path.normpath(place)
    if not place.endswith(".py") or name in names:
        return
    if name.startswith(("/", "../")):
        raise UsageError(
            f"The flow file {place} is not in {root}, whose files travel with the run. "
            "Name the folder that it is in with --bundle, or say --no-bundle when it is in the image."
        )
    if not Path(root, name).is_file():
        raise UsageError(
            f"The flow file {place} does not exist in {root}.{suggestion(name, [*names])} "
            "Give the path from that folder, or say --no-bundle when it is in the image."
        )
    raise UsageError(
        f"The flow file {place} is left out of the code that travels with the run: by its name, by {IGNORE_FILE}, or "
        "since it is a link that leads out of the folder. Give it another name or place, or take it in there."
    )


def _zipped(found: Mapping[str, Entry]) -> tuple[bytes, dict[str, int]]:
    """The zip of the files, and how much of it each one takes."""
    whole = BytesIO()
    with ZipFile(whole, "w") as archive:
        for name, entry in found.items():
            info = ZipInfo(name, EPOCH)
            executable = entry.stat().st_mode & stat.S_IXUSR
            info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            try:
                archive.writestr(info, Path(entry.path).read_bytes(), ZIP_DEFLATED, LEVEL)
            except UnicodeEncodeError:
                raise UsageError(
                    f"The file name {name!r} is not UTF-8. Rename the file, or leave it out with {IGNORE_FILE}."
                ) from None
    return whole.getvalue(), {info.filename: info.compress_size for info in archive.infolist()}


def _too_large(what: str, sizes: Mapping[str, int]) -> UsageError:
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:3]
    files = ", ".join(f"{name} ({sizes[name]:,} bytes)" for name in largest)
    return UsageError(f"The code in {what} that travel with a run; its largest files are {files}. {ALTERNATIVES}")
