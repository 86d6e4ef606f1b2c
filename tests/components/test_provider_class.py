"""The class that starts workers, and the keyword arguments for it that a stack may give."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from dask_cloudprovider.aws import ECSCluster, FargateCluster
from distributed.deploy.spec import SpecCluster

from components.dask_cloud_provider import DaskCloudProviderEnvironmentArgs
from components.provider_class import ECS_CLUSTER_ITSELF, FREE, KNOWN, OURS, keyword_arguments, path_of
from runner.errors import ContractError
from runner.sections import ECS_CLUSTER, FARGATE_CLUSTER


def refusal(**given: Any) -> ContractError:
    with pytest.raises(ContractError) as refused:
        keyword_arguments(**given)
    return refused.value


def module_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """Makes a module of a name that no other test has, for imports are kept."""
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_the_table_names_every_keyword_argument_of_the_installed_class_and_no_other() -> None:
    own = {name for cls in (ECSCluster, SpecCluster) for name in inspect.signature(cls).parameters}

    assert own - {"kwargs"} == {*OURS, *FREE}
    assert issubclass(FargateCluster, ECSCluster)
    assert issubclass(ECSCluster, SpecCluster)


def test_the_arguments_that_it_points_at_exist() -> None:
    arguments = inspect.get_annotations(DaskCloudProviderEnvironmentArgs)
    pointed = {
        word.strip(",")
        for text in OURS.values()
        if text.startswith(("the argument ", "the arguments "))
        for word in text.partition(" ")[2].partition(" ")[2].partition(", ")[0].split(" and ")
    }

    assert pointed - set(arguments) == set()
    assert {"worker_resources", "min_workers", "max_workers", "tls", "env"} <= pointed


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("FargateCluster", FARGATE_CLUSTER),
        ("ECSCluster", ECS_CLUSTER),
        (FARGATE_CLUSTER, FARGATE_CLUSTER),
        ("mine.clusters:Cluster", "mine.clusters:Cluster"),
    ],
)
def test_a_class_is_written_with_its_module(name: str, path: str) -> None:
    assert path_of(provider_class=name) == path


@pytest.mark.parametrize("name", ["EC2Cluster", "mine.Cluster", "mine:", "a b:C", ""])
def test_what_is_no_class_is_refused(name: str) -> None:
    found = refusal(provider_class=name)

    assert found.path == "provider_class"
    assert found.expected == "FargateCluster, ECSCluster, or a class as module:Class"


@pytest.mark.parametrize("cls", [*KNOWN, "dask_cloudprovider.aws.ecs:FargateCluster"])
@pytest.mark.parametrize("name", OURS)
def test_what_penstock_gives_itself_is_refused_with_what_to_use_instead(cls: str, name: str) -> None:
    found = refusal(provider_class=cls, provider_kwargs={name: 1})

    assert (found.path, found.found, found.expected) == (f"provider_kwargs.{name}", "given", OURS[name])


@pytest.mark.parametrize("cls", KNOWN)
def test_what_is_left_is_taken(cls: str) -> None:
    given = {"silence_logs": 30, "scheduler_sync_interval": 2.5}

    assert keyword_arguments(provider_class=cls, provider_kwargs=given) == given
    assert keyword_arguments(provider_class=cls) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("silence_log", "silence_logs, the nearest that the class takes"),
        ("worker_memory", "another: worker_mem, the nearest, is the argument worker_resources"),
        ("colour", "one of scheduler_sync_interval, silence_logs"),
    ],
)
def test_an_unknown_name_is_refused(name: str, expected: str) -> None:
    found = refusal(provider_kwargs={name: 1})

    assert (found.path, found.found, found.expected) == (f"provider_kwargs.{name}", "unknown", expected)


def test_only_json_is_taken() -> None:
    assert refusal(provider_kwargs={"silence_logs": object()}).path == "provider_kwargs.silence_logs"
    assert refusal(provider_kwargs={1: "x"}).path == "a key of provider_kwargs"


def test_a_class_that_is_there_is_asked_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "class Mine:\n    def __init__(self, *, colour=None, image=None): ...\n"
    text += "class Open:\n    def __init__(self, **kwargs): ...\n"
    module_with(tmp_path, monkeypatch, "provider_of_mine", text)

    assert keyword_arguments(provider_class="provider_of_mine:Mine", provider_kwargs={"colour": "red"})
    assert keyword_arguments(provider_class="provider_of_mine:Open", provider_kwargs={"anything": [1]})
    unknown = refusal(provider_class="provider_of_mine:Mine", provider_kwargs={"size": 1})
    assert (unknown.path, unknown.expected) == ("provider_kwargs.size", "one of colour, image")


def test_only_what_inherits_from_ecs_cluster_is_given_something_by_penstock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "from dask_cloudprovider.aws import ECSCluster\n"
    text += "class Mine(ECSCluster):\n    def __init__(self, *, colour, **kwargs): ...\n"
    text += "class Other:\n    def __init__(self, *, image, n_workers): ...\n"
    module_with(tmp_path, monkeypatch, "provider_of_both", text)

    assert keyword_arguments(provider_class="provider_of_both:Mine", provider_kwargs={"colour": "red"})
    assert refusal(provider_class="provider_of_both:Mine", provider_kwargs={"image": "x"}).expected == OURS["image"]
    given = {"image": "x", "n_workers": 2}
    assert keyword_arguments(provider_class="provider_of_both:Other", provider_kwargs=given) == given
    assert f"{ECSCluster.__module__}:{ECSCluster.__name__}" == ECS_CLUSTER_ITSELF


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("provider_without", "", '"provider_without:Cluster", which is missing there'),
        ("provider_function", "def Cluster(): ...\n", '"provider_function:Cluster", which is no class'),
        (
            "provider_broken",
            "raise ValueError('no')\n",
            "in a module that cannot be imported (provider_broken: ValueError: no)",
        ),
    ],
)
def test_a_module_that_is_there_must_have_the_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, found: str
) -> None:
    module_with(tmp_path, monkeypatch, name, text)

    refused = refusal(provider_class=f"{name}:Cluster")
    assert (refused.path, refused.found) == ("provider_class", found)


def test_a_class_that_is_only_in_the_image_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module_with(tmp_path, monkeypatch, "provider_needs", "import a_module_of_the_image\n")

    for module in ("provider_needs", "provider_that_is_not_here"):
        assert keyword_arguments(provider_class=f"{module}:Cluster", provider_kwargs={"colour": 1}) == {"colour": 1}
