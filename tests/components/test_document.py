"""How Outputs travel from arguments to the document; the document's rules are tested with each environment."""

import asyncio
from typing import Any

import pulumi
import pytest

from components.given import ArgumentError
from components.local import LocalEnvironment
from tests.testbed.pulumi_mocks import Deploy, Exported, unknown


def exported(deploy: Deploy, args: Any, *, preview: bool = False) -> Exported:
    """The document of a LocalEnvironment; `args` is a function, since an Output needs the deployment's event loop."""

    def program() -> None:
        pulumi.export("environment", LocalEnvironment("laptop", args()).environment)

    return deploy(program, preview=preview).exports["environment"]


def soon(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


def test_outputs_at_any_depth_arrive_in_the_document(deploy: Deploy) -> None:
    document = exported(
        deploy,
        lambda: {
            "environment_name": soon("analysts"),
            "routing_labels": (soon("gpu"), "eu"),
            "env": {"A": soon("x"), "B": "y"},
            "executor": soon({"type": "dask", "workers": soon(3)}),
            "python": soon(None),
        },
    ).value

    assert document["name"] == "analysts"
    assert document["routing_labels"] == ["gpu", "eu"]
    assert document["env"] == {"A": "x", "B": "y"}
    assert document["executor"]["workers"] == 3
    assert document["local"]["python"] is None


def test_an_awaitable_is_awaited_once(deploy: Deploy) -> None:
    async def name() -> str:
        await asyncio.sleep(0)
        return "analysts"

    assert exported(deploy, lambda: {"environment_name": name()}).value["name"] == "analysts"


def test_a_whole_number_stays_whole_though_pulumi_sends_it_as_a_float(deploy: Deploy) -> None:
    document = exported(
        deploy, lambda: {"executor": soon({"type": "dask", "workers": 4.0}), "timeouts": {"grace_seconds": 2.5}}
    ).value

    assert repr(document["executor"]["workers"]) == "4"
    assert document["timeouts"]["grace_seconds"] == 2.5


def test_the_document_is_unknown_at_preview_as_long_as_an_argument_is(deploy: Deploy) -> None:
    document = exported(deploy, lambda: {"env": {"HOST": unknown()}}, preview=True)

    assert not document.known
    assert not document.secret


def test_what_is_known_is_checked_at_preview_though_the_rest_is_not(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match=r"log\.level is \"LOUD\""):
        exported(deploy, lambda: {"env": {"HOST": unknown()}, "log": {"level": "LOUD"}}, preview=True)


def test_an_unknown_key_beside_an_unknown_value_is_refused_at_preview(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match="exeutor is unknown, expected executor"):
        exported(deploy, lambda: {"exeutor": unknown()}, preview=True)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"type": "dask", "workers": "x"}, 'executor.workers is "x", expected a whole number of at least 1'),
        ({"wokers": 2}, "executor.wokers is unknown, expected executor.workers"),
    ],
)
def test_a_mistake_inside_an_output_is_refused_once_it_is_known(deploy: Deploy, value: Any, sentence: str) -> None:
    with pytest.raises(ArgumentError) as refusal:
        exported(deploy, lambda: {"executor": soon(value)})

    assert sentence in str(refusal.value)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("args", "path"),
    [
        (lambda: {"python": pulumi.Output.secret("/x")}, "python"),
        (lambda: {"routing_labels": ["gpu", pulumi.Output.secret("x")]}, r"routing_labels\[1\]"),
        (lambda: {"env": {"A": "x", "B": pulumi.Output.secret("x")}}, r"env\.B"),
        (lambda: {"env": soon({"B": pulumi.Output.secret("x")})}, "env"),
        (lambda: {"env": {"B": pulumi.Output.secret(unknown())}}, r"env\.B"),
        (lambda: {"nonsense": pulumi.Output.secret("x")}, "nonsense"),
    ],
)
def test_a_secret_is_refused_wherever_it_is(deploy: Deploy, args: Any, path: str, preview: bool) -> None:
    with pytest.raises(ArgumentError, match=rf"{path} is (a secret|unknown), expected") as refusal:
        exported(deploy, args, preview=preview)

    assert "hunter2" not in str(refusal.value)


def test_every_refusal_is_one_that_pulumi_prints_without_a_traceback() -> None:
    assert issubclass(ArgumentError, pulumi.RunError)
