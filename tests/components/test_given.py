"""How arguments travel from the caller to children: what is refused when, and what may be secret."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

from components.given import ArgumentError, Given
from components.kubernetes_arguments import RegistryCredentialOptions
from runner.contract import broken_rule
from tests.testbed.pulumi_mocks import Deploy, Exported, unknown


class SampleArgs(TypedDict):
    number: NotRequired[pulumi.Input[int]]
    other: NotRequired[pulumi.Input[int]]
    plain: NotRequired[str]
    registry_credentials: NotRequired[pulumi.Input[list[pulumi.Input[RegistryCredentialOptions]]]]


def given(**args: Any) -> Given:
    return Given("x", args, SampleArgs)


def half(number: int = 0, extra: str = "") -> str:
    if number % 2:
        raise broken_rule("number", str(number), "an even number")
    return f"{number // 2}{extra}"


def derived(deploy: Deploy, args: Any, *, preview: bool = False, **computed: Any) -> Exported:
    def program() -> None:
        values = {key: value() for key, value in computed.items()}
        pulumi.export("half", given(**args()).derive(half, "number", **values))

    return deploy(program, preview=preview).exports["half"]


def test_what_is_known_is_made_at_once() -> None:
    assert given(number=4.0).derive(half, "number", extra="!") == "2!"
    assert given().derive(half, "number") == "0"
    assert given(number=None).derive(half, "number") == "0"


def test_what_is_not_known_is_made_when_it_is(deploy: Deploy) -> None:
    assert derived(deploy, lambda: {"number": pulumi.Output.from_input(4)}).value == "2"
    assert derived(deploy, lambda: {"number": 4}, extra=lambda: pulumi.Output.from_input("!")).value == "2!"


def test_at_preview_it_is_unknown(deploy: Deploy) -> None:
    assert not derived(deploy, lambda: {"number": unknown()}, preview=True).known


def test_a_broken_rule_is_told_in_the_words_of_the_component() -> None:
    with pytest.raises(ArgumentError) as refusal:
        given(number=3).derive(half, "number")

    assert str(refusal.value) == "Sample 'x': number is 3, expected an even number. Correct that argument."


def test_a_rule_that_is_broken_by_an_output_is_told_once_it_is_known(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match="Sample 'x': number is 3, expected an even number"):
        derived(deploy, lambda: {"number": pulumi.Output.from_input(3)})


def test_a_value_of_another_type_is_refused_at_once_and_in_an_output_once_it_is_known(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match='number is "3", expected a whole number'):
        given(number="3").derive(half, "number")
    with pytest.raises(ArgumentError, match='number is "3", expected a whole number'):
        derived(deploy, lambda: {"number": pulumi.Output.from_input("3")})


def test_a_check_makes_nothing_and_waits_for_nothing(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match="expected an even number"):
        given(number=3).check(half, "number")

    deploy(lambda: given(number=pulumi.Output.from_input(3)).check(half, "number"))


def test_what_decides_about_resources_is_never_an_output(deploy: Deploy) -> None:
    def program() -> None:
        with pytest.raises(ArgumentError, match="plain is an Output, expected a plain value: what is created depends"):
            given(plain=pulumi.Output.from_input("x"))

    deploy(program)
    assert given(plain="y").plain("plain", "x") == "y"
    assert given().plain("plain", "x") == "x"
    with pytest.raises(ArgumentError, match="plain is 1, expected text"):
        given(plain=1).plain("plain", "x")


LOGIN = {"server": "registry.example", "username": "bob"}


def test_no_login_is_one_that_was_not_given() -> None:
    assert not given(registry_credentials=None).has("registry_credentials")
    assert not given(registry_credentials=[]).has("registry_credentials")


def register(deploy: Deploy, credentials: Any, *, preview: bool = False) -> Any:
    """Registers a component with the arguments as its inputs, and gives what the engine got."""

    def program() -> None:
        args = given(registry_credentials=credentials())
        pulumi.ComponentResource("test:index:Sample", "x", args.inputs)

    return deploy(program, preview=preview).own


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    "credentials",
    [
        lambda: pulumi.Output.secret([{**LOGIN, "password": "hunter2"}]),
        lambda: [pulumi.Output.secret({**LOGIN, "password": "hunter2"})],
        lambda: [{**LOGIN, "password": pulumi.Output.secret("hunter2")}],
        lambda: [{**LOGIN, "password": pulumi.Output.secret(unknown())}],
    ],
)
def test_a_login_is_secret_as_a_whole_or_in_its_password(deploy: Deploy, credentials: Any, preview: bool) -> None:
    assert [item.name for item in register(deploy, credentials, preview=preview)] == ["x"]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("credentials", "path"),
    [
        (lambda: [{**LOGIN, "password": "hunter2"}], r"registry_credentials\[0\]\.password"),
        (lambda: "hunter2", "registry_credentials"),
        (lambda: [pulumi.Output.from_input({**LOGIN, "password": "hunter2"})], r"registry_credentials\[0\]"),
        (lambda: pulumi.Output.from_input([{**LOGIN, "password": "hunter2"}]), "registry_credentials"),
    ],
)
def test_a_login_in_plain_text_is_refused_and_not_shown(
    deploy: Deploy, credentials: Any, path: str, preview: bool
) -> None:
    with pytest.raises(ArgumentError, match=rf"{path} is plain text, expected a secret of Pulumi's") as refusal:
        register(deploy, credentials, preview=preview)

    assert "hunter2" not in str(refusal.value)
    assert deploy.monitor.own == []


@pytest.mark.parametrize(
    ("credentials", "sentence"),
    [
        ([{**LOGIN, "password": 4711}], "registry_credentials[0].password is something else, expected text"),
        ([LOGIN], "registry_credentials[0].password is missing, expected a value"),
        ("hunter2", "registry_credentials is something else, expected a list"),
        ([{**LOGIN, "pasword": "hunter2"}], "registry_credentials[0].pasword is unknown, expected"),
    ],
)
def test_a_mistake_in_a_login_is_told_without_its_value(deploy: Deploy, credentials: Any, sentence: str) -> None:
    def program() -> None:
        args = given(registry_credentials=pulumi.Output.secret(credentials))
        pulumi.export("made", args.derive(lambda **_: None, "registry_credentials"))

    with pytest.raises(ArgumentError) as refusal:
        deploy(program)

    assert sentence in str(refusal.value)
    assert not {"hunter2", "4711"} & set(str(refusal.value).split())
