"""What is imported: a container needs nothing but Python, and the supervisor next to nothing of that."""

import subprocess
import sys

BLOCKED = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is not here")

sys.meta_path.insert(0, Refuse())
import {modules}
print(*sorted(sys.modules))
"""
NOT_OURS = {"pulumi", "grpc", "dask", "distributed", "kubernetes", "boto3", "botocore", "yaml", "numpy"}
NOT_OURS |= {"google", "bokeh", "cloudpickle", "cryptography", "tornado", "prefect", "components", "stacks", "tools"}
SUPERVISOR = "runner.__main__, runner.supervisor, runner.trailer"
"""The trailer's module too: it shortens the record that is written while a container's runner starts."""
HEAVY = {"hashlib", "_hashlib", "ssl", "_ssl", "asyncio", "subprocess", "pathlib", "logging", "argparse", "tempfile"}
HEAVY |= {"socket", "multiprocessing", "threading", "concurrent", "urllib", "random", "datetime", "traceback"}
HEAVY |= {"zipfile", "zlib", "shutil", "base64", "binascii", "runner.bundle", "runner.compression"}
HEAVY |= {"runner.execute", "runner.flow", "runner.parameters", "runner.convert", "runner.cli", "runner.launch"}


def loaded_by(modules: str) -> set[str]:
    """The modules that are there after these have been imported, without any that are not Python's own or ours."""
    program = BLOCKED.format(blocked=NOT_OURS, modules=modules)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_everything_but_the_flow_and_its_cluster_runs_on_the_standard_library() -> None:
    loaded_by(
        "runner.__main__, runner.supervisor, runner.environment, runner.request, runner.execute, runner.cli, "
        "runner.cli.run, runner.cli.doctor, runner.cli.env, runner.cli.init, runner.launch.local, runner.launch.pack, "
        "runner.bundle, runner.trailer"
    )


def test_the_supervisor_loads_no_module_that_costs_memory_or_time() -> None:
    before = loaded_by("sys")

    assert (loaded_by(SUPERVISOR) - before) & HEAVY == set()


def test_the_commands_help_imports_nothing_of_penstock_but_itself() -> None:
    mine = {name for name in loaded_by("runner.cli") if name.partition(".")[0] == "runner"}

    assert mine == {"runner", "runner.cli"}
