import copy
import json
from pathlib import Path
from typing import Any

import pytest

from components.job_spec import read
from runner.errors import ContractError

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "spec": {"template": {"spec": {"containers": [{"name": "flow", "image": "a:1"}]}}},
}
YAML = """
# A comment of the user's.
apiVersion: batch/v1
kind: Job
spec:
  template:
    spec:
      containers:
        - {name: flow, image: "a:1"}
"""


def test_a_mapping_is_taken_and_left_as_it_was() -> None:
    given = copy.deepcopy(JOB)

    job = read(given, folder=Path("/nowhere"))

    assert job == given == JOB
    assert job is not None
    assert job["spec"] is not given["spec"]


@pytest.mark.parametrize(
    ("name", "text"), [("job.yaml", YAML), ("job.yml", f"---{YAML}"), ("job.json", json.dumps(JOB)), ("job", YAML)]
)
def test_a_file_is_read_relative_to_the_folder(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / name).write_text(text)

    assert read(f"jobs/{name}", folder=tmp_path) == JOB
    assert read(str(tmp_path / "jobs" / name), folder=Path("/nowhere")) == JOB


def test_a_job_can_leave_out_what_it_has_nothing_to_say_about() -> None:
    assert read({}, folder=Path()) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {"template": {"spec": {"containers": []}}},
    }


def test_without_one_there_is_none() -> None:
    assert read(folder=Path()) is None


FILES = {
    "job.yaml is missing": (None, "job_spec is a file that cannot be read ({}/job.yaml: No such file or directory)"),
    "two documents": (f"{YAML}---{YAML}", "job_spec is a file with 2 documents (job.yaml), expected one document"),
    "nothing": ("", "job_spec is an empty file (job.yaml), expected one document: the Job"),
    "no YAML": ("a: [1\nb: 2\n", "job_spec is not YAML (job.yaml, line 2: expected ',' or ']'"),
    "a list": ("[1]", "job_spec is a list of 1, expected a Job"),
    "another kind": ("kind: Pod\napiVersion: v1", 'job_spec.apiVersion is "v1", expected batch/v1'),
    "a date": (
        "metadata: {annotations: {since: 2024-01-01}}",
        "since is of type date (2024-01-01), expected text; put it in",
    ),
    "a key that is no text": ("metadata: {annotations: {on: x}}", "a key of job_spec.metadata.annotations is True"),
    "text": ("x", 'job_spec is "x", expected a Job'),
}


@pytest.mark.parametrize(("text", "sentence"), FILES.values(), ids=FILES)
def test_a_file_that_is_not_one_job_is_refused(tmp_path: Path, text: str | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / "job.yaml").write_text(text)

    with pytest.raises(ContractError) as refusal:
        read("job.yaml", folder=tmp_path)

    assert sentence.format(tmp_path) in str(refusal.value)


def test_a_file_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{")

    with pytest.raises(ContractError, match=r"job_spec is not JSON \(job\.json: Expecting property name"):
        read("job.json", folder=tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ContractError, match=r"job_spec is a file that cannot be read \(.*job\.yaml: not UTF-8\)"):
        read("job.yaml", folder=tmp_path)


def pod(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": fields}}}


MAPPINGS: list[tuple[Any, str]] = [
    (7, "job_spec is 7, expected a Job, or the path of a file with one"),
    ({"kind": "CronJob"}, 'job_spec.kind is "CronJob", expected Job'),
    ({"spec": "x"}, 'job_spec.spec is "x", expected a mapping'),
    ({"spec": {"template": []}}, "job_spec.spec.template is a list of 0, expected a mapping"),
    (pod(containers={}), "job_spec.spec.template.spec.containers is an object with 0 keys, expected a list"),
    (pod(containers=["flow"]), 'job_spec.spec.template.spec.containers[0] is "flow", expected a mapping'),
    ({"spec": {"parallelism": 2}}, "job_spec.spec.parallelism is 2, expected 1: a run is one pod"),
    ({"spec": {"completions": 3}}, "job_spec.spec.completions is 3, expected 1: a run is one pod"),
    ({"spec": {"completionMode": "Indexed"}}, 'job_spec.spec.completionMode is "Indexed", expected NonIndexed'),
    (pod(restartPolicy="OnFailure"), 'spec.restartPolicy is "OnFailure", expected Never: failure_policy decides'),
    (
        pod(containers=[{"name": "flow", "args": ["x"]}]),
        "job_spec.spec.template.spec.containers[0].args is given, expected none: they are the runner's own",
    ),
    (
        pod(containers=[{"name": "log"}, {"name": "flow", "env": [{"name": "PENSTOCK_RUN_ID", "value": "x"}]}]),
        'containers[1].env[0].name is "PENSTOCK_RUN_ID", expected another name',
    ),
    (
        pod(containers=[{"name": "flow", "env": {"A": "x"}}]),
        "containers[0].env is an object with 1 keys, expected a list",
    ),
    ({"metadata": {"name": object()}}, "job_spec.metadata.name is of type object"),
]


@pytest.mark.parametrize(("job", "sentence"), MAPPINGS, ids=[sentence for _, sentence in MAPPINGS])
def test_a_job_that_no_run_can_be_made_from_is_refused(job: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        read(job, folder=Path())

    assert sentence in str(refusal.value)
