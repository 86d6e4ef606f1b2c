"""Which region is asked, and at which address."""

from collections.abc import Callable

import botocore.session
import pytest

from runner.aws.access import Access, load
from runner.aws.credentials import Credentials
from runner.aws.errors import ConfigError

SERVICES = ("ecs", "logs", "ssm", "s3")


def at(region: str, profile: str | None = None) -> Access:
    return Access(region=region, profile=profile, credentials=Credentials(profile))


def test_the_region_is_the_one_named_then_the_variables_then_the_profiles(
    files: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    files(config="[default]\nregion = eu-west-1\n[profile team]\nregion = eu-north-1\n")

    assert load().region == "eu-west-1"
    assert load(profile="team").region == "eu-north-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert load(profile="team").region == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert load(profile="team").region == "us-west-2"
    assert load(region="sa-east-1") == at("sa-east-1")
    assert load(region="sa-east-1", profile="team") == at("sa-east-1", "team")


def test_without_a_region_nothing_is_asked() -> None:
    with pytest.raises(ConfigError) as caught:
        load()

    assert str(caught.value) == "No AWS region is known. Name it with --region or AWS_REGION."


def test_a_profile_that_is_not_there_is_refused_even_with_a_region() -> None:
    with pytest.raises(ConfigError, match="There is no profile 'team'"):
        load(region="eu-west-1", profile="team")


def test_addresses_are_botocores_in_every_region_of_every_partition() -> None:
    resolver = botocore.session.Session()._get_internal_component("endpoint_resolver")
    places = [
        (service, region)
        for partition in resolver.get_available_partitions()
        for service in SERVICES
        for region in resolver.get_available_endpoints(service, partition)
    ]

    found = {(service, region): at(region).url(service) for service, region in places}

    assert len(found) > 100
    assert found == {
        (service, region): f"https://{resolver.construct_endpoint(service, region)['hostname']}"
        for service, region in places
    }


def test_addresses_for_fips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    assert at("us-gov-west-1").url("ecs") == "https://ecs-fips.us-gov-west-1.amazonaws.com"
    assert at("us-east-1").url("s3") == "https://s3-fips.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("service", "variable"),
    [("ecs", "ECS"), ("logs", "CLOUDWATCH_LOGS"), ("ssm", "SSM"), ("s3", "S3")],
)
def test_an_address_of_a_services_own_wins_over_that_of_all_and_that_over_the_profiles(
    files: Callable[..., None], monkeypatch: pytest.MonkeyPatch, service: str, variable: str
) -> None:
    own = botocore.session.Session().get_service_model(service).service_id.hyphenize().replace("-", "_").upper()
    files(config="[default]\nendpoint_url = http://profile:1/\n[profile other]\nregion = eu-west-1\n")
    access = at("eu-west-1")

    assert access.url(service) == "http://profile:1"
    assert at("eu-west-1", "other").configured_url(service) is None
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://all:2")
    assert access.url(service) == "https://all:2"
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{variable}", "http://own:3/")
    assert access.url(service) == "http://own:3"
    assert {access.url(other) for other in SERVICES if other != service} == {"https://all:2"}
    assert variable == own


def test_addresses_that_are_configured_can_be_ignored(
    files: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    files(config="[profile aws]\nignore_configured_endpoint_urls = true\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")

    assert at("eu-west-1").configured_url("ecs") == "http://localhost:1"
    assert at("eu-west-1", "aws").configured_url("ecs") is None
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert at("eu-west-1").url("ecs") == "https://ecs.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("url", ["localhost:4566", "http://", "ftp://host", "http://host/path", "http://host?a=b"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)

    with pytest.raises(ConfigError) as caught:
        at("eu-west-1").url("ecs")

    assert str(caught.value) == (
        f"The address of AWS is {url.rstrip('/')!r}, expected one such as http://localhost:4566, without a path. "
        "Correct AWS_ENDPOINT_URL or the profile's endpoint_url."
    )
