"""A base image with Python, made of the packages of the Debian or Ubuntu that this runs on.

It stands in for `python:3.x-slim` where no registry can be reached: the system's Python without documentation, locales
and package manager, a shell, and the certificates of public authorities.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tools import tool_cache
from tools.errors import CommandError
from tools.images import archive
from tools.paths import CHECKOUT
from tools.processes import quiet
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "penstock.local/python:debian"
CONFIG = {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
    "Cmd": ["python3"],
}
PACKAGES = (
    "base-files", "busybox-static", "ca-certificates", "libstdc++6", "media-types", "netbase", "python3", "tzdata"
)  # fmt: skip
# Only the scripts that run when a package is installed on a machine need these.
LEFT_OUT = re.compile(r"(debconf|dpkg|mawk|openssl|perl-base|tar|gcc-[0-9]+-base)_")
TRIMMED = re.compile(
    r"usr/share/(base-files|bug|common-licenses|doc|doc-base|gdb|info|lintian|locale|man|menu|pixmaps)(/|$)"
    r"|usr/lib/([^/]+/gconv|valgrind)(/|$)"
    r"|usr/lib/python3[^/]*/(distutils|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo)(/|$)"
    r"|usr/lib/python3[^/]*/EXTERNALLY-MANAGED$"
)
CERTIFICATES = "usr/share/ca-certificates/"
# Commands of busybox that Dockerfiles call, and whoever looks into a container.
COMMANDS = (
    "cat", "chmod", "chown", "cp", "cut", "date", "df", "du", "echo", "env", "false", "find", "grep", "gzip", "head",
    "id", "kill", "ln", "ls", "mkdir", "mv", "printf", "ps", "pwd", "rm", "rmdir", "sed", "sh", "sleep", "sort", "stat",
    "tail", "tar", "test", "touch", "tr", "true", "uname", "vi", "wc", "which", "xargs",
)  # fmt: skip
# Links into `usr` on every Debian since 12; packages still have files under these names.
MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")


def base() -> Path:
    """Makes the image, the first time.

    Returns:
        A folder in the tool cache: `image.tar` is the image, `python-version` says which Python it has, such as 3.11.

    Raises:
        CommandError: The packages cannot be had.
    """
    # Other packages on another release of the system; newer ones of the same are only for the tests to run with.
    pins = [Path(__file__).read_bytes(), Path(archive.__file__).read_bytes(), Path("/etc/os-release").read_bytes()]
    return tool_cache.obtain(tool_cache.folder_for("debian-base", pins), _make)


def install(package: str) -> None:
    """Installs a package on this machine, which takes root.

    Raises:
        CommandError: It cannot be had.
    """
    unattended = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _apt(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], CHECKOUT, unattended)


def _apt(command: list[str], folder: Path, env: Mapping[str, str]) -> None:
    try:
        quiet(command, cwd=folder, env=env)
    except CommandError:
        quiet(["apt-get", "update", "-q"], cwd=folder, env=env)  # its lists are missing, or too old for the servers
        quiet(command, cwd=folder, env=env)


def _make(folder: Path) -> None:
    with step("Making a base image of Debian packages"), tempfile.TemporaryDirectory() as place:
        layer = archive.Layer()
        version = _fill(layer, _download(Path(place)))
        archive.write(folder / "image.tar", layer.finish(), name=NAME, config=CONFIG)
        (folder / "python-version").write_text(version)


def _download(folder: Path) -> list[Path]:
    """Lets apt find out what the packages need on an empty machine, and fetch and verify it."""
    (folder / "partial").mkdir()
    own = [f"Dir::Cache::archives={folder}/", "Dir::State::status=/dev/null", "Debug::NoLocking=1"]
    # Otherwise it warns that its unprivileged user cannot write into the temporary folder.
    options = [word for option in (*own, "APT::Sandbox::User=root") for word in ("-o", option)]
    command = ["apt-get", "install", "-q", "-y", "--download-only", "--no-install-recommends", *options, *PACKAGES]
    _apt(command, folder, os.environ)
    return sorted(file for file in folder.glob("*.deb") if not LEFT_OUT.match(file.name))


def _fill(layer: archive.Layer, packages: list[Path]) -> str:
    """Adds all files.

    Returns:
        The version of Python among them.
    """
    seen = {"dev", "proc", "sys", "usr", *MERGED, *(f"usr/{name}" for name in MERGED)}
    for name in ("dev", "proc", "sys", "usr"):
        layer.folder(name)
    for name in MERGED:
        layer.folder(f"usr/{name}")
        layer.link(name, f"usr/{name}")
    authorities = []
    for member, content in _members(packages):
        if member.name in seen or TRIMMED.match(member.name):
            continue
        if content and member.name.startswith(CERTIFICATES):
            authorities.append(content.read())
            continue
        seen.add(member.name)
        layer.add(member, content)
    for command in COMMANDS:
        if f"usr/bin/{command}" not in seen:
            layer.link(f"usr/bin/{command}", "busybox")
    layer.file("etc/ssl/certs/ca-certificates.crt", b"".join(authorities))
    layer.link("usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt")
    layer.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n")
    layer.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    # Where this Python looks for what pip has installed.
    (version,) = (match[1] for name in seen if (match := re.fullmatch(r"usr/lib/python(3\.\d+)", name)))
    for path in ("usr/local/lib", f"usr/local/lib/python{version}", f"usr/local/lib/python{version}/dist-packages"):
        layer.folder(path)
    return version


def _members(packages: list[Path]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    for package in packages:
        with (
            subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacker,
            tarfile.open(fileobj=unpacker.stdout, mode="r|") as tar,
        ):
            for member in tar:
                member.name = _merged(member.name)
                if member.islnk():
                    member.linkname = _merged(member.linkname)
                if member.name:
                    yield member, tar.extractfile(member) if member.isreg() else None


def _merged(name: str) -> str:
    name = name.removeprefix(".").strip("/")
    return f"usr/{name}" if name.split("/", 1)[0] in MERGED else name
