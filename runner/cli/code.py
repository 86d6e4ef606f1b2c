"""Decides which of the user's code travels with a run: none to this machine, to a container what is here."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.command import say
from runner.environment import Environment
from runner.errors import UsageError
from runner.sections import Kind

if TYPE_CHECKING:
    from runner.launch.pack import Packed


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the code is."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--bundle", metavar="DIR", help="folder whose files travel to the container (default: the flow file's)"
    )
    where.add_argument("--no-bundle", action="store_true", help="the code is in the image, at the path that FLOW names")
    parser.add_argument("--image", metavar="IMAGE", help="container image of this run (default: the environment's)")


def code_of(options: argparse.Namespace, environment: Environment) -> "tuple[str, Packed | None]":
    """The flow as the runner is to find it, and the code that travels; null where that is none.

    Raises:
        UsageError: the options cannot be for such an environment, or there is no such file.
    """
    path, colon, name = options.flow.partition(":")
    if environment.kind is Kind.LOCAL:
        for option in ("bundle", "no_bundle", "image"):
            if getattr(options, option):
                raise UsageError(
                    f"--{option.replace('_', '-')} is for containers, and {environment.name} runs on this machine. "
                    "Leave it out, or choose another environment."
                )
        moved = environment.local is not None and environment.local.working_directory
        absolute = moved and Path(path).is_file()
        return (f"{Path(path).absolute()}{colon}{name}" if absolute else options.flow), None
    if options.no_bundle:
        return options.flow, None
    folder = _folder(options.bundle, path)
    if folder is None:
        return options.flow, None
    if path.endswith(".py"):
        path = _below(Path(path), folder)
    flow = f"{path}{colon}{name}"
    from runner.launch.pack import pack  # not for local runs, which need no zip

    packed = pack(folder, flow=flow)
    say(f"penstock: {packed.files} files of {folder} ({packed.bundle.size / 1024:,.1f} KiB) travel with the run")
    return flow, packed


def _folder(given: str | None, path: str) -> Path | None:
    """The folder whose files travel; null where the code can only be in the image."""
    if given is not None:
        if not Path(given).is_dir():
            raise UsageError(f"--bundle {given} is not a folder. Name the one that the flow's files are in.")
        return Path(given)
    if path.endswith(".py"):
        if not Path(path).is_file():
            raise UsageError(
                f"There is no file {path} here. Correct its name, or say --no-bundle when it is in the image."
            )
        return Path(path).parent
    top = path.partition(".")[0]
    here = Path.cwd()
    return here if (here / f"{top}.py").is_file() or (here / top).is_dir() else None


def _below(file: Path, folder: Path) -> str:
    inside = file if file.is_file() else folder / file
    try:
        return inside.resolve(strict=True).relative_to(folder.resolve()).as_posix()
    except (OSError, ValueError):
        raise UsageError(
            f"The flow file {file} is not in {folder}. Name the folder that it is in with --bundle."
        ) from None
