"""Where in a stack's file the options are that a finding may come from."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from stacks.review.comparing import changes
from stacks.review.preview import Preview, Step
from stacks.review.report import Pointer

NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What Pulumi allows as the name of a stack."""
ENVIRONMENT = re.compile(r"penstock:index:\w+Environment")
FOLDER = "stacks"
LONGEST = 1_000_000


class StackFile:
    """The file of a preview's stack, as far as it can be read."""

    def __init__(self, preview: Preview, folder: Path) -> None:
        """Read the file, if it is there.

        Args:
            preview: of the stack.
            folder: with the stacks' files; it needs not to have this one's.
        """
        self._path = f"{FOLDER}/Pulumi.{preview.stack}.yaml" if NAME.fullmatch(preview.stack) else ""
        self._lines = _lines(folder / f"Pulumi.{preview.stack}.yaml") if self._path else {}
        self._changed = _changed_options(preview.steps)

    def pointer(self, candidates: Iterable[str]) -> Pointer:
        """Where to look.

        That is those of the candidates that the change has edited, else what it has edited if that is one option only,
        else the candidates that the file has, else the file.
        """
        wanted = list(candidates)
        options = [option for option in wanted if option in self._changed]
        if not options and len(self._changed) == 1:
            options = self._changed
        if not options:
            options = [option for option in wanted if option in self._lines]
        line = next((self._lines[option] for option in options if option in self._lines), None)
        return Pointer(file=self._path, options=tuple(options), line=line)


def _changed_options(steps: Iterable[Step]) -> list[str]:
    """Arguments of the stack's environment that the change edits; none where it is created or removed."""
    for step in steps:
        if ENVIRONMENT.fullmatch(step.type) and step.old is not None and step.new is not None:
            names = (re.split(r"[.\[]", change.path, maxsplit=1)[0] for change in changes(step.old, step.new))
            return list(dict.fromkeys(names))
    return []


def _lines(path: Path) -> Mapping[str, int]:
    """Lines of the keys of any namespace in a file; its YAML is not read, so that an odd one costs only the line."""
    try:
        text = path.read_text(encoding="utf-8")[:LONGEST]
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"""\s+["']?[\w.-]+:(\w+)["']?:(\s|$)""", line):
            found.setdefault(match[1], number)
    return found
