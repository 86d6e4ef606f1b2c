"""Names of fields and variables whose values are credentials, told from those that only say where a credential is."""

import re
from functools import lru_cache
from itertools import pairwise

PHRASES = frozenset(
    {
        *("password", "passwords", "passwd", "passphrase", "secret", "secrets", "token", "tokens", "credential"),
        *("credentials", "apikey", "apikeys", "privatekey", "accesskey", "kubeconfig", "dockerconfigjson"),
        *("api key", "api keys", "private key", "access key", "access keys", "secret key"),
        *("signing key", "encryption key", "auth key", "account key", "shared key", "master key", "license key"),
        *("ssh key", "deploy key", "session key", "connection string"),
    }
)
"""Words, one or two beside each other, that make a name one of a credential."""
LAST_WORDS = frozenset({"pass", "pwd"})
"""Words that do so at the end of a name of several: DB_PASS, but not PWD."""
STRONG = frozenset({"password", "passwords", "passwd", "passphrase", "pass", "pwd", "privatekey", "key", "apikey"})
"""Words whose values are never names of objects: `secret: flights` may name one, `password: flights` does not."""
REFERENCES = frozenset(
    {
        *("arn", "arns", "name", "names", "ref", "refs", "reference", "id", "ids", "url", "urls", "uri", "path"),
        *("paths", "file", "files", "prefix", "from", "type", "types", "version", "versions", "policy", "length"),
        *("required", "reset", "authentication", "expiration", "expiry", "validity", "ttl", "units", "duration"),
        *("lifetime", "age", "days", "hours", "minutes", "seconds", "time", "issue", "rotation", "enabled"),
        *("mutable", "format", "endpoint", "issuer", "audience", "manager", "store", "provider", "source"),
        *("location", "bucket", "namespace", "class", "role", "count", "size", "limit", "limits", "mount"),
        *("mounts", "volume", "volumes", "dir", "directory", "folder", "driver", "request", "requests"),
        *("permission", "permissions", "action", "actions", "algorithm", "method", "parameter", "status", "state"),
        *("config", "configuration", "settings", "options", "mode", "rule", "rules", "server", "service", "generator"),
        *("description", "usage", "scope", "scopes", "region", "kind", "label", "labels", "items", "selector"),
    }
)
"""Words behind those that make it a name of something else: where the credential is, how old it may become."""
SWITCHES = frozenset(
    {"enable", "is", "has", "use", "uses", "allow", "disable", "require", "requires", "automount", "max", "min"}
)
"""First words of names of switches."""
NOT_SECRET = frozenset({"image pull secrets", "http tokens", "external secrets", "secrets"})
"""Whole names that hold no credential themselves: `secrets` lists where each one is."""
ACCESS_KEY_ID = "access key id"
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
PIECES = re.compile(r"[:/.]")


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether the value of a field or variable of that name, in camelCase, snake_case or kebab-case, is a credential.

    Of a name with a prefix, as `penstock:api_token` or `spring.datasource.password`, the last part counts.
    """
    words = _words(name)
    whole = " ".join(words)
    if not words or whole in NOT_SECRET or words[0] in SWITCHES:
        return False
    if whole.endswith(ACCESS_KEY_ID) or (len(words) > 1 and words[-1] in LAST_WORDS):
        return True
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    ends = [i + 1 for i, word in enumerate(words) if word in PHRASES]
    ends += [i + 2 for i, pair in enumerate(pairs) if pair in PHRASES]
    return bool(ends) and not REFERENCES.intersection(words[min(ends) :])


def lists_secrets(name: str) -> bool:
    """Whether a list of that name says where secrets are."""
    return _words(name) == ["secrets"]


def says_where(name: str) -> bool:
    """Whether a field tells something about a credential, as where it is, beside the field that holds it."""
    return not REFERENCES.isdisjoint(_words(name)[-1:])


@lru_cache(maxsize=8192)
def is_strong_name(name: str) -> bool:
    """Whether such a value is a credential even when it looks like a name."""
    return is_secret_name(name) and not STRONG.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(PIECES.split(name[-200:])[-1])]
