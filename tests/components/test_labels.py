import pytest

from components.labels import ENVIRONMENT, RUN_ID, WORKER, environment_labels, legal, run_labels
from runner.errors import ContractError
from runner.kubernetes import names

STANDARD = {
    "app.kubernetes.io/name": "penstock",
    "app.kubernetes.io/part-of": "penstock",
    "app.kubernetes.io/instance": "flights",
    "app.kubernetes.io/managed-by": "pulumi",
    "app.kubernetes.io/component": "runner",
    "penstock.dev/environment": "flights",
}


def test_the_labels_of_an_object_say_whose_and_what_it_is() -> None:
    assert environment_labels("flights", "runner") == STANDARD


def test_the_users_labels_are_among_them() -> None:
    labels = environment_labels("flights", "runner", {"team": "data", "example.com/cost-centre": "7"})

    assert labels == {**STANDARD, "team": "data", "example.com/cost-centre": "7"}


def test_a_run_is_managed_by_penstock_and_not_by_pulumi() -> None:
    assert run_labels("flights", {"team": "data"}) == {
        **STANDARD,
        "app.kubernetes.io/managed-by": "penstock",
        "app.kubernetes.io/component": "run",
        "team": "data",
    }


@pytest.mark.parametrize("key", ["penstock.dev/run-id", "app.kubernetes.io/name", "app.kubernetes.io/component"])
def test_labels_of_penstocks_own_are_refused(key: str) -> None:
    with pytest.raises(ContractError) as refusal:
        environment_labels("flights", "runner", {key: "x"})

    assert (refusal.value.path, refusal.value.found) == (f"labels.{key}", "given")
    assert refusal.value.expected == "another key: this label is Penstock's own"


@pytest.mark.parametrize(
    ("labels", "path", "found"),
    [
        ({"team name": "x"}, "a key of labels", '"team name"'),
        ({"": "x"}, "a key of labels", '""'),
        ({"/team": "x"}, "a key of labels", '"/team"'),
        ({"Example.com/team": "x"}, "a key of labels", '"Example.com/team"'),
        ({"x" * 64: "x"}, "a key of labels", f'"{"x" * 59}…'),
        ({"team": "data team"}, "labels.team", '"data team"'),
        ({"team": "-data"}, "labels.team", '"-data"'),
        ({"team": "x" * 64}, "labels.team", f'"{"x" * 59}…'),
    ],
)
def test_what_kubernetes_would_refuse_is_refused(labels: dict[str, str], path: str, found: str) -> None:
    with pytest.raises(ContractError) as refusal:
        legal(labels)

    assert (refusal.value.path, refusal.value.found) == (path, found)


def test_an_empty_value_is_a_label_too() -> None:
    assert legal({"spot": ""}) == {"spot": ""}


def test_a_worker_of_a_run_is_told_apart_from_the_run() -> None:
    assert run_labels("flights", component=WORKER) == {
        **run_labels("flights"),
        "app.kubernetes.io/component": "worker",
    }


def test_the_labels_are_those_that_the_runner_knows() -> None:
    assert (ENVIRONMENT, RUN_ID) == (names.ENVIRONMENT, names.RUN_ID)
