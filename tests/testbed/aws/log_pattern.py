"""Filter patterns of CloudWatch Logs for text: terms, phrases and regular expressions.

Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail" in the
CloudWatch Logs User Guide. Patterns for JSON and for fields between spaces are refused here.
"""

import re
from collections.abc import Callable

from moto.logs.exceptions import InvalidParameterException

TERM = re.compile(r'\s*(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>\w+)|%(?P<pattern>[^%]+)%)(?=\s|$)')


def matcher(pattern: str | None) -> Callable[[str], bool]:
    """What tells whether a message matches.

    Raises:
        InvalidParameterException: the pattern is none, or of a kind that is not known here.
    """
    text, place = (pattern or "").strip(), 0
    signs: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
    while place < len(text):
        term = TERM.match(text, place)
        if term is None:
            raise InvalidParameterException(f"Invalid filter pattern: {text[place:]!r} is not a term of text here.")
        signs[term["sign"]].append(_test(term))
        place = term.end()
    return lambda message: (
        all(test(message) for test in signs[""])
        and not any(test(message) for test in signs["-"])
        # Optional terms do not count beside others.
        and (bool(signs[""]) or not signs["?"] or any(test(message) for test in signs["?"]))
    )


def _test(term: re.Match[str]) -> Callable[[str], bool]:
    if term["pattern"] is not None:
        expression = re.compile(term["pattern"])
        return lambda message: expression.search(message) is not None
    wanted = term["word"] if term["word"] is not None else re.sub(r"\\(.)", r"\1", term["phrase"])
    return lambda message: wanted in message
