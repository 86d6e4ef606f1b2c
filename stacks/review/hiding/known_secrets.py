"""Replaces what is known to be secret, in each form in which it may stand in a text."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from urllib.parse import quote, quote_plus

from stacks.review.hiding.looks_secret import REPLACEMENT

SHORTEST = 4
"""Characters of the shortest secret that is looked for elsewhere: a shorter one would tear up every text."""
SHORTEST_INSIDE = 8
"""Characters of the shortest one that is looked for inside of words too."""
SHORTEST_LINE = 20
"""Characters of the shortest line of a secret that is looked for by itself."""
PUBLIC = re.compile(
    r"true|false|none|null|name|names|value|values|data|type|spec|kind|metadata|labels|default|latest|enabled|disabled|required"
    r"|optional|admin|root|user|test|prod|production|staging|main|Allow|Deny|Effect|Action|Resource|Principal|Statement"
    r"|cluster-admin|edit|view|system:[a-z:-]+|privileged|aws|http|https|tcp|udp|localhost|kube-system"
    r"|(?:iam|sts|s3|ec2|ecs|ecr|kms|ssm|logs|secretsmanager|lambda|rds|dynamodb|sqs|sns|eks|events|batch|glue):[A-Za-z]*\*?"
    r"|(?:arn|urn):\S+|\*+|-?[0-9]{1,5}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{12}"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?|[0-9a-f:]*::[0-9a-f:]*(?:/[0-9]{1,3})?"
    r"|(?:us|eu|ap|sa|ca|me|af|il|cn)-[a-z-]+-[0-9][a-z]?"
)
"""Words that changes are judged by, and that everybody knows.

Hidden at their own place, and nowhere else: hiding every `cluster-admin` because somebody has it for a password would
make the review blind.
"""
NAME = re.compile(r"/?[A-Z]?[a-z]+(?:[-_./:][a-z]+|[-_./:][0-9]+)*|[A-Z][A-Z_]+")
"""What names of objects look like: `penstock.local/flights:test`, `eu-west-1`, `TASK_DEFINITION`."""


def may_be_name(text: str) -> bool:
    """Whether a text looks like the name of an object."""
    return NAME.fullmatch(text) is not None


def looked_for(text: str, *, beside_names: bool) -> Iterator[str]:
    """The texts to look for elsewhere when this one is secret.

    Args:
        text: what is secret.
        beside_names: whether it is beside others that are not, as a user's name is beside the password.
    """
    plain = text.strip()
    if len(plain) < SHORTEST or PUBLIC.fullmatch(plain) or (beside_names and may_be_name(plain)):
        return
    yield plain
    if "\n" in plain:
        lines = (line.strip() for line in plain.splitlines())
        yield from (line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith("-----"))


def without_known(text: str, known: frozenset[str]) -> str:
    """The text with "(secret)" in the place of all that is known to be secret."""
    pattern = _pattern(known)
    return pattern.sub(REPLACEMENT, text) if pattern is not None else text


@lru_cache(maxsize=8)
def _pattern(known: frozenset[str]) -> "re.Pattern[str] | None":
    forms = {form for secret in known for form in _forms(secret) if len(form) >= SHORTEST}
    return re.compile(_either(sorted(forms))) if forms else None


def _either(forms: list[str]) -> str:
    """An expression for many texts, the longest first; grouped by how they begin, so that few are tried at a place."""
    groups = []
    for first, begun in groupby(forms, key=lambda form: form[0]):
        seconds = []
        for second, group in groupby(begun, key=lambda form: form[1]):
            rests = sorted(group, key=len, reverse=True)
            seconds.append(re.escape(second) + "(?:" + "|".join(map(_rest, rests)) + ")")
        groups.append(re.escape(first) + "(?:" + "|".join(seconds) + ")")
    return "|".join(groups)


def _rest(form: str) -> str:
    # A short one stands by itself: "demo" is no part of "democracy".
    if len(form) >= SHORTEST_INSIDE:
        return re.escape(form[2:])
    return rf"{re.escape(form[2:])}(?<![A-Za-z0-9]{re.escape(form)})(?![A-Za-z0-9])"


def _forms(secret: str) -> Iterable[str]:
    """How a secret may be written: as it is, in JSON, in a URL, in base64 by itself or with something around it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(json.dumps(secret))[3:-3]
    yield quote(secret, safe="", errors="surrogatepass")
    yield quote(secret, errors="surrogatepass")
    yield quote_plus(secret, errors="surrogatepass")
    data = secret.encode(errors="surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield whole
        yield whole.rstrip("=")
        for before in range(3):
            # What stands before and after changes the first and the last characters.
            encoded = encode(b"\0" * before + data).decode().rstrip("=")
            is_cut = (before + len(data)) % 3 > 0
            inner = encoded[(0, 2, 3)[before] : len(encoded) - is_cut]
            if len(inner) >= SHORTEST_INSIDE:
                yield inner
