"""The environment document: its reader, its schema, and that both say the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.contract import MAX_BYTES, to_bytes
from runner.environment import (
    Callbacks,
    Environment,
    Executor,
    ExecutorType,
    Log,
    LogLevel,
    Producer,
    Retention,
    Timeouts,
    TlsFiles,
    read,
)
from runner.errors import ContractError
from runner.sections import Kind, Local
from tests.runner.strategies import ANY_TEXT, ENVIRONMENTS, HOSTILE, mutations

NEXT_STEP = " Provision it anew with `pulumi up`, then `penstock env pull`."
OWN_SIZE = "expected one of both: that cluster has its own size."
NAME_MEANING = "at most 63 lower-case letters, digits and inner hyphens"
SMALLEST: dict[str, Any] = {"schema_version": 1, "kind": "local", "name": "here", "local": {}}
MINIMAL = Environment(kind=Kind.LOCAL, name="here", local=Local())
FULL = Environment(
    kind=Kind.LOCAL,
    name="analysts-7",
    routing_labels=("gpu", "region=eu/west"),
    metadata={"owner": "Datenteam München", "cost-centre": "42"},
    env={"MODE": "fast", "_x": ""},
    executor=Executor(
        type=ExecutorType.DASK,
        address="tls://scheduler.example:8786",
        tls=TlsFiles(ca_file="/tls/ca.pem", cert_file="/tls/cert.pem", key_file="/tls/key.pem"),
        performance_report=False,
    ),
    callbacks=Callbacks(on_execute="hooks.sizes:choose", on_start="hooks:start", on_exit="hooks:tell"),
    timeouts=Timeouts(queue_seconds=60, start_seconds=30.5, run_seconds=7200, grace_seconds=0.5),
    retention=Retention(succeeded_seconds=0, failed_seconds=86400),
    log=Log(level=LogLevel.WARNING, extra_loggers=("flow", "distributed.core")),
    local=Local(working_directory="/srv/flows", python="/opt/venv/bin/python"),
    producer=Producer(version="0.1.0", project="penstock", stack="dev"),
)
DOCUMENTS = {"environment-minimal.json": MINIMAL, "environment-full.json": FULL}
SCHEMA_FILE = Path(__file__).parents[2] / "runner" / "environment.schema.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_written_as_the_same_bytes_as_ever_and_read_back_from_them(name: str, golden: Any) -> None:
    data = to_bytes(DOCUMENTS[name])

    golden(name, data)
    assert read(data, warn=pytest.fail) == DOCUMENTS[name]
    assert list(SCHEMA.iter_errors(json.loads(data))) == []


def test_only_version_kind_name_and_the_kinds_section_are_needed() -> None:
    assert read(json.dumps(SMALLEST), warn=pytest.fail) == MINIMAL
    assert list(SCHEMA.iter_errors(SMALLEST)) == []
    for key in SMALLEST:
        with pytest.raises(ContractError, match=f"^environment document: {key} is missing"):
            read(json.dumps({name: value for name, value in SMALLEST.items() if name != key}), warn=pytest.fail)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"kind": "loacl"},
            (
                'kind is "loacl", expected one of local, kubernetes-job, dask-kubernetes, fargate-task, '
                "dask-cloud-provider."
            ),
        ),
        ({"name": "Here"}, f'name is "Here", expected {NAME_MEANING}.'),
        ({"name": "a" * 64}, f'name is "{"a" * 59}…, expected {NAME_MEANING}.'),
        ({"name": "-a"}, f'name is "-a", expected {NAME_MEANING}.'),
        ({"name": 1}, f"name is 1, expected {NAME_MEANING}."),
        ({"routing_labels": "gpu"}, 'routing_labels is "gpu", expected a list.'),
        (
            {"routing_labels": ["ok", "no space"]},
            'routing_labels[1] is "no space", expected a label of at most 63 letters, digits and . _ / = -.',
        ),
        ({"metadata": {"a": 1}}, "metadata.a is 1, expected text."),
        ({"metadata": []}, "metadata is a list of 0, expected a mapping."),
        (
            {"env": {"A-B": "x"}},
            ('a key of env is "A-B", expected the name of an environment variable, not beginning with PENSTOCK_.'),
        ),
        (
            {"env": {"PENSTOCK_RUN_ID": "x"}},
            (
                'a key of env is "PENSTOCK_RUN_ID", expected the name of an environment '
                "variable, not beginning with PENSTOCK_."
            ),
        ),
        ({"env": {"A": None}}, "env.A is null, expected text."),
        (
            {"secrets": [{"env": "A", "source": "file", "id": "x"}]},
            'secrets[0].source is "file", expected one of kubernetes-secret, aws-secret.',
        ),
        ({"secrets": [{"env": "A", "source": "aws-secret"}]}, "secrets[0].id is missing, expected a value."),
        (
            {"resources": {"cpu_millicores": 0, "memory_mib": 1}},
            "resources.cpu_millicores is 0, expected a whole number of at least 1.",
        ),
        (
            {"resources": {"cpu_millicores": 1.5, "memory_mib": 1}},
            "resources.cpu_millicores is 1.5, expected a whole number of at least 1.",
        ),
        ({"executor": {"type": "spark"}}, 'executor.type is "spark", expected one of inline, dask.'),
        ({"executor": {"type": "dask", "workers": 0}}, "executor.workers is 0, expected a whole number of at least 1."),
        (
            {"executor": {"type": "dask", "address": "host:8786"}},
            'executor.address is "host:8786", expected an address such as tls://host:8786.',
        ),
        ({"callbacks": {"on_exit": "hooks.tell"}}, 'callbacks.on_exit is "hooks.tell", expected module:function.'),
        (
            {"timeouts": {"run_seconds": 0}},
            "timeouts.run_seconds is 0, expected seconds, more than 0 and at most ten years.",
        ),
        (
            {"timeouts": {"grace_seconds": None}},
            "timeouts.grace_seconds is null, expected seconds, more than 0 and at most ten years.",
        ),
        (
            {"timeouts": {"grace_seconds": "30"}},
            'timeouts.grace_seconds is "30", expected seconds, more than 0 and at most ten years.',
        ),
        (
            {"retention": {"failed_seconds": -1}},
            "retention.failed_seconds is -1, expected seconds, from 0 to ten years.",
        ),
        ({"log": {"level": "info"}}, 'log.level is "info", expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL.'),
        ({"local": {"python": "python3"}}, 'local.python is "python3", expected an absolute path.'),
        ({"local": []}, "local is a list of 0, expected an object."),
        ({"producer": {"version": "1"}}, "producer.project is missing, expected a value."),
    ],
    ids=json.dumps,
)
def test_the_reader_refuses_in_one_sentence_and_the_schema_refuses_too(change: dict[str, Any], sentence: str) -> None:
    document = {**SMALLEST, **change}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"
    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"kubernetes_job": {"namespace": "a", "job": {}}},
            "kubernetes_job is given, expected only local, the section of kind local.",
        ),
        (
            {"failure_policy": {"preempted": "fail"}},
            "failure_policy is given, expected none: a local run is started once.",
        ),
        ({"local": None}, "local is missing, expected the section of kind local."),
        ({"routing_labels": ["a", "b", "a"]}, "routing_labels is a list with 'a' twice, expected each label once."),
        ({"image": "x"}, "image is given, expected null: a local run is a process of this machine."),
        (
            {"resources": {"cpu_millicores": 1, "memory_mib": 1}},
            "resources is given, expected null: a local run is a process of this machine.",
        ),
        (
            {"secrets": [{"env": "A", "source": "aws-secret", "id": "x"}]},
            "secrets is given, expected none: a local run takes secret values from the shell it starts in.",
        ),
        (
            {"executor": {"workers": 2}},
            "executor.workers is given for an inline executor, expected the type dask with it.",
        ),
        (
            {"executor": {"type": "dask", "address": "tcp://h:1", "threads_per_worker": 1}},
            f"executor.threads_per_worker is given beside an address, {OWN_SIZE}",
        ),
        (
            {"executor": {"type": "dask", "address": "tcp://h:1", "dashboard": True}},
            f"executor.dashboard is given beside an address, {OWN_SIZE}",
        ),
    ],
    ids=json.dumps,
)
def test_fields_that_contradict_each_other_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST, **change}), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"


@pytest.mark.parametrize("address", [None, "tcp://h:1"])
def test_tls_files_without_a_tls_address_are_refused_with_their_place(address: str | None) -> None:
    tls = {"ca_file": "a", "cert_file": "b", "key_file": "c"}
    document = {**SMALLEST, "executor": {"type": "dask", "address": address, "tls": tls}}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert caught.value.path == "executor.tls"


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (
            2,
            (
                "schema_version is 2, expected 1, the version that this penstock reads. "
                "Use a newer penstock, or an image that has one."
            ),
        ),
        (0, "schema_version is 0, expected 1, the version that this penstock reads. Use a matching penstock."),
        ("1", 'schema_version is "1", expected 1, the version that this penstock reads. Use a matching penstock.'),
        (True, "schema_version is true, expected 1, the version that this penstock reads. Use a matching penstock."),
        (None, "schema_version is missing, expected 1, the version that this penstock reads. Use a matching penstock."),
    ],
)
def test_another_version_is_refused_before_anything_else_is_looked_at(version: object, sentence: str) -> None:
    document = {"schema_version": version, "kind": 7, "colour": "unheard of"}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}"
    assert not SCHEMA.is_valid({**SMALLEST, "schema_version": version})


def test_unknown_keys_warn_by_path_and_the_schema_lets_them_pass() -> None:
    document = {**SMALLEST, "colour": 1, "local": {"shell": "/bin/sh"}, "executor": {"tls": None, "worker": 4}}
    warnings: list[str] = []

    assert read(json.dumps(document), warn=warnings.append) == MINIMAL
    assert warnings == [
        f"The environment document has the key {path}, which this version of penstock does not know."
        for path in ("colour", "executor.worker", "local.shell")
    ]
    assert SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    "data",
    [
        b" " * (MAX_BYTES + 1),
        b"[" * 100_000,
        b'{"schema_version": 1, "schema_version": 1}',
        b"NaN",
        b'"\\ud800"',
        b"\0",
    ],
    ids=["large", "deep", "twice", "nan", "surrogate", "nul"],
)
def test_what_is_not_sound_json_is_refused_as_an_environment_document(data: bytes) -> None:
    with pytest.raises(ContractError, match=r"^environment document is ") as caught:
        read(data, warn=pytest.fail)

    assert str(caught.value).endswith(NEXT_STEP)


def test_nul_is_refused_where_it_would_reach_the_operating_system() -> None:
    for change in ({"env": {"A": "\0"}}, {"local": {"working_directory": "/\0"}}):
        with pytest.raises(ContractError):
            read(json.dumps({**SMALLEST, **change}), warn=pytest.fail)


@given(ENVIRONMENTS)
def test_every_environment_is_read_back_from_its_bytes(environment: Environment) -> None:
    data = to_bytes(environment)

    again = read(data, warn=pytest.fail)

    assert again == environment
    assert to_bytes(again) == data
    assert SCHEMA.is_valid(json.loads(data))


@given(st.binary(max_size=200) | ANY_TEXT | HOSTILE.map(json.dumps) | mutations(to_bytes(FULL)))
def test_nothing_that_is_read_raises_anything_but_a_contract_error(data: bytes | str) -> None:
    try:
        environment = read(data, warn=lambda _: None)
    except ContractError:
        return
    assert read(to_bytes(environment), warn=pytest.fail) == environment
