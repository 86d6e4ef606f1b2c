"""The test AWS from outside: starts it, lets tests look, makes faults, tells what was called."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from tests.testbed.aws.faults import Kind
from tests.testbed.aws.permissions import Need, Policy
from tests.testbed.aws.principals import ROOT_KEY, ROOT_SECRET

REGION = "eu-west-1"
CHECKOUT = Path(__file__).parents[3]
END_SECONDS = 10
STOP_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Aws:
    """An AWS that is up."""

    endpoint: str
    region: str = REGION

    @property
    def env(self) -> dict[str, str]:
        """Environment variables by which any client of AWS uses it, and may do all."""
        return self._env(ROOT_KEY, ROOT_SECRET)

    def _env(self, access_key: str, secret_key: str) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """AWS' own client, which Penstock itself does not use."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=ROOT_KEY,
            aws_secret_access_key=ROOT_SECRET,
        )

    def add_image(self, name: str, *, bin_folder: str, folder: str | None = None) -> None:
        """Have a container image: programs of a folder, and a working directory."""
        self._control("image", name=name, bin=bin_folder, folder=folder)

    def inject(self, kind: Kind, **options: Any) -> None:
        """Have a fault hit what comes next; see `faults.Fault`."""
        self._control("inject", kind=kind, **options)

    def hit(self, kind: Kind, task_id: str, *, container: str | None = None) -> None:
        """Have a fault hit a task that is up: OOM, SPOT or HOST."""
        self._control("hit", kind=kind, task=task_id, container=container)

    def clear(self) -> None:
        """Have no fault any more, and the usual delays."""
        self._control("clear")

    def delay(self, **seconds: float) -> None:
        """Change how long tasks are PROVISIONING and PENDING, and how late a `log` can be read."""
        self._control("delays", **seconds)

    def forget(self) -> int:
        """Have ECS forget its stopped tasks; the number of them."""
        return int(self._control("forget"))

    def processes(self, task_id: str) -> dict[str, int]:
        """Process ids of a task's containers, by name."""
        found: dict[str, int] = self._control("processes").get(task_id, {})
        return found

    def await_stopped(self, cluster: str, *, seconds: float = STOP_SECONDS) -> None:
        """Wait until every task of a cluster has stopped, or the time is over."""
        self._control("await-stopped", cluster=cluster, seconds=seconds)

    def calls(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """What was called: `service`, `action`, `principal`, `needs`, `denied`."""
        found: list[dict[str, Any]] = self._control("calls", clear=clear)
        return found

    def needed(self, principal: str) -> list[Need]:
        """What a principal's calls needed to be allowed."""
        found = [need for call in self.calls() if principal in call["principal"] for need in call["needs"]]
        return [Need(**need) for need in found]

    def user(self, name: str, *policies: Policy) -> dict[str, str]:
        """Environment variables of a new user, who may do what the policies say."""
        made = self._control("user", name=name, policies=list(policies))
        return self._env(made["access_key"], made["secret_key"])

    def _control(self, what: str, **given: Any) -> Any:
        host = urlsplit(self.endpoint).netloc
        with contextlib.closing(http.client.HTTPConnection(host, timeout=2 * STOP_SECONDS)) as connection:
            connection.request("POST", f"/penstock/{what}", json.dumps(given))
            answer = connection.getresponse()
            body = answer.read()
        assert answer.status == 200, body.decode()
        return json.loads(body)


@contextlib.contextmanager
def started(*, env: Mapping[str, str] | None = None) -> Iterator[Aws]:
    """An AWS in a process of its own, with the images that the test cluster has too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.testbed.aws.server"],
        cwd=CHECKOUT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "The server has ended before it was ready; its words are above."
        aws = Aws(endpoint=json.loads(line)["endpoint"])
        add_images(aws)
        yield aws
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def add_images(aws: Aws) -> None:
    """The images by their names in the test cluster: this checkout's programs."""
    programs = str(Path(sys.executable).parent)
    for name in ("penstock.local/runner:test", "penstock.local/runner-dask:test"):
        aws.add_image(name, bin_folder=programs)
    aws.add_image("penstock.local/flights:test", bin_folder=programs, folder=str(CHECKOUT / "examples"))
