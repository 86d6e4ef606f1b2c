import copy
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.environment import Retention, SecretReference, SecretSource, Timeouts
from runner.errors import UsageError
from runner.kubernetes import names
from runner.launch.kubernetes import job
from runner.request import RUN_ID, Bundle, fingerprint
from runner.sections import KubernetesJob, Resources
from tests.runner.launch.kubernetes.objects import TEMPLATE, asked, environment

BUNDLE = Bundle(sha256="a" * 64, size=10)


def _flow(rendered: dict[str, object]) -> dict[str, object]:
    return job.flow_container(rendered["spec"]["template"]["spec"])  # type: ignore[index]


def test_the_same_input_gives_the_same_bytes_and_is_left_as_it_was() -> None:
    target, request = environment(), asked(bundle=BUNDLE)
    before = copy.deepcopy(TEMPLATE)

    first, second = job.render(target, request), job.render(target, request)

    assert json.dumps(first) == json.dumps(second)
    assert before == TEMPLATE
    assert first is not second


def test_the_whole_of_a_job(golden: object) -> None:
    target = environment(
        env={"A": "environment", "B": "environment"},
        secrets=(SecretReference(env="TOKEN", source=SecretSource.KUBERNETES_SECRET, id="api", key="token"),),
        timeouts=Timeouts(queue_seconds=600, start_seconds=300, run_seconds=3600, grace_seconds=10),
    )
    rendered = job.render(target, asked(bundle=BUNDLE, image="penstock.local/other:1"))

    golden("job.json", json.dumps(rendered, indent=2, sort_keys=True).encode() + b"\n")  # type: ignore[operator]


def test_variables_are_merged_by_name_and_none_stands_twice() -> None:
    target = environment(env={"A": "environment", "B": "environment"})

    env = {item["name"]: item.get("value") for item in _flow(job.render(target, asked()))["env"]}  # type: ignore[attr-defined]
    listed = [item["name"] for item in _flow(job.render(target, asked()))["env"]]  # type: ignore[attr-defined]

    assert (env["HOME"], env["A"], env["B"]) == ("/tmp", "environment", "environment")
    assert len(listed) == len(set(listed))
    assert listed == ["HOME", "A", "B", job.ENVIRONMENT_VARIABLE, job.REQUEST_VARIABLE]


def test_other_containers_keep_their_image_and_get_no_variables() -> None:
    rendered = job.render(environment(env={"B": "environment"}), asked())

    assert (
        rendered["spec"]["template"]["spec"]["containers"][0] == TEMPLATE["spec"]["template"]["spec"]["containers"][0]
    )


def test_a_run_is_read_back_from_its_job() -> None:
    target, request = environment(), asked(parameters={"city": "Köln"}, bundle=BUNDLE)
    rendered = job.render(target, request)

    assert job.environment_of(rendered) == target
    assert job.request_of(rendered) == request
    assert job.request_map_of(rendered) is None


def test_a_request_that_is_too_large_for_a_variable_comes_from_a_config_map() -> None:
    request = asked(parameters={"text": "x" * job.LARGEST_VARIABLE})
    rendered = job.render(environment(), request)

    assert job.request_of(rendered) is None
    assert job.content_of(request) is not None
    assert str(job.request_map_of(rendered)).startswith("penstock-request-")
    mounts = {item["mountPath"] for item in _flow(rendered)["volumeMounts"]}  # type: ignore[attr-defined]
    assert mounts == {"/penstock/request"}
    assert "/penstock/request/request.json" in _flow(rendered)["args"]  # type: ignore[operator]


