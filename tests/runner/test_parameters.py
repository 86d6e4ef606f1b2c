"""Binding a run's parameters to the flow's signature."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ParameterError
from runner.outcome import ExitCode
from runner.parameters import bind
from tests.runner import annotated_flows as flows
from tests.runner.strategies import ANY_TEXT, HOSTILE


def plain(city: str, days: int = 7) -> tuple[str, int]:
    return city, days


def nothing() -> None: ...


def untyped(a, b=2):  # type: ignore[no-untyped-def]
    return a, b


def by_position(a: int = 1, b: int = 2, /, c: int = 3) -> tuple[int, int, int]:
    return a, b, c


def needs_position(a: int, /, *, key: bool) -> tuple[int, bool]:
    return a, key


def everything(a: int, /, *args: int, b: float = 0.5, **rest: Any) -> tuple[Any, ...]:
    return a, args, b, rest


@wraps(plain)
def wrapped(*args: Any, **kwargs: Any) -> Any:
    return plain(*args, **kwargs)


def call(function: Callable[..., Any], parameters: Mapping[str, object], client: object = None) -> object:
    return bind(function, parameters, has_client=client is not None).call(function, client=client)


@pytest.mark.parametrize(
    ("function", "parameters", "result"),
    [
        (plain, {"city": "Berlin"}, ("Berlin", 7)),
        (plain, {"city": "Berlin", "days": "3"}, ("Berlin", 3)),
        (wrapped, {"city": "Berlin", "days": "3"}, ("Berlin", 3)),
        (nothing, {}, None),
        (untyped, {"a": "7"}, ("7", 2)),
        (by_position, {}, (1, 2, 3)),
        (by_position, {"b": "5"}, (1, 5, 3)),
        (by_position, {"c": 9, "a": 7}, (7, 2, 9)),
        (needs_position, {"key": "yes", "a": "1"}, (1, True)),
        (everything, {"a": "1"}, (1, (), 0.5, {})),
        (everything, {"a": 1, "b": 2, "c": [1], "args": 3}, (1, (), 2.0, {"c": [1], "args": 3})),
        (flows.typed, {"days": "3", "ratio": "none", "names": "a,b"}, None),
        (flows.A_PARTIAL, {"days": "3"}, None),
        (flows.AN_OBJECT, {"days": "3"}, 3),
        (dict, {"a": "1"}, {"a": "1"}),
    ],
)
def test_a_flow_is_called_with_its_parameters(
    function: Callable[..., Any], parameters: dict[str, object], result: object
) -> None:
    assert call(function, parameters) == result


@pytest.mark.parametrize("function", [flows.typed, flows.A_PARTIAL, flows.AN_OBJECT, flows.Made])
def test_annotations_that_are_text_are_evaluated_where_they_were_written(function: Callable[..., Any]) -> None:
    assert bind(function, {"days": "3"}, has_client=False).arguments == {"days": 3}


def test_annotations_for_type_checkers_only_take_every_value() -> None:
    bound = bind(flows.for_checkers_only, {"day": "2026-01-31", "price": [1]}, has_client=False)

    assert bound.arguments == {"day": "2026-01-31", "price": [1]}


def test_a_default_is_left_to_python() -> None:
    assert bind(plain, {"city": "x"}, has_client=False).arguments == {"city": "x"}


@pytest.mark.parametrize(
    ("function", "parameters", "sentence"),
    [
        (
            plain,
            {"city": "x", "dyas": 1},
            "The flow has no parameter 'dyas'. Did you mean 'days'? It takes city, days.",
        ),
        (plain, {"city": "x", "zzz": 1}, "The flow has no parameter 'zzz'. It takes city, days."),
        (nothing, {"a": 1}, "The flow has no parameter 'a'. It takes none."),
        (plain, {}, "The flow needs a value for city. Add -p city=VALUE."),
        (needs_position, {}, "The flow needs a value for a, key. Add -p a=VALUE."),
        (everything, {"b": 1}, "The flow needs a value for a. Add -p a=VALUE."),
        (
            plain,
            {"city": "x", "days": "soon"},
            (
                'The parameter days is "soon", expected a whole number. '
                "Give it as -p days=VALUE, or as JSON with -p days:=VALUE."
            ),
        ),
        (
            plain,
            {"city": 5},
            "The parameter city is 5, expected text. Give it as -p city=VALUE, or as JSON with -p city:=VALUE.",
        ),
        (
            flows.typed,
            {"days": 1, "names": ["a", 2]},
            "The parameter names[1] is 2, expected text. Give it as -p names=VALUE, or as JSON with -p names:=VALUE.",
        ),
        (
            flows.with_client,
            {"n": 1},
            (
                "The parameter client wants a Dask client, and this environment's executor is inline. "
                "Run with --executor dask, or give the parameter a default."
            ),
        ),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(
    function: Callable[..., Any], parameters: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(function, parameters, has_client=False)

    assert str(caught.value) == sentence
    assert caught.value.exit_code is ExitCode.CANNOT_LOAD


def test_the_client_goes_to_the_parameter_that_is_annotated_with_it() -> None:
    client = object()

    assert call(flows.with_client, {"n": "2"}, client) == (client, 2)
    assert call(flows.with_optional_client, {}, client) == (client, 1)
    assert call(flows.with_old_optional, {}, client) is client
    assert call(flows.with_dotted_client, {}, client) is client


def test_without_a_cluster_an_optional_client_keeps_its_default() -> None:
    assert call(flows.with_optional_client, {"n": 3}) == (None, 3)


def test_the_real_client_is_recognised_by_its_class() -> None:
    from distributed import Client

    def flow(client: Client, n: int = 1) -> tuple[object, int]:
        return client, n

    stand_in = object()

    assert call(flow, {}, stand_in) == (stand_in, 1)


def test_the_client_is_not_among_the_parameters_that_a_message_offers() -> None:
    with pytest.raises(ParameterError, match=r"'m'\. It takes n\.$"):
        bind(flows.with_optional_client, {"m": 1}, has_client=True)


def test_a_callable_without_a_signature_takes_what_it_is_given() -> None:
    class Opaque:
        __signature__ = "none that Python understands"

        def __call__(self, **values: object) -> object:
            return values

    assert call(Opaque(), {"a": "1"}) == {"a": "1"}


FUNCTIONS = [plain, nothing, untyped, by_position, needs_position, everything, wrapped, dict, print, int, max]
FUNCTIONS += [flows.typed, flows.for_checkers_only, flows.with_client, flows.with_optional_client, flows.with_window]
FUNCTIONS += [flows.A_PARTIAL, flows.AN_OBJECT, flows.Made]
NAMES = st.sampled_from(["a", "b", "c", "city", "days", "client", "n", "window", "names", "args", "rest", "self"])


@given(
    st.sampled_from(FUNCTIONS),
    st.dictionaries(NAMES | ANY_TEXT, HOSTILE | ANY_TEXT, max_size=4),
    st.booleans(),
)
def test_no_parameters_raise_anything_but_a_parameter_error(
    function: Callable[..., Any], parameters: dict[str, object], has_client: bool
) -> None:
    try:
        bound = bind(function, parameters, has_client=has_client)
    except ParameterError:
        return
    assert set(parameters) <= set(bound.arguments)
