"""Takes sentences apart into words and names, so that each is written as its output needs it."""

import string
from collections.abc import Iterator

from stacks.review.finding import Sentence


def parts(sentence: Sentence) -> Iterator[tuple[str, bool]]:
    """The parts of a sentence in order, each with whether it is a name."""
    names = iter(sentence.names)
    words = ""
    for more, place in pieces(sentence.text):
        words += more
        if place is not None:
            if words:
                yield words, False
            yield next(names, ""), True
            words = ""
    if words:
        yield words, False


def fits(sentence: Sentence) -> bool:
    """Whether a sentence has as many places as names, and none that is more than a place."""
    try:
        found = [place for _, *place in string.Formatter().parse(sentence.text) if place[0] is not None]
    except ValueError:
        return False
    return all(place == ["", "", None] for place in found) and len(found) == len(sentence.names)


def pieces(text: str) -> list[tuple[str, str | None]]:
    """Words and the place behind them; all of it words, when the text is none that `str.format` takes."""
    try:
        return [(words, place) for words, place, *_ in string.Formatter().parse(text)]
    except ValueError:
        return [(text, None)]
