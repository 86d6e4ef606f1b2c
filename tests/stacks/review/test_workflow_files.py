"""What the files for GitHub and GitLab give to whom."""

import re
from typing import Any

import pytest
import yaml

from tests.testbed.pulumi_engine import CHECKOUT

FILE = CHECKOUT / ".github" / "workflows" / "preview.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILE.read_text())
JOBS = WORKFLOW["jobs"]
GITLAB: dict[str, Any] = yaml.safe_load((CHECKOUT / ".gitlab" / "preview.gitlab-ci.yml").read_text())
EXAMPLES = {path.name.split(".")[1] for path in (CHECKOUT / "stacks").glob("Pulumi.*.yaml")}
OWN_CODE = "github.event.pull_request.head.repo.full_name == github.repository"
OF_DEPENDABOT = "github.event.pull_request.user.login == 'dependabot[bot]'"


def expected_stacks(script: str) -> list[str]:
    """The stacks that the step of the comment wants to be there."""
    (found,) = re.findall(r" --expect ([\w -]+) \\\n", script)
    return str(found).split()


def test_each_action_is_pinned() -> None:
    used = re.findall(r"uses: (.*)", FILE.read_text())
    assert len(used) == 7
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in used)


def test_it_is_started_by_pull_requests_with_their_own_rights_only() -> None:
    assert list(WORKFLOW[True]) == ["pull_request"]  # YAML reads `on` as true
    assert "pull_request_target" not in FILE.read_text()
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "preview": {"contents": "read"},
        "preview-aws": {"contents": "read", "id-token": "write"},
        "comment": {"contents": "read", "pull-requests": "write"},
        "no-credentials": {},
    }


def test_a_newer_push_ends_the_older_preview_of_the_same_pull_request_only() -> None:
    assert WORKFLOW["concurrency"] == {
        "group": "${{ github.workflow }}-${{ github.event.pull_request.number }}",
        "cancel-in-progress": True,
    }
    assert all(job["timeout-minutes"] <= 20 for job in JOBS.values())


@pytest.mark.parametrize("name", ["preview", "preview-aws"])
def test_code_of_forks_never_runs_with_credentials(name: str) -> None:
    conditions = JOBS[name]["if"].split(" && ")
    assert OWN_CODE in conditions
    assert OF_DEPENDABOT.replace("==", "!=") in conditions
    assert JOBS[name]["environment"] == "preview"


def test_a_fork_gets_a_job_that_says_so_and_has_nothing() -> None:
    job = JOBS["no-credentials"]
    assert job["if"] == f"{OWN_CODE.replace('==', '!=')} || {OF_DEPENDABOT}"
    assert "secrets." not in str(job)
    assert "environment" not in job
    assert [list(step) for step in job["steps"]] == [["run"]]
    assert "GITHUB_STEP_SUMMARY" in job["steps"][0]["run"]


def test_the_comment_waits_for_the_previews_and_is_not_made_where_there_were_none() -> None:
    job = JOBS["comment"]
    assert job["needs"] == ["preview", "preview-aws"]
    assert job["if"] == "${{ !cancelled() && needs.preview.result != 'skipped' }}"
    assert "secrets." not in str(job)
    assert job["steps"][0]["with"] == {
        "ref": "${{ github.event.pull_request.base.sha }}",
        "persist-credentials": False,
    }


def test_no_expression_is_in_a_script_and_no_token_stays_in_a_checkout() -> None:
    steps = [step for job in JOBS.values() for step in job["steps"]]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == 3
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_the_report_is_uploaded_and_for_a_day() -> None:
    (step,) = [step for step in JOBS["preview"]["steps"] if "upload-artifact" in step.get("uses", "")]
    assert step["with"] == {
        "name": "report-${{ matrix.stack }}",
        "path": "reports/",
        "if-no-files-found": "error",
        "retention-days": 1,
    }
    assert step["if"] == "${{ !cancelled() }}"


def test_every_example_is_previewed_with_what_it_needs() -> None:
    entries = [entry for name in ("preview", "preview-aws") for entry in JOBS[name]["strategy"]["matrix"]["include"]]
    assert {entry["stack"] for entry in entries} == EXAMPLES
    needs = {entry["stack"]: {name for name in ("aws", "kubernetes") if entry[name]} for entry in entries}
    assert needs == {
        "local": set(),
        "kubernetes-job": {"kubernetes"},
        "dask-kubernetes": {"kubernetes"},
        "fargate-task": {"aws"},
        "dask-cloud-provider": {"aws"},
    }


def test_what_a_preview_depends_on_starts_one() -> None:
    paths = WORKFLOW[True]["pull_request"]["paths"]
    assert all((CHECKOUT / path.split("*")[0]).exists() for path in paths)
    (rule,) = GITLAB[".penstock-merge-request"]["rules"]
    own = {".github/workflows/preview.yml", ".gitlab/preview.gitlab-ci.yml"}
    assert {path.replace("/**/*", "/**") for path in rule["changes"]} - own == set(paths) - own


def test_gitlab_previews_the_same_stacks_and_none_of_forks() -> None:
    jobs = {name: job for name, job in GITLAB.items() if not name.startswith(".")}
    assert list(jobs) == ["penstock-preview", "penstock-preview-aws", "penstock-comment"]
    stacks = [jobs[name]["parallel"]["matrix"][0]["STACK"] for name in ("penstock-preview", "penstock-preview-aws")]
    assert stacks == [["local", "kubernetes-job", "dask-kubernetes"], ["fargate-task", "dask-cloud-provider"]]
    (rule,) = GITLAB[".penstock-merge-request"]["rules"]
    assert rule["if"].split(" && ") == [
        "$PULUMI_BACKEND_URL",
        '$CI_PIPELINE_SOURCE == "merge_request_event"',
        "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID",
    ]
    assert [job["extends"] for job in jobs.values()] == [
        ".penstock-merge-request",
        "penstock-preview",
        ".penstock-merge-request",
    ]
    assert all("rules" not in job for job in jobs.values())


def test_the_comment_is_expected_to_be_about_all_that_are_previewed() -> None:
    scripts = [JOBS["comment"]["steps"][-1]["run"], GITLAB["penstock-comment"]["script"][-1]]
    assert [set(expected_stacks(script)) for script in scripts] == [EXAMPLES, EXAMPLES]


def test_gitlab_keeps_credentials_apart() -> None:
    environments = {name: job["environment"] for name, job in GITLAB.items() if "environment" in job}
    assert environments == {
        "penstock-preview": {"name": "preview", "action": "access"},
        "penstock-comment": {"name": "preview-comment", "action": "access"},
    }
    assert [name for name, job in GITLAB.items() if "id_tokens" in job] == ["penstock-preview-aws"]
    assert GITLAB["penstock-preview"]["artifacts"] == {
        "when": "always",
        "paths": ["reports/"],
        "expire_in": "1 day",
        "access": "developer",
    }
    assert (GITLAB["penstock-comment"]["needs"], GITLAB["penstock-comment"]["when"]) == (
        ["penstock-preview", "penstock-preview-aws"],
        "always",
    )
