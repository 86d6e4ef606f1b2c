"""One edit of a stack's file that a preview is recorded of."""

from dataclasses import dataclass

LITERALLY = "="
"""In front of a value that is text, whatever it looks like."""
SHOWN = (("preview",), ("preview", "--diff"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One preview."""

    name: str
    """Of its file, and of the case in tests."""
    place: str
    edits: tuple[tuple[str, str], ...] = ()
    """Paths of the stack's file and their values; the value - takes a key away."""
    command: tuple[str, ...] = ("preview", "--json")
    streamed: bool = False
    """Whether it is one of events."""
    first: bool = False
    """Whether it is of a stack that does not exist yet."""

    @property
    def file(self) -> str:
        """Name of its file; what Pulumi itself shows to people is text."""
        return f"{self.name}.{'txt' if self.command in SHOWN else 'json'}"


def edit(place: str, name: str, *edits: tuple[str, str]) -> Case:
    """An edit of a stack of ours."""
    return Case(name=f"{place}-{name}", place=place, edits=edits)


def resource(place: str, name: str, *edits: tuple[str, str]) -> Case:
    """An edit of what a program beside ours creates."""
    return edit(place, name, *((f"resources.{path}", value) for path, value in edits))


def whole(place: str) -> tuple[Case, ...]:
    """From nothing, without an edit, and to nothing."""
    return (
        Case(name=f"{place}-create", place=place, first=True),
        Case(name=f"{place}-same", place=place),
        Case(name=f"{place}-destroy", place=place, command=("destroy", "--preview-only", "--json")),
    )
