import copy
from pathlib import Path
from typing import Any

import pytest

from components.worker_spec import read
from runner.errors import ContractError

POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "worker", "command": ["nice", "python3"]}]}}


def test_a_mapping_is_taken_and_left_as_it_was() -> None:
    given = copy.deepcopy(POD)

    pod = read(given, folder=Path("/nowhere"))

    assert pod == given == POD
    assert pod is not None
    assert pod["spec"] is not given["spec"]


def test_a_file_is_read_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "worker.yaml").write_text("spec: {containers: [{name: worker, command: [nice, python3]}]}")

    assert read("worker.yaml", folder=tmp_path) == POD


def test_a_pod_can_leave_out_what_it_has_nothing_to_say_about() -> None:
    assert read({}, folder=Path()) == {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": []}}


def test_without_one_there_is_none() -> None:
    assert read(folder=Path()) is None


REFUSED: list[tuple[Any, str]] = [
    ("nowhere.yaml", "worker_spec is a file that cannot be read (nowhere.yaml: No such file or directory), expected"),
    (7, "worker_spec is 7, expected a Pod, or the path of a file with one"),
    ({"kind": "Job"}, 'worker_spec.kind is "Job", expected Pod'),
    ({"apiVersion": "batch/v1"}, 'worker_spec.apiVersion is "batch/v1", expected v1'),
    ({"spec": []}, "worker_spec.spec is a list of 0, expected a mapping"),
    ({"spec": {"containers": {}}}, "worker_spec.spec.containers is an object with 0 keys, expected a list"),
    (
        {"spec": {"restartPolicy": "Always"}},
        'worker_spec.spec.restartPolicy is "Always", expected Never: a worker that',
    ),
    (
        {"spec": {"containers": [{"name": "log", "args": ["x"]}, {"name": "worker", "args": ["x"]}]}},
        "worker_spec.spec.containers[1].args is given, expected none: they are the runner's own",
    ),
    (
        {"spec": {"containers": [{"name": "worker", "env": [{"name": "A"}, {"name": "PENSTOCK_POD_IP"}]}]}},
        'worker_spec.spec.containers[0].env[1].name is "PENSTOCK_POD_IP", expected another name',
    ),
]


@pytest.mark.parametrize(("pod", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_a_pod_that_no_worker_can_be_made_from_is_refused(pod: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        read(pod, folder=Path())

    assert sentence in str(refusal.value)
