"""What the Job of a run with Dask workers has beside that of any other."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from components import job_spec
from components.dask_job import with_cleanup
from components.job_template import job_template
from runner.contract import to_bytes
from runner.errors import ContractError

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def plain(written: Any = None) -> dict[str, Any]:
    spec = job_spec.read(written, folder=Path())
    return job_template("flights", "team", job_spec=spec, service_account="flights-runner", token=True)


def pod(written: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = with_cleanup(plain(written))["spec"]["template"]["spec"]
    return found


def job_of(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": fields}}}


def with_flow(**fields: Any) -> dict[str, Any]:
    return job_of(containers=[{"name": "log", "image": "log:1"}, {"name": "flow", **fields}])


def flow(spec: dict[str, Any]) -> dict[str, Any]:
    (container,) = [item for item in spec["containers"] if item["name"] == "flow"]
    found: dict[str, Any] = container
    return found


def cleanup(spec: dict[str, Any]) -> dict[str, Any]:
    (container,) = [item for item in spec["initContainers"] if item["name"] == "cleanup"]
    found: dict[str, Any] = container
    return found


def field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_the_job_of_no_arguments(golden: Any) -> None:
    golden("dask-job.json", json.dumps(with_cleanup(plain()), indent=2, sort_keys=True).encode() + b"\n")


def test_the_runs_own_pod_has_a_token_and_knows_which_pod_it_is() -> None:
    spec = pod()

    assert spec["automountServiceAccountToken"] is True
    assert flow(spec)["env"] == [
        field("PENSTOCK_POD_NAME", "metadata.name"),
        field("PENSTOCK_POD_UID", "metadata.uid"),
        field("PENSTOCK_POD_IP", "status.podIP"),
    ]


def test_variables_of_the_users_job_stay_whatever_their_places_are() -> None:
    own = [{"name": "MODE", "value": "fast"}, {"name": "HOME", "value": "/home"}]
    env = flow(pod(with_flow(env=own)))["env"]

    assert {item["name"]: item.get("value") for item in env} == {
        "PENSTOCK_POD_NAME": None,
        "PENSTOCK_POD_UID": None,
        "PENSTOCK_POD_IP": None,
        "MODE": "fast",
        "HOME": "/home",
    }
    assert len(env) == 5


def test_variables_are_the_flows_containers_and_no_others() -> None:
    log = next(item for item in pod(with_flow())["containers"] if item["name"] == "log")

    assert "env" not in log


def test_the_container_that_cleans_up_runs_beside_the_flow() -> None:
    assert cleanup(pod()) == {
        "name": "cleanup",
        "restartPolicy": "Always",
        "command": ["python3", "-P", "-m", "runner.clusters.cleanup"],
        "env": [
            field("PENSTOCK_POD_NAME", "metadata.name"),
            field("PENSTOCK_POD_UID", "metadata.uid"),
            field("PENSTOCK_RUN_ID", "metadata.labels['penstock.dev/run-id']"),
        ],
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": RESTRICTED,
    }


def test_it_begins_last_and_so_ends_before_what_it_needs() -> None:
    spec = pod(job_of(initContainers=[{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}]))

    assert [item["name"] for item in spec["initContainers"]] == ["proxy", "cleanup"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["/opt/python", "-I", "-m", "runner"], ["/opt/python", "-I", "-m", "runner.clusters.cleanup"]),
        (["numactl", "python3", "-m", "runner"], ["numactl", "python3", "-m", "runner.clusters.cleanup"]),
        (["sh", "-c", "exec python3 -m runner $0"], ["python3", "-P", "-m", "runner.clusters.cleanup"]),
        ([], ["python3", "-P", "-m", "runner.clusters.cleanup"]),
    ],
)
def test_it_is_started_as_the_users_job_starts_the_runner(command: list[str], expected: list[str]) -> None:
    assert cleanup(pod(with_flow(command=command)))["command"] == expected


def test_it_is_the_flows_user_without_the_flows_privileges() -> None:
    security = {"runAsUser": 1000, "runAsGroup": 1000, "readOnlyRootFilesystem": False, "privileged": True}

    assert cleanup(pod(with_flow(securityContext=security)))["securityContext"] == {
        **RESTRICTED,
        "runAsUser": 1000,
        "runAsGroup": 1000,
    }


def test_it_is_pulled_as_the_flow_is() -> None:
    assert cleanup(pod(with_flow(imagePullPolicy="Always")))["imagePullPolicy"] == "Always"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            job_of(automountServiceAccountToken=False),
            "job_spec.spec.template.spec.automountServiceAccountToken is false, expected true: the run creates its",
        ),
        (
            job_of(initContainers=[{"name": "cleanup"}]),
            'job_spec.spec.template.spec.initContainers[0].name is "cleanup", expected another name',
        ),
        (
            job_of(containers=[{"name": "cleanup"}]),
            'job_spec.spec.template.spec.containers[1].name is "cleanup", expected another name',
        ),
    ],
)
def test_a_job_in_which_no_worker_could_be_created_or_removed_is_refused(written: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        with_cleanup(plain(written))

    assert sentence in str(refusal.value)


def test_a_job_is_never_changed_and_gives_equal_bytes_each_time() -> None:
    job = plain(with_flow(env=[{"name": "MODE", "value": "fast"}]))
    before = copy.deepcopy(job)

    first, second = to_bytes(with_cleanup(job)), to_bytes(with_cleanup(job))

    assert job == before
    assert first == second


def test_failures_end_the_run_as_those_of_any_other() -> None:
    made, other = with_cleanup(plain())["spec"], plain()["spec"]

    assert made["template"]["spec"]["restartPolicy"] == "Never"
    for key in ("backoffLimit", "podFailurePolicy", "podReplacementPolicy"):
        assert made[key] == other[key]