def test_small_code_travels_in_the_job_and_large_code_in_a_config_map() -> None:
    request = asked(bundle=BUNDLE)

    inline, mounted = job.render(environment(), request, bundle=b"zip"), job.render(environment(), request)

    assert job.bundle_of(inline) == b"zip"
    assert "volumes" not in inline["spec"]["template"]["spec"]
    assert "env:PENSTOCK_INPUT_BUNDLE" in _flow(inline)["args"]  # type: ignore[operator]
    assert job.bundle_of(mounted) is None
    volumes = mounted["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "penstock-bundle", "configMap": {"name": f"penstock-bundle-{'a' * 40}"}}]


def test_no_value_has_what_kubernetes_would_replace() -> None:
    rendered = job.render(environment(metadata={"note": "$(A)"}), asked(parameters={"text": "$(HOME) $$"}))

    values = {item["name"]: item["value"] for item in _flow(rendered)["env"]}  # type: ignore[attr-defined]
    assert "$" not in values[job.REQUEST_VARIABLE] + values[job.ENVIRONMENT_VARIABLE]
    assert job.request_of(rendered) == asked(parameters={"text": "$(HOME) $$"})


@pytest.mark.parametrize(("beside", "limit"), [(0, "4096"), (2, "4096"), (5, "2048")])
def test_the_record_is_as_small_as_the_number_of_containers_demands(beside: int, limit: str) -> None:
    template = copy.deepcopy(TEMPLATE)
    containers = template["spec"]["template"]["spec"]["containers"]
    del containers[0]
    containers += [{"name": f"beside-{number}", "image": "a"} for number in range(beside)]

    args = _flow(job.render(environment(kubernetes_job=KubernetesJob(namespace="flows", job=template)), asked()))[
        "args"
    ]

    assert args[args.index("--outcome-limit") + 1] == limit  # type: ignore[attr-defined, index]


def test_a_document_that_is_too_large_is_refused() -> None:
    target = environment(metadata={"note": "x" * job.LARGEST_VARIABLE})

    with pytest.raises(
        UsageError, match=r"The document of environment jobs is 9\d,\d{3} bytes, expected at most 98,304"
    ):
        job.render(target, asked())


@given(
    name=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True),
    run_id=st.from_regex(RUN_ID, fullmatch=True),
)
def test_names_are_legal_whatever_environment_and_run_are_called(name: str, run_id: str) -> None:
    made = [names.job_name(name, run_id, attempt) for attempt in (1, 2, 99999)]

    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", each) and len(each) <= 63 for each in made)
    assert len(set(made)) == 3


def test_the_hash_of_a_request_tells_requests_apart_and_attempts_not() -> None:
    first = fingerprint(asked())

    assert fingerprint(asked(accepted_at=1.0, attempt=2)) == first
    assert fingerprint(asked(parameters={"a": 1})) != first


def test_resources() -> None:
    resources = Resources(cpu_millicores=500, memory_mib=256, gpu=2, cpu_limit_millicores=1000, memory_limit_mib=512)

    assert _flow(job.render(environment(resources=resources), asked()))["resources"] == {
        "requests": {"cpu": "500m", "memory": "256Mi", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "1000m", "memory": "512Mi", "nvidia.com/gpu": "2"},
    }


def test_what_the_template_says_is_not_overwritten() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["ttlSecondsAfterFinished"] = 1
    template["spec"]["template"]["spec"] |= {"terminationGracePeriodSeconds": 2, "activeDeadlineSeconds": 3}
    flow = template["spec"]["template"]["spec"]["containers"][1]
    flow |= {"command": ["/venv/bin/python"], "resources": {"requests": {"cpu": "2"}}, "terminationMessagePath": "/end"}
    target = environment(
        kubernetes_job=KubernetesJob(namespace="flows", job=template), timeouts=Timeouts(run_seconds=9)
    )

    rendered = job.render(target, asked())

    pod = rendered["spec"]["template"]["spec"]
    container = job.flow_container(pod)
    assert rendered["spec"]["ttlSecondsAfterFinished"] == 1
    assert (pod["terminationGracePeriodSeconds"], pod["activeDeadlineSeconds"]) == (2, 3)
    assert container["command"] == ["/venv/bin/python"]
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "256Mi"}
    assert container["args"][container["args"].index("--outcome") + 1] == "/end"


def test_a_finished_job_stays_as_long_as_the_longer_retention() -> None:
    target = environment(retention=Retention(succeeded_seconds=10.5, failed_seconds=5))

    assert job.render(target, asked())["spec"]["ttlSecondsAfterFinished"] == 11
