import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.config import set_all_config

import stacks
from runner.environment import read
from runner.sections import Kind
from stacks.config import StackConfig
from stacks.program import build
from tests.testbed.pulumi_mocks import Deploy

STACKS = Path(stacks.__file__).parent
EXAMPLES = sorted(STACKS.glob("Pulumi.*.yaml"))


def configured(arguments: Mapping[str, Any], kind: Kind = Kind.LOCAL) -> StackConfig:
    return StackConfig(stack="dev", kind=kind, arguments=arguments)


def test_the_environment_is_named_after_the_stack(deploy: Deploy) -> None:
    def program() -> None:
        for name, value in build(configured({})).items():
            pulumi.export(name, value)

    monitor = deploy(program)

    assert monitor.own[0].name == "dev"
    assert list(monitor.exports) == ["environment"]
    assert monitor.exports["environment"].value["name"] == "dev"


@pytest.mark.parametrize(
    ("arguments", "mistake", "step"),
    [
        (
            {"executor": {"type": "dask", "workers": "four"}},
            'executor.workers is "four", expected a whole number of at least 1',
            "Correct it",
        ),
        ({"exeutor": {}}, "exeutor is unknown, expected executor, the nearest known key", "Correct it"),
        ({"env": {"OMP_NUM_THREADS": 1}}, "env.OMP_NUM_THREADS is 1, expected text", "Put it in quotes"),
        ({"metadata": {"live": True}}, "metadata.live is true, expected text", "Put it in quotes"),
        ({"metadata": {"owner": ["a"]}}, "metadata.owner is a list of 1, expected text", "Correct it"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_configuration(
    deploy: Deploy, arguments: Mapping[str, Any], mistake: str, step: str
) -> None:
    refusals = []

    def program() -> None:
        with pytest.raises(pulumi.RunError) as refusal:
            build(configured(arguments))
        refusals.append(str(refusal.value))

    assert deploy(program).own == []
    assert refusals == [f"penstock:{mistake}. {step} in stacks/Pulumi.dev.yaml."]


@pytest.mark.parametrize(
    ("arguments", "mistake", "step"),
    [
        ({"create_namespace": "no"}, 'create_namespace is "no", expected true or false', "Correct it"),
        ({"labels": {"live": True}}, "labels.live is true, expected text", "Put it in quotes"),
        ({"job_spec": "nowhere.yaml"}, "job_spec is a file that cannot be read (", "Correct it"),
        ({"volumes": [{"nme": "x"}]}, "volumes[0].nme is unknown, expected volumes[0].name, the nearest", "Correct it"),
        (
            {"registry_credentials": [{"server": "a", "username": "b", "password": "hunter2"}]},
            "registry_credentials[0].password is plain text, expected a secret of Pulumi's",
            "Encrypt it with `pulumi config set --secret --path 'registry_credentials[0].password'`",
        ),
    ],
)
def test_mistakes_about_a_kubernetes_environment(
    deploy: Deploy, arguments: Mapping[str, Any], mistake: str, step: str
) -> None:
    refusals = []

    def program() -> None:
        with pytest.raises(pulumi.RunError) as refusal:
            build(configured({"image": "flows:1", **arguments}, Kind.KUBERNETES_JOB))
        refusals.append(str(refusal.value))

    assert deploy(program).own == []
    assert refusals[0].startswith(f"penstock:{mistake}")
    assert refusals[0].endswith(f". {step} in stacks/Pulumi.dev.yaml.")
    assert "hunter2" not in refusals[0]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_each_example_stack_gives_a_document_of_its_kind(
    deploy: Deploy, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run as Pulumi's language host runs it: the program by its path, from inside its folder."""
    written = yaml.safe_load(file.read_text())["config"]
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in written.items()}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(values))
    monkeypatch.chdir(STACKS)

    def program() -> None:
        set_all_config(values, [])
        runpy.run_path(".", run_name="__main__")

    document = deploy(program).exports["environment"].value

    assert read(json.dumps(document), warn=pytest.fail).kind == values["penstock:kind"]


def test_a_mistake_ends_the_program_with_the_code_that_keeps_pulumi_from_adding_to_it(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"penstock:kind": "locale"}))

    def program() -> None:
        set_all_config({"penstock:kind": "locale"}, [])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(STACKS), run_name="__main__")
        assert end.value.code == 32

    deploy(program)

    (record,) = caplog.records
    assert record.getMessage() == (
        'penstock:kind is "locale", expected one of local, kubernetes-job, dask-kubernetes, fargate-task, '
        "dask-cloud-provider. Correct it in stacks/Pulumi.dev.yaml."
    )
