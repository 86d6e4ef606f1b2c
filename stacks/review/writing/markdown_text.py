"""Puts texts into Markdown of GitHub so that nothing in them acts: no markup, HTML, mention, reference or link."""

import html
import re
from urllib.parse import quote

from stacks.review.finding import Sentence
from stacks.review.writing.sentence_parts import parts
from stacks.review.writing.shown import shortened

LONGEST_NAME = 200
"""Characters of a name that are shown."""
LONGEST_SENTENCE = 800
"""Characters of all the words, and of all the names, of a sentence."""
LONGEST_WRITTEN = 4000
"""Characters after which a sentence of too many parts ends."""
SHORTEST_NAME = 20
"""Characters that are left of a name beside many others."""
WORD = re.compile(
    r"(?:[A-Za-z]+(?:['/-][A-Za-z]+){0,3}|[0-9]{1,6}(?:,[0-9]{3})*(?:\.[0-9]{1,2})?%?|[0-9]{4}-[0-9]{2}-[0-9]{2}|-|)"
)
"""Words that mean themselves; any other, as `@team`, `#12`, `www.example.com` or `max_workers`, goes into code."""
AROUND = re.compile(r"([(\"']*)(.*?)([)\"'.,;:?]*)", re.DOTALL)
LINKED_PATH = re.compile(r"(?!.*\.\.)[\w-][\w./-]{0,300}")
SOURCE = re.compile(r"https?://[\w.-]+(?::[0-9]+)?/[\w./~%+-]*")


def code(text: str, longest: int = LONGEST_NAME) -> str:
    """A text as a span of code, cut when it is long."""
    seen = _without_comment(shortened(text, longest))
    if not seen.strip(" "):
        # There is no empty span, and one of spaces cannot be seen.
        seen = f'"{seen}"'
    fence = _fence(seen, 1)
    pad = " " if seen[0] in "` " or seen[-1] in "` " else ""
    return f"{fence}{pad}{seen}{pad}{fence}"


def cell(text: str, longest: int = LONGEST_NAME) -> str:
    r"""The same inside of a table, where a bar would end the cell; behind a backslash it would all the same."""
    return re.sub(r"(\\*)\|", _bar, code(text, longest))


def words(text: str, longest: int = LONGEST_SENTENCE) -> str:
    """Words of ours, or of a report that says they are, as text; what could act among them as spans of code."""
    seen = shortened(text, longest)
    # At the beginning of a line these would make a list.
    begins = re.match(r"(?:[0-9]+[.)]|-)(?= |$)", seen)
    if begins is not None:
        return code(begins[0]) + words(seen[begins.end() :], longest)
    return re.sub(r"[^ ]+", _word, seen)


def sentence(what: Sentence, *, capital: bool = True) -> str:
    """A sentence with its names in spans of code; with a capital letter at its beginning when it stands alone."""
    longest = max(SHORTEST_NAME, min(LONGEST_NAME, LONGEST_SENTENCE // max(len(what.names), 1)))
    text = ""
    for part, is_name in parts(what):
        if len(text) > LONGEST_WRITTEN:
            return text + " ..."
        if is_name:
            text += _apart(text) + code(part, longest)
        else:
            written = words(part)
            text += (_apart(text) if written.startswith("`") else "") + written
    return text[:1].upper() + text[1:] if capital else text


def block(lines: list[str], language: str) -> str:
    """A block of code that nothing in its lines can end. They are visible already."""
    text = _without_comment("\n".join(lines))
    fence = _fence(text, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def summary(text: str) -> str:
    """A text for `<summary>`, in which Markdown means nothing."""
    return f"<summary>{html.escape(text)}</summary>"


def link(text: str, source: str, path: str, line: int | None) -> str:
    """A file's name as a link to it.

    Args:
        text: what is shown, in Markdown.
        source: address of the checkout's files, as `https://github.com/owner/name/blob/main`; without a link when
            empty, or no address.
        path: of the file in it; without a link when it leads out of the checkout.
        line: from 1.
    """
    address = source.rstrip("/") + "/"
    if not source or not SOURCE.fullmatch(address) or not LINKED_PATH.fullmatch(path):
        return text
    return f"[{text}]({address}{quote(path)}{f'#L{line}' if line else ''})"


def _without_comment(text: str) -> str:
    # Whoever looks for the comment's marker in its source finds the one that is.
    return text.replace("<!--", "<\\x21--")


def _fence(text: str, shortest: int) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(shortest, longest + 1)


def _bar(match: "re.Match[str]") -> str:
    return f"{match[1]}\\u007c" if match[1] else "\\|"


def _apart(before: str) -> str:
    # Two spans of code that touch would be one, or none.
    return " " if before.endswith("`") else ""


def _word(match: "re.Match[str]") -> str:
    found = match[0]
    around = AROUND.fullmatch(found)
    if around is None or WORD.fullmatch(around[2]) is None:
        return code(found) if around is None else f"{around[1]}{code(around[2])}{around[3]}"
    return found
