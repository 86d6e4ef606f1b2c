"""A text that must not become too long: what does not fit is left out whole."""

from collections.abc import Iterable
from itertools import takewhile


def units(text: str) -> int:
    """How long a text is for GitHub at most: characters beyond the first 65,536 of Unicode may count as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Room:
    """Blocks of text with a limit for all of them."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.blocks: list[str] = []

    def add(self, block: str) -> bool:
        """Puts a block at the end when there is room for it, and tells whether there was."""
        needed = units(block)
        if needed > self.left:
            return False
        self.left -= needed
        self.blocks.append(block)
        return True

    def add_folded(self, opening: str, entries: Iterable[str], closing: str) -> int:
        """Puts as many entries as there is room for between two texts, and tells how many those are."""
        inside = Room(self.left - units(opening) - units(closing))
        taken = sum(1 for _ in takewhile(inside.add, entries))
        if taken:
            self.add(opening + str(inside) + closing)
        return taken

    def __str__(self) -> str:
        return "".join(self.blocks)
