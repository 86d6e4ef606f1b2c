"""Signatures are those that botocore makes, whatever is asked for."""

from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from runner.aws.sigv4 import Keys, Scope, canonical_query, signed
from tests.runner.strategies import TEXT

HOST = "service.eu-west-1.amazonaws.com"
PATHS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), max_size=12), max_size=4)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E) | st.just(" "), max_size=20)
"""What a header may hold."""
NAMES = st.sampled_from(["Content-Type", "X-Amz-Target", "x-amz-Meta-A", "X-Amz-Tagging"])
KEYS = st.builds(
    Keys,
    access_key=st.from_regex(r"A[A-Z0-9]{19}", fullmatch=True),
    secret_key=st.from_regex(r"[A-Za-z0-9/+]{40}", fullmatch=True),
    token=st.none() | st.from_regex(r"[A-Za-z0-9/+=]{1,80}", fullmatch=True),
)
LASTING = Keys(access_key="AKIAIOSFODNN7EXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")  # noqa: S106 the guide's
TIMES = st.floats(0, datetime(2100, 1, 1, tzinfo=UTC).timestamp())


def botocores(request: AWSRequest, keys: Keys, scope: Scope, at: float) -> dict[str, str]:
    """The headers of the request after botocore has signed it."""
    signer = S3SigV4Auth if scope.service == "s3" else SigV4Auth
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    now = datetime.fromtimestamp(int(at), UTC).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        signer(credentials, scope.service, scope.region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    service=st.sampled_from(["ecs", "logs", "ssm", "s3"]),
    region=st.sampled_from(["eu-west-1", "us-gov-west-1", "cn-north-1"]),
    parts=PATHS,
    query=st.dictionaries(TEXT, TEXT, max_size=4),
    headers=st.dictionaries(NAMES, VALUES, max_size=4),
    body=st.binary(max_size=200),
    keys=KEYS,
    at=TIMES,
)
def test_a_signature_is_botocores(
    method: str,
    service: str,
    region: str,
    parts: list[str],
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    keys: Keys,
    at: float,
) -> None:
    # botocore resolves dots in paths of other services than S3; Penstock has no such path.
    path = "/" + "/".join(parts if service == "s3" else [part for part in parts if part not in {"", ".", ".."}])
    encoded, scope = quote(path, safe="/-_.~"), Scope(region=region, service=service)
    words = canonical_query(query)
    url = f"https://{HOST}{encoded}{'?' if words else ''}{words}"

    mine = signed(method, encoded, query, {"Host": HOST, **headers}, body, keys=keys, scope=scope, at=at)

    # The same headers are signed by both: botocore itself would leave out none of these.
    theirs = botocores(AWSRequest(method, url, headers=dict(headers), data=body), keys, scope, at)
    assert mine["authorization"] == theirs["authorization"]
    assert {name: mine[name] for name in theirs if name.startswith("x-amz-") and name not in lower(headers)} == {
        name: value for name, value in theirs.items() if name.startswith("x-amz-") and name not in lower(headers)
    }


def lower(headers: dict[str, str]) -> set[str]:
    return {name.lower() for name in headers}


def test_a_signature_is_that_of_the_example_in_the_guide_to_s3() -> None:
    """Source: "Example: GET Object" in "Authenticating Requests: Using the Authorization Header" of the S3 API."""
    headers = {"Host": "examplebucket.s3.amazonaws.com", "Range": "bytes=0-9"}
    at = datetime(2013, 5, 24, tzinfo=UTC).timestamp()

    made = signed(
        "GET", "/test.txt", {}, headers, b"", keys=LASTING, scope=Scope(region="us-east-1", service="s3"), at=at
    )

    assert made["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


@pytest.mark.parametrize("at", [0.0, 951_782_400.9, 1_795_649_384.55])
def test_the_time_is_that_of_the_request_in_utc(at: float) -> None:
    made = signed(
        "GET",
        "/",
        {},
        {"Host": HOST},
        b"",
        keys=LASTING,
        scope=Scope(region="eu-west-1", service="ecs"),
        at=at,
    )

    assert made["x-amz-date"] == datetime.fromtimestamp(int(at), UTC).strftime("%Y%m%dT%H%M%SZ")
    assert "x-amz-security-token" not in made


def test_secrets_do_not_stand_in_what_is_printed_of_keys() -> None:
    keys = replace(LASTING, token=LASTING.secret_key)

    assert repr(keys) == "Keys(access_key='AKIAIOSFODNN7EXAMPLE', expires_at=None)"
