"""The command and environments on Kubernetes: which cluster is meant, and what is said of one that does not answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import contract
from tests.runner.cli.conftest import Penstock
from tests.runner.launch.kubernetes.objects import environment

NOBODY = "https://127.0.0.1:9"
"""A server that nobody is."""


def _kubeconfig(path: Path, *contexts: str) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": NOBODY}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in contexts],
        "current-context": contexts[0],
    }
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def pulled(penstock: Penstock, tmp_path: Path) -> Path:
    """A kubeconfig with two contexts, and an environment that was pulled while the first was current."""
    file = _kubeconfig(tmp_path / "kubeconfig", "first", "second")
    document = tmp_path / "document.json"
    document.write_bytes(contract.to_bytes(environment()))
    assert penstock("env", "pull", str(document), KUBECONFIG=str(file)).code == 0
    return file


def test_an_environment_stays_in_the_context_that_it_was_pulled_from(
    penstock: Penstock, pulled: Path, tmp_path: Path
) -> None:
    other = _kubeconfig(tmp_path / "other", "second", "first")

    done = penstock("doctor", "--env", "jobs", KUBECONFIG=str(other))

    assert "The cluster of context first (https://127.0.0.1:9)" in done.out
    assert done.code == 69
    chosen = penstock("doctor", "--env", "jobs", "--context", "second", KUBECONFIG=str(other))
    assert "The cluster of context second" in chosen.out


def test_a_cluster_that_does_not_answer_is_one_sentence(penstock: Penstock, pulled: Path) -> None:
    done = penstock("run", "behaviours.py:succeed", "--env", "jobs", KUBECONFIG=str(pulled))

    assert done.code == 69
    assert "The cluster of context first (https://127.0.0.1:9)" in done.err
    assert "Traceback" not in done.err


@pytest.mark.long
def test_what_cannot_be_asked_does_not_hide_the_rest(penstock: Penstock, pulled: Path, here: Path) -> None:
    penstock("run", "behaviours.py:succeed", "--env", "here", "--run-id", "one", KUBECONFIG=str(pulled))

    done = penstock("ls", KUBECONFIG=str(pulled))

    assert done.code == 0
    assert "one" in done.out
    assert "penstock: the runs of jobs are not shown. The cluster of context first" in done.err


@pytest.mark.long
def test_a_run_that_may_be_where_nobody_answers_is_not_said_to_be_nowhere(penstock: Penstock, pulled: Path) -> None:
    done = penstock("describe", "some-run", KUBECONFIG=str(pulled))

    assert done.code == 69
    assert "The run 'some-run' was not found, and jobs could not be asked. jobs: The cluster of context" in done.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["doctor", "--env", "jobs", "--context", "third"], "There is no context third in"),
        (["env", "pull", "--namespace", "flows", "--kubeconfig", "/nowhere"], "/nowhere"),
        (["run", "behaviours.py:succeed", "--env", "jobs", "--image", "a b"], '--image is "a b", expected an image'),
    ],
)
def test_mistakes(penstock: Penstock, pulled: Path, words: list[str], sentence: str) -> None:
    done = penstock(*words, KUBECONFIG=str(pulled))

    assert done.code in {64, 69}
    assert sentence in done.out + done.err


def test_the_note_goes_with_the_environment(penstock: Penstock, store: Callable[..., Path], state_home: Path) -> None:
    file = store("local-one")
    (state_home / "penstock" / "environments" / "local-one.reach").write_text('{"context": "old"}')

    assert penstock("env", "pull", str(file)).code == 0
    assert not (state_home / "penstock" / "environments" / "local-one.reach").exists()
