"""Where AWS is, and who asks: region, addresses of its services, credentials."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runner.aws.credentials import Credentials
from runner.aws.errors import ConfigError
from runner.aws.profile import settings

SUFFIXES: Mapping[str, str] = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""Domains of partitions that are not under amazonaws.com, by what their regions begin with."""
LONG_NAMES: Mapping[str, str] = {"logs": "CLOUDWATCH_LOGS"}
"""Names of services in variables, where they are others than in addresses.

Source: "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide.
"""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Access to one region of AWS."""

    region: str
    """Name of the region."""
    profile: str | None = None
    """Profile of AWS' files that was asked for; null for what the environment says."""
    credentials: Credentials = field(compare=False)
    """Who asks."""

    def url(self, service: str) -> str:
        """Address of a service: what the environment or the profile says, else AWS' own.

        Args:
            service: its name in addresses, such as `ecs`, `logs`, `ssm` or `s3`.
        """
        return self.configured_url(service) or f"https://{self.host(service)}"

    def host(self, service: str) -> str:
        """The service's own name on the internet."""
        suffix = next((domain for start, domain in SUFFIXES.items() if self.region.startswith(start)), "amazonaws.com")
        fips = "-fips" if os.environ.get("AWS_USE_FIPS_ENDPOINT", "").lower() == "true" else ""
        return f"{service}{fips}.{self.region}.{suffix}"

    def configured_url(self, service: str) -> str | None:
        """The address that the environment or the profile says; null when none does.

        Raises:
            ConfigError: it is none.
        """
        said = settings(self.profile)
        ignored = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or said.get("ignore_configured_endpoint_urls")
        if (ignored or "").lower() == "true":
            return None
        name = f"AWS_ENDPOINT_URL_{LONG_NAMES.get(service, service.upper())}"
        url = os.environ.get(name) or os.environ.get("AWS_ENDPOINT_URL") or said.get("endpoint_url")
        return _checked(url.rstrip("/")) if url else None


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ConfigError(
            f"The address of AWS is {url!r}, expected one such as http://localhost:4566, without a path. "
            "Correct AWS_ENDPOINT_URL or the profile's endpoint_url."
        )
    return url


def load(*, region: str | None = None, profile: str | None = None) -> Access:
    """Access to AWS.

    Args:
        region: the region; null for that of AWS_REGION, AWS_DEFAULT_REGION or the profile.
        profile: profile of AWS' files; null for what the environment says.

    Raises:
        ConfigError: no region is known, or there is no such profile.
    """
    said = settings(profile)
    chosen = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or said.get("region")
    if not chosen:
        raise ConfigError("No AWS region is known. Name it with --region or AWS_REGION.")
    return Access(region=chosen, profile=profile, credentials=Credentials(profile))
