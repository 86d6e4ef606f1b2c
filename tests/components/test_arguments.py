"""The arguments mirror the document's dataclasses, so that no key can be forgotten on either side."""

from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from components.arguments import ExecutorOptions, LocalTimeouts, LogOptions, RetentionOptions, TlsFileOptions
from components.document import plain_types
from components.local import LocalEnvironmentArgs
from runner.environment import Callbacks, Environment, Executor, Local, Log, Retention, Timeouts, TlsFiles

GROUPS: list[tuple[Any, Any]] = [
    (ExecutorOptions, Executor),
    (TlsFileOptions, TlsFiles),
    (RetentionOptions, Retention),
    (LogOptions, Log),
]


@pytest.mark.parametrize(("options", "group"), GROUPS)
def test_a_group_has_the_keys_of_its_dataclass(options: Any, group: Any) -> None:
    assert list(plain_types(options)) == [item.name for item in fields(group)]


@pytest.mark.parametrize(("options", "group"), [*GROUPS, (LocalTimeouts, Timeouts)])
def test_a_key_has_the_type_of_its_field(options: Any, group: Any) -> None:
    mirrors = dict(GROUPS)
    hints = get_type_hints(group)

    for key, plain in plain_types(options).items():
        hint = get_args(hints[key])[0] if isinstance(hints[key], UnionType) else hints[key]
        assert mirrors.get(plain, plain) == {tuple: list}.get(get_origin(hint), hint)


@pytest.mark.parametrize(("options", "group"), [*GROUPS, (LocalTimeouts, Timeouts)])
def test_a_key_is_required_when_its_field_has_no_default(options: Any, group: Any) -> None:
    required = {item.name for item in fields(group) if item.default is MISSING and item.default_factory is MISSING}

    assert options.__required_keys__ == required


def test_local_has_every_part_of_the_document_that_a_local_environment_can_have() -> None:
    parts = {item.name for item in fields(Environment)}
    not_given = {"schema_version", "kind", "name", "producer", "callbacks", "local"}
    refused = {"image", "resources", "secrets"}
    grouped = {item.name for group in (Callbacks, Local) for item in fields(group)}

    assert set(plain_types(LocalEnvironmentArgs)) == parts - not_given - refused | grouped | {"environment_name"}


def test_no_argument_of_an_environment_has_a_default_of_its_own() -> None:
    assert LocalEnvironmentArgs.__required_keys__ == frozenset()
