"""The example spread over Dask workers that are tasks of ECS: provisioned by the example stack as it is."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.testbed.aws.handle import Aws
from tests.testbed.flights import FLOW, kept, local_outcome
from tests.testbed.pulumi_aws import attached_provider, aws_engine, aws_stack_from_example
from tests.testbed.pulumi_engine import CHECKOUT

pytestmark = [pytest.mark.engine, pytest.mark.aws, pytest.mark.dask, pytest.mark.long, pytest.mark.timeout(180)]
NAME = "dask-flights"


@pytest.fixture(scope="module")
def provisioned(aws_server: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with attached_provider(aws_server) as provider:
        engine = aws_engine(tmp_path_factory.mktemp("engine"), provider)
        changes = {"image": "penstock.local/flights:test", "network_cidr": "127.46.0.0/24", "environment_name": NAME}
        with aws_stack_from_example(engine, example="Pulumi.dask-cloud-provider.yaml", **changes) as stack:
            stack.up()
            yield


def penstock(*words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "runner.cli", *words]
    return subprocess.run(command, env=dict(os.environ), cwd=CHECKOUT, capture_output=True, timeout=150, check=False)


@pytest.mark.usefixtures("provisioned", "aws")
def test_the_result_is_that_of_one_machine() -> None:
    local = local_outcome()
    assert penstock("env", "pull", "--ssm", NAME).returncode == 0

    done = penstock("run", f"{FLOW}:main", "--env", NAME, "--json")
    assert done.returncode == 0, done.stderr.decode()
    outcome = json.loads(done.stdout)

    assert (outcome["state"], outcome["kind"]) == ("succeeded", "dask-cloud-provider")
    assert outcome["result"] == local["result"]
    assert outcome["result"]["flights"] == 336_776
    assert kept(outcome, "flights.svg") == kept(local, "flights.svg")
    # Each of the four workers has a row in the picture of who worked on what.
    assert set(re.findall(r"worker (\d+)", kept(outcome, "dask-task-stream.svg").decode())) == set("0123")
    assert b"Dask Performance Report" in kept(outcome, "dask-performance-report.html")
