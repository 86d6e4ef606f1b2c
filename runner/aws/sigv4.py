"""Signs requests to AWS. Source: "Create a signed AWS API request" (Signature Version 4) in the IAM User Guide."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
DATE = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a request is signed with."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """Session token of temporary keys; null for lasting ones."""
    expires_at: float | None = None
    """When they end, in seconds since 1970; null for never, or when nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a signature is good for."""

    region: str
    service: str
    """Name that the service signs by, such as `ecs` or `s3`."""


def signed(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Keys,
    scope: Scope,
    at: float,
) -> dict[str, str]:
    """The headers of a request, with those that sign it.

    Args:
        method: the HTTP method.
        path: the path as it is sent, percent-encoded once.
        query: parameters, not encoded.
        headers: all that is to be signed; `Host` among them.
        body: the body.
        keys: who asks.
        scope: what the signature is good for.
        at: the time of the request, in seconds since 1970; AWS takes five minutes of difference.
    """
    stamp = time.strftime(DATE, time.gmtime(at))
    digest = hashlib.sha256(body).hexdigest()
    given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    given["x-amz-date"] = stamp
    if scope.service == "s3":
        given["x-amz-content-sha256"] = digest
    if keys.token:
        given["x-amz-security-token"] = keys.token
    names = ";".join(sorted(given))
    canonical = "\n".join(
        [
            method,
            # Every service but S3 wants the path encoded a second time.
            path if scope.service == "s3" else quote(path),
            canonical_query(query),
            *(f"{name}:{given[name]}" for name in sorted(given)),
            "",
            names,
            digest,
        ]
    )
    where = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join([ALGORITHM, stamp, where, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{keys.secret_key}".encode()
    for part in where.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    given["authorization"] = (
        f"{ALGORITHM} Credential={keys.access_key}/{where}, SignedHeaders={names}, Signature={signature}"
    )
    return given


def canonical_query(query: Mapping[str, str]) -> str:
    """Parameters as they are signed, which is a way to send them as well."""
    # By name: as a whole, `a-b=1` would come before `a=1`.
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)
