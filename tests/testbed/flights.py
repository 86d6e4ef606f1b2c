"""The flights example in environments of a real cluster, provisioned by an example stack."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.testbed import kubernetes_cluster
from tests.testbed.pulumi_engine import CHECKOUT, penstock_at
from tests.testbed.pulumi_kubernetes import EXAMPLE, Stack, stack_from_example

FLOW = CHECKOUT / "examples" / "flights" / "flow.py"


@contextmanager
def provisioned(folder: Path, example: str = EXAMPLE) -> Iterator[Stack]:
    """An example stack that is up."""
    engine = penstock_at(folder)
    if shutil.which("pulumi-resource-kubernetes", path=engine.env["PATH"]) is None:
        pytest.skip("no provider: PATH has no `pulumi-resource-kubernetes`; `make test-cluster` gets one")
    engine = replace(engine, env={**engine.env, "KUBECONFIG": os.environ[kubernetes_cluster.KUBECONFIG]})
    with stack_from_example(engine, example=example) as stack:
        stack.up()
        yield stack


def penstock(*words: str, kubeconfig: Path) -> subprocess.CompletedProcess[bytes]:
    """The command, as somebody with that access."""
    command = [sys.executable, "-P", "-m", "runner.cli", *words]
    env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, timeout=120, check=False)


def local_outcome() -> Any:
    """The outcome of the flow on this machine."""
    environment = {"schema_version": 1, "kind": "local", "name": "here", "local": {}}
    folder = Path(os.environ["XDG_STATE_HOME"]) / "penstock" / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "here.json").write_text(json.dumps(environment))
    return json.loads(penstock("run", f"{FLOW}:main", "--env", "here", "--json", kubeconfig=Path("/none")).stdout)


def kept(outcome: Any, name: str) -> bytes:
    """A file that a run has left behind."""
    return next(Path(item["path"]) for item in outcome["artifacts"] if item["name"] == name).read_bytes()
