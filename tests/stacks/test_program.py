import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml  # type: ignore[import-untyped]
from pulumi.runtime.config import set_all_config

import stacks
from runner.environment import Kind, read
from stacks.config import StackConfig
from stacks.program import build
from tests.testbed.pulumi_mocks import Deploy

STACKS = Path(stacks.__file__).parent
EXAMPLES = sorted(STACKS.glob("Pulumi.*.yaml"))


def configured(arguments: Mapping[str, Any]) -> StackConfig:
    return StackConfig(stack="dev", kind=Kind.LOCAL, arguments=arguments)


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

    assert [record.getMessage() for record in caplog.records] == [
        'penstock:kind is "locale", expected one of local. Correct it in stacks/Pulumi.dev.yaml.'
    ]
