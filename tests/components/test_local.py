import json
from typing import Any

import pulumi
import pytest

from components.given import ArgumentError
from components.local import LocalEnvironment
from tests.testbed.pulumi_mocks import Deploy

FULL: dict[str, Any] = {
    "environment_name": "analysts",
    "routing_labels": ["laptop", "gpu"],
    "metadata": {"owner": "data team"},
    "env": {"OMP_NUM_THREADS": "1"},
    "executor": {
        "type": "dask",
        "address": "tls://scheduler.example:8786",
        "tls": {"ca_file": "/tls/ca.pem", "cert_file": "/tls/cert.pem", "key_file": "/tls/key.pem"},
        "performance_report": False,
    },
    "on_execute": "hooks:execute",
    "on_start": "hooks:start",
    "on_exit": "hooks.sub:exit",
    "timeouts": {"run_seconds": 3600, "grace_seconds": 2.5},
    "retention": {"succeeded_seconds": 0, "failed_seconds": 86400},
    "log": {"level": "WARNING", "extra_loggers": ["distributed.scheduler"]},
    "working_directory": "/srv/flows",
    "python": "/opt/python/bin/python3",
}


@pytest.mark.parametrize(("file", "args"), [("local.json", {}), ("local-full.json", FULL)])
def test_its_document(deploy: Deploy, golden: Any, file: str, args: Any) -> None:
    def program() -> None:
        pulumi.export("environment", LocalEnvironment("laptop", args).environment)

    document = deploy(program).exports["environment"].value
    document["producer"]["version"] = "any"

    golden(file, json.dumps(document, indent=2, sort_keys=True).encode() + b"\n")


def test_it_creates_nothing_but_itself(deploy: Deploy) -> None:
    monitor = deploy(lambda: LocalEnvironment("laptop", {}))

    assert [item.type for item in monitor.own] == ["penstock:index:LocalEnvironment"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"environment_name": "My Laptop"}, 'environment_name is "My Laptop", expected at most 63 lower-case letters'),
    ({"routing_labels": "gpu"}, 'routing_labels is "gpu", expected a list'),
    ({"routing_labels": ["gpu", "a b"]}, 'routing_labels[1] is "a b", expected a label of at most 63'),
    ({"routing_labels": ["gpu", "gpu"]}, "routing_labels is a list with 'gpu' twice, expected each label once"),
    ({"metadata": {"cost centre": 7}}, "metadata.cost centre is 7, expected text"),
    ({"env": {"A": None}}, "env.A is null, expected text"),
    ({"env": {"1A": "x"}}, 'env is given the key "1A", expected as each key the name of an environment variable'),
    ({"env": {"PENSTOCK_RUN_ID": "x"}}, 'env is given the key "PENSTOCK_RUN_ID", expected as each key'),
    ({"executor": {"type": "threads"}}, 'executor.type is "threads", expected one of inline, dask'),
    ({"executor": {"type": "dask", "workers": "four"}}, 'executor.workers is "four", expected a whole number of'),
    ({"executor": {"type": "dask", "workers": 0}}, "executor.workers is 0, expected a whole number of at least 1"),
    ({"executor": {"workers": 2}}, "executor.workers is given for an inline executor, expected the type dask"),
    ({"executor": {"wokers": 2}}, "executor.wokers is unknown, expected executor.workers, the nearest known key"),
    ({"executor": {"tls": {"ca_fil": "x"}}}, "executor.tls.ca_fil is unknown, expected executor.tls.ca_file, the"),
    ({"executor": "dask"}, 'executor is "dask", expected an object'),
    ({"on_start": "hooks.start"}, 'on_start is "hooks.start", expected module:function'),
    (
        {"timeouts": {"run_seconds": 0}},
        "timeouts.run_seconds is 0, expected seconds, more than 0 and at most ten years",
    ),
    ({"timeouts": {"queue_seconds": 5}}, "timeouts.queue_seconds is unknown, expected timeouts."),
    ({"retention": {"failed_seconds": -1}}, "retention.failed_seconds is -1, expected seconds, from 0 to ten years"),
    ({"log": {"level": "LOUD"}}, 'log.level is "LOUD", expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL'),
    ({"working_directory": "flows"}, 'working_directory is "flows", expected an absolute path'),
    ({"python": "python3"}, 'python is "python3", expected an absolute path'),
    ({"image": "python:3.11"}, "image is unknown, expected one of env, environment_name, executor,"),
    ({"python": object()}, 'python is "<object object at'),
]


@pytest.mark.parametrize(("args", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_a_mistake_is_refused_in_the_constructor_before_anything_is_registered(
    deploy: Deploy, args: Any, sentence: str
) -> None:
    refusals = []

    def program() -> None:
        with pytest.raises(ArgumentError) as refusal:
            LocalEnvironment("laptop", args)
        refusals.append(str(refusal.value))

    monitor = deploy(program, preview=True)

    assert refusals[0].startswith(f"LocalEnvironment 'laptop': {sentence}")
    assert refusals[0].endswith(". Correct that argument.")
    assert monitor.own == []


def test_an_argument_of_none_is_as_if_it_were_not_given(deploy: Deploy) -> None:
    args: Any = {"log": None, "environment_name": None, "python": None}

    def program() -> None:
        pulumi.export("none", LocalEnvironment("laptop", args).environment)
        pulumi.export("absent", LocalEnvironment("laptop", {}).environment)

    exports = deploy(program).exports

    assert exports["none"].value == exports["absent"].value
