"""The example stack for ECS with Dask workers under the real Pulumi CLI and SDK, on the test AWS.

AWS' own provider is not among the parts: see tests/testbed/aws/provider/README.md.
"""

from collections.abc import Iterator

import pytest

from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import Attached, attached_provider, aws_engine, aws_stack_from_example
from tests.testbed.pulumi_engine import Engine
from tests.testbed.pulumi_kubernetes import Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

EXAMPLE = {"image": "penstock.local/flights:test", "network_cidr": "127.41.0.0/24"}
FILE = "Pulumi.dask-cloud-provider.yaml"


@pytest.fixture(scope="module")
def provider(aws_server: Aws) -> Iterator[Attached]:
    with attached_provider(aws_server) as provider:
        yield provider


@pytest.fixture(scope="module")
def engine(provider: Attached, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return aws_engine(tmp_path_factory.mktemp("engine"), provider)


@pytest.fixture(scope="module")
def flights(engine: Engine) -> Iterator[Stack]:
    """The example, provisioned, which no test changes."""
    with aws_stack_from_example(engine, example=FILE, environment_name="flights-dask", **EXAMPLE) as stack:
        stack.up()
        yield stack


def test_a_second_preview_is_empty_also_when_it_looks_at_aws(flights: Stack) -> None:
    flights.do("preview", "--expect-no-changes")
    flights.do("preview", "--expect-no-changes", "--refresh")
