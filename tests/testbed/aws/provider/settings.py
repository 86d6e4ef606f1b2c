"""`Configure`: which endpoint and region, and nothing else than an AWS on this machine."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from tests.testbed.aws.provider.calls import Endpoint, Settings
from tests.testbed.aws.provider.errors import ProviderError
from tests.testbed.aws.provider.values import Values

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
KNOWN = frozenset({"region", "endpoints", "defaultTags", "accessKey", "secretKey", "allowedAccountIds", "version"})
WITHOUT_EFFECT = frozenset(
    {
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "s3UsePathStyle",
    }
)


def configured(arguments: Values, env: Mapping[str, str]) -> Settings:
    """Settings of a provider.

    Args:
        arguments: what it was given; lists and objects may be JSON texts.
        env: environment variables, which count where it was not.

    Raises:
        ProviderError: the endpoint is not on this machine or does not answer, no region is given, or an argument is
            unknown.
    """
    given = {name: _parsed(value) for name, value in arguments.items()}
    for name in sorted(given.keys() - KNOWN - WITHOUT_EFFECT):
        raise ProviderError(f"The test provider does not model the setting {name}; leave it out.")
    urls = [url for group in given.get("endpoints") or () for url in group.values()]
    endpoint = (urls or [env.get("AWS_ENDPOINT_URL", "")])[0]
    for url in urls or [endpoint]:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK:
            raise ProviderError(
                f"The test provider talks to this machine only, got the endpoint {url!r}; "
                "set AWS_ENDPOINT_URL to http://127.0.0.1:PORT."
            )
    region = given.get("region") or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if not region:
        raise ProviderError("The test provider needs a region; set aws:region or AWS_REGION.")
    settings = Settings(
        endpoint=endpoint,
        region=region,
        access_key=given.get("accessKey") or env.get("AWS_ACCESS_KEY_ID", "test"),
        secret_key=given.get("secretKey") or env.get("AWS_SECRET_ACCESS_KEY", "test"),
        default_tags=(given.get("defaultTags") or {}).get("tags") or {},
    )
    account = _account(settings)
    allowed = given.get("allowedAccountIds")
    if allowed and account not in allowed:
        raise ProviderError(f"The account {account} is none of those allowed: {', '.join(allowed)}.")
    return Settings(**{**vars(settings), "account": account})


def _account(settings: Settings) -> str:
    try:
        return str(Endpoint(settings)("sts", "get_caller_identity", settings.region, {})["Account"])
    except (BotoCoreError, ClientError) as error:
        raise ProviderError(f"No AWS answers at {settings.endpoint}: {error}. Start one there.") from None


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        return json.loads(value)
    return value
