"""Who asks: keys that are known here, what they may do, and whether a request is really signed with them."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.testbed.aws.permissions import Policy
from tests.testbed.aws.roles import ACCOUNT, policies_of
from tests.testbed.aws.task import ProcessTask

ROOT_KEY = "AKIAPENSTOCKTESTROOT"
ROOT_SECRET = "not-a-secret"  # noqa: S105 it opens nothing but this test server
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>[0-9a-f]+)"
)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A user or a role."""

    arn: str
    access_key: str
    secret_key: str
    token: str | None = None
    policies: Sequence[Policy] | None = None
    """What it may do; null for everything, and for a role that has it in IAM."""
    role: str | None = None
    """Name of the role whose policies in IAM count; null for a user."""

    @property
    def may_do_all(self) -> bool:
        return self.policies is None and self.role is None

    def granted(self) -> Sequence[Policy]:
        """The policies that count now."""
        return (self.policies or ()) if self.role is None else policies_of(self.role)


class Principals:
    """All that are known."""

    def __init__(self) -> None:
        root = Principal(arn=f"arn:aws:iam::{ACCOUNT}:root", access_key=ROOT_KEY, secret_key=ROOT_SECRET)
        self._known = {ROOT_KEY: root}

    def find(self, access_key: str) -> Principal | None:
        """Who has a key; null for nobody."""
        return self._known.get(access_key)

    def user(self, name: str, policies: Sequence[Policy]) -> Principal:
        """A new user, who may do what the policies say."""
        made = Principal(
            arn=f"arn:aws:iam::{ACCOUNT}:user/{name}",
            access_key=f"AKIA{secrets.token_hex(8).upper()}",
            secret_key=secrets.token_hex(16),
            policies=policies,
        )
        self._known[made.access_key] = made
        return made

    def of_task(self, task: ProcessTask) -> Principal:
        """The role of a task, with temporary keys of its own."""
        name = str(task.task_role).rpartition("/")[2]
        access_key = f"ASIA{hashlib.sha256(task.id.encode()).hexdigest()[:16].upper()}"
        known = self._known.get(access_key)
        if known is None:
            known = Principal(
                arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{task.id}",
                access_key=access_key,
                secret_key=secrets.token_hex(16),
                token=secrets.token_hex(16),
                role=name,
            )
            self._known[access_key] = known
        return known


def signature_holds(
    principal: Principal,
    parts: Mapping[str, str],
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> bool:
    """Whether a request is signed with the principal's keys, by botocore's own reckoning.

    Args:
        principal: whose keys they should be.
        parts: groups of the AUTHORIZATION pattern.
        method: of the request.
        url: as it was asked for, with its host.
        headers: all headers, by lower-case name.
        body: the body; null where it was not read.
    """
    signed = {name: headers[name] for name in parts["names"].split(";") if name in headers and name != "host"}
    request = AWSRequest(method=method, url=url, headers=signed, data=body or b"")
    request.context["timestamp"] = headers.get("x-amz-date", "")
    kind = S3SigV4Auth if parts["service"] == "s3" else SigV4Auth
    auth = kind(Credentials(principal.access_key, principal.secret_key), parts["service"], parts["region"])
    text = auth.string_to_sign(request, auth.canonical_request(request))
    claimed = headers.get("x-amz-content-sha256", "")
    if body is not None and re.fullmatch(r"[0-9a-f]{64}", claimed) and hashlib.sha256(body).hexdigest() != claimed:
        return False
    token_fits = principal.token is None or headers.get("x-amz-security-token") == principal.token
    return token_fits and bool(auth.signature(text, request) == parts["signature"])
