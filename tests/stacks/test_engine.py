"""The program under the real Pulumi CLI, its engine and its Python language host."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runner.contract import to_bytes
from runner.environment import read
from tests.testbed.pulumi_engine import CHECKOUT, Engine, engine_at, penstock_at
from tests.testbed.runner_process import BEHAVIOURS

pytestmark = pytest.mark.engine

LOCAL = "penstock:index:LocalEnvironment"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Our project with the stack `local`."""
    engine = penstock_at(tmp_path_factory.mktemp("engine"))
    engine.do("stack", "init", "local")
    return engine


@pytest.fixture
def configured(engine: Engine, tmp_path: Path) -> Path:
    """A configuration file of the test's own, with the example's content."""
    return Path(shutil.copy(engine.project / "stacks" / "Pulumi.local.yaml", tmp_path))


def resources(engine: Engine) -> list[str]:
    return [item["type"] for item in json.loads(engine.do("stack", "export"))["deployment"].get("resources", [])]


def test_a_stack_from_up_to_its_removal(engine: Engine) -> None:
    engine.do("stack", "init", "life")
    example = (CHECKOUT / "stacks" / "Pulumi.local.yaml").read_text()
    # The example's own suggestion, taken.
    configuration = example.replace("# penstock:executor:", "penstock:executor:")
    (engine.project / "stacks" / "Pulumi.life.yaml").write_text(configuration)

    engine.do("up", "--yes", "--skip-preview", "--stack", "life")

    document = engine.do("stack", "output", "environment", "--json", "--stack", "life")
    environment = read(document, warn=pytest.fail)
    assert environment.name == "life"
    assert (environment.executor.workers, environment.timeouts.run_seconds) == (2, 3600)
    assert to_bytes(environment) == to_bytes(json.loads(document))
    assert engine.do("stack", "output", "--json", "--stack", "life").count("[secret]") == 0

    engine.do("preview", "--expect-no-changes", "--stack", "life")

    state = json.loads(engine.do("stack", "export", "--stack", "life"))["deployment"]["resources"]
    (own,) = [item for item in state if item["type"] == LOCAL]
    assert own["inputs"]["executor"] == {"type": "dask", "workers": 2, "threads_per_worker": 1}
    assert own["parent"].endswith("::penstock-life")
    assert len(state) == 2

    engine.do("destroy", "--yes", "--skip-preview", "--stack", "life")
    engine.do("stack", "rm", "--yes", "--stack", "life")

    assert engine.stacks == ["local.json"]


def test_outputs_can_be_read_without_the_passphrase(engine: Engine) -> None:
    engine.do("up", "--yes", "--skip-preview", "--stack", "local")
    without = {name: value for name, value in engine.env.items() if name != "PULUMI_CONFIG_PASSPHRASE"}
    reader = replace(engine, env=without)

    assert json.loads(reader.do("stack", "output", "environment", "--json", "--stack", "local"))["kind"] == "local"


def test_from_up_to_the_exit_code_of_a_flow(engine: Engine) -> None:
    engine.do("up", "--yes", "--skip-preview", "--stack", "local")
    env = {**engine.env, "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}

    def penstock(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-P", "-m", "runner.cli", *words]
        return subprocess.run(command, cwd=engine.project, env=env, capture_output=True, text=True, check=False)

    pulled = penstock("env", "pull", "--stack", "local")
    ran = penstock("run", f"{BEHAVIOURS}:exit_with", "-p", "code=7", "--label", "laptop", "--json")

    assert (pulled.returncode, pulled.stdout) == (0, "")
    assert "local (local) is in the local store" in pulled.stderr
    assert ran.returncode == json.loads(ran.stdout)["exit_code"] == 7
    assert json.loads(ran.stdout)["environment"] == "local"


def test_the_stack_that_init_writes(engine: Engine) -> None:
    command = [sys.executable, "-P", "-m", "runner.cli", "init", "--stack", "first"]
    subprocess.run(command, cwd=engine.project, check=True, capture_output=True)
    engine.do("stack", "init", "first")
    engine.do("up", "--yes", "--skip-preview", "--stack", "first")
    document = engine.do("stack", "output", "environment", "--json", "--stack", "first")
    engine.do("destroy", "--yes", "--skip-preview", "--remove", "--stack", "first")

    assert read(document, warn=pytest.fail).name == "first"


def test_pulling_from_a_stack_that_there_is_not(engine: Engine) -> None:
    command = [sys.executable, "-P", "-m", "runner.cli", "env", "pull", "--stack", "nowhere"]
    done = subprocess.run(command, cwd=engine.project, env=engine.env, capture_output=True, text=True, check=False)

    assert done.returncode == 69
    assert done.stderr == (
        "penstock: The stack 'nowhere' has no environment to pull (no stack named 'nowhere' found). "
        "Run `pulumi up -s nowhere` first.\n"
    )


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        ("exeutor: {}", "penstock:exeutor is unknown, expected executor, the nearest known key."),
        ("env: {OMP_NUM_THREADS: 1}", "penstock:env.OMP_NUM_THREADS is 1, expected text."),
        ("log: {level: LOUD}", 'penstock:log.level is "LOUD", expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL.'),
    ],
    ids=["unknown key", "number for text", "no such word"],
)
def test_a_mistake_is_one_sentence_and_not_a_traceback(
    engine: Engine, configured: Path, added: str, sentence: str
) -> None:
    configured.write_text(f"{configured.read_text().partition('encryptionsalt')[0]}  penstock:{added}\n")

    finished = engine.run("preview", "--stack", "local", "--config-file", str(configured))

    assert finished.code != 0
    (error,) = finished.errors
    assert error.startswith(sentence)
    assert error.endswith(" in stacks/Pulumi.local.yaml.")
    assert "Traceback" not in finished.out + finished.err


def test_a_wrong_type_is_refused_by_pulumi_itself(engine: Engine, configured: Path) -> None:
    engine.do("config", "set", "executor", "dask", "--stack", "local", "--config-file", str(configured))

    finished = engine.run("preview", "--stack", "local", "--config-file", str(configured))

    assert finished.code != 0
    assert "configuration key 'executor' must be of type 'object'" in finished.err


def test_a_secret_is_refused_and_not_shown(engine: Engine, configured: Path) -> None:
    place = ("--stack", "local", "--config-file", str(configured))
    engine.do("config", "set", "--secret", "--path", "env.TOKEN", "hunter2", *place)

    finished = engine.run("preview", *place)

    assert finished.code != 0
    (error,) = finished.errors
    assert error.startswith("penstock:env is a secret, expected plain text")
    assert "hunter2" not in finished.out + finished.err
    assert "Traceback" not in finished.out + finished.err


PROGRAM = """
import pulumi
from components.local import LocalEnvironment

LocalEnvironment("laptop", {"env": {"TOKEN": pulumi.Config().require_secret("token")}})
"""


def test_a_components_secret_argument_is_refused_before_it_is_registered(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    (engine.project / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    (engine.project / "__main__.py").write_text(PROGRAM)
    engine.do("stack", "init", "dev")
    engine.do("config", "set", "--secret", "token", "hunter2")

    finished = engine.run("up", "--yes", "--skip-preview")

    assert finished.code != 0
    assert finished.errors[0].startswith("LocalEnvironment 'laptop': env.TOKEN is a secret, expected a plain value")
    assert "Traceback" not in finished.out + finished.err
    assert "hunter2" not in finished.out + finished.err
    assert LOCAL not in resources(engine)
