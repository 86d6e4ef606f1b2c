"""The client is as light as what has to start at once, and what has nothing but Python."""

import subprocess
import sys

import pytest

PROGRAM = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ImportError(f"{{name}} is not here")

allowed = sys.stdlib_module_names | {{"runner"}}
sys.meta_path.insert(0, Refuse())
before = set(sys.modules)
import {modules}
print(*sorted(set(sys.modules) - before))
"""


def _loaded_by(modules: str) -> set[str]:
    command = [sys.executable, "-c", PROGRAM.format(modules=modules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.usefixtures("unmeasured")
def test_everything_runs_on_the_standard_library() -> None:
    names = ("client", "config", "errors", "watch", "logs", "kubeconfig", "exec_plugin", "port_forward")
    loaded = _loaded_by(", ".join(f"runner.kubernetes.{name}" for name in names))

    assert {f"runner.kubernetes.{name}" for name in names} <= loaded


@pytest.mark.usefixtures("unmeasured")
def test_a_client_in_a_pod_loads_nothing_that_it_does_not_need() -> None:
    loaded = _loaded_by("runner.kubernetes.client, runner.kubernetes.watch, runner.kubernetes.logs")

    assert loaded & {"runner.kubernetes.kubeconfig", "runner.kubernetes.exec_plugin", "runner.contract"} == set()
    assert loaded & {"subprocess", "tempfile", "asyncio", "logging", "argparse", "urllib.request", "yaml"} == set()
