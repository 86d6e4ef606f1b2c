"""The shell steps of the workflow and of the pipeline, run as they are written, up to the comment that arrives."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.review.ci_jobs import Machine, Ran
from tests.stacks.review.publish.api_server import MARKER, NUMBER, REPOSITORY, TOKEN, ApiServer, api_server
from tests.stacks.review.test_workflow_files import EXAMPLES, GITLAB, JOBS, expected_stacks
from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import attached_provider
from tests.testbed.pulumi_engine import CHECKOUT, Engine, penstock_at

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

PASSPHRASE = "the passphrase of the test"  # noqa: S105 opens nothing
SHA = "0123456789abcdef0123456789abcdef01234567"
BEFORE, AFTER = "routing_labels: [laptop]", "routing_labels: [desktop]"
SOURCE = f"https://github.com/{REPOSITORY}/blob/{SHA}"
GIT = shutil.which("git") or "git"
FROM_CONTEXTS = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "KUBECONFIG")
"""Variables that jobs get from the workflow only."""


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as server:
        yield server


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Our project with what jobs need of the checkout beside stacks, and a passphrase."""
    engine = penstock_at(tmp_path)
    shutil.copytree(CHECKOUT / "policies", engine.project / "policies")
    env = {**engine.env, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "no_proxy": "127.0.0.1"}
    return Engine(program=engine.program, project=engine.project, state=engine.state, env=env)


@pytest.fixture
def machine(engine: Engine, tmp_path: Path) -> Machine:
    (tmp_path / "machine").mkdir()
    env = {
        name: value
        for name, value in engine.env.items()
        if name not in FROM_CONTEXTS and not name.startswith(("GITHUB_", "GITLAB_", "CI_", "AWS_"))
    }
    return Machine(checkout=engine.project, folder=tmp_path / "machine", env=env)


@pytest.fixture
def provisioned(engine: Engine) -> Path:
    """The stack `local`, provisioned; its file."""
    engine.do("stack", "init", "local")
    engine.do("up", "--yes", "--skip-preview", "--stack", "local")
    return engine.project / "stacks" / "Pulumi.local.yaml"


def of_stacks(script: str, stacks: Sequence[str]) -> str:
    """The step of the comment, where those stacks alone are previewed."""
    return script.replace(" ".join(expected_stacks(script)), " ".join(stacks))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


class GitHub:
    """The workflow's jobs on a machine, for one pull request."""

    def __init__(
        self, machine: Machine, engine: Engine, server: ApiServer, *, stacks: Sequence[str] = ("local",)
    ) -> None:
        self.machine = machine
        *before, last = JOBS["comment"]["steps"]
        last = {**last, "run": of_stacks(last["run"], stacks)}
        self.jobs = {**JOBS, "comment": {**JOBS["comment"], "steps": [*before, last]}}
        self.event = machine.folder / "event.json"
        self.event.write_text(json.dumps({"pull_request": {"number": NUMBER}}))
        variables = {key: value for key, value in server.github.items() if key != "GITHUB_TOKEN"}
        self.contexts: dict[str, Any] = {
            "default_variables": variables,
            "github": {
                "token": TOKEN,
                "sha": SHA,
                "repository": REPOSITORY,
                "server_url": "https://github.com",
                "event": {"pull_request": {"base": {"sha": SHA}}},
            },
            "vars": {
                "PULUMI_BACKEND_URL": engine.state.as_uri(),
                "PREVIEW_AWS_ROLE": "arn:aws:iam::123456789012:role/penstock-preview",
                "PREVIEW_AWS_REGION": "eu-west-1",
            },
            "secrets": {
                "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
                "PULUMI_ACCESS_TOKEN": "",
                "PREVIEW_KUBECONFIG": "apiVersion: v1",
            },
        }

    def run(self, job: str, entry: Mapping[str, Any] | None = None) -> Ran:
        """One job, and one entry of its matrix."""
        ran = self.machine.github(self.jobs[job], {**self.contexts, "matrix": entry}, self.event)
        assert TOKEN not in ran.log
        assert PASSPHRASE not in ran.log
        return ran


def entry(job: str, stack: str) -> Mapping[str, Any]:
    (found,) = [item for item in JOBS[job]["strategy"]["matrix"]["include"] if item["stack"] == stack]
    assert isinstance(found, dict)
    return found


def test_github_from_a_change_to_the_comment_and_its_update(
    machine: Machine, engine: Engine, server: ApiServer, provisioned: Path
) -> None:
    github = GitHub(machine, engine, server)
    edit(provisioned, BEFORE, AFTER)

    previewed = github.run("preview", entry("preview", "local"))
    commented = github.run("comment")

    assert (previewed.code, commented.code) == (0, 0), previewed.log + commented.log
    assert previewed.log.endswith("The report about local is in reports/local.json.\n")
    (comment,) = server.comments
    assert comment["body"].startswith(f"{MARKER}\n### ")
    assert "desktop" in comment["body"]
    assert commented.summary == comment["body"]
    assert commented.log == f"The comment of {NUMBER} is created.\n"

    edit(provisioned, AFTER, BEFORE)
    github.run("preview", entry("preview", "local"))
    assert github.run("comment").log == f"The comment of {NUMBER} is updated.\n"
    assert len(server.comments) == 1
    assert "Quiet: nothing changes" in comment["body"]


@pytest.mark.long
def test_github_tells_why_a_preview_has_failed(
    machine: Machine, engine: Engine, server: ApiServer, provisioned: Path
) -> None:
    github = GitHub(machine, engine, server)
    edit(provisioned, "penstock:kind: local", "penstock:kind: locla")

    previewed = github.run("preview", entry("preview", "local"))
    commented = github.run("comment")

    assert (previewed.code, commented.code) == (1, 1)
    (comment,) = server.comments
    assert "Failed: the preview of" in comment["body"].splitlines()[1]
    assert 'penstock:kind is "locla"' in comment["body"]


def test_github_tells_of_stacks_whose_jobs_broke_off(machine: Machine, engine: Engine, server: ApiServer) -> None:
    github = GitHub(machine, engine, server, stacks=expected_stacks(JOBS["comment"]["steps"][-1]["run"]))

    commented = github.run("comment")

    assert commented.code == 1
    (comment,) = server.comments
    named = "`dask-cloud-provider`, `dask-kubernetes`, `fargate-task` and 2 more"
    assert comment["body"].splitlines()[1] == f"### ❌ Failed: the previews of {named} could not be completed"
    assert comment["body"].count("There is no report about it") == len(EXAMPLES)


def test_a_kubeconfig_is_readable_to_its_owner_only(machine: Machine, engine: Engine, server: ApiServer) -> None:
    github = GitHub(machine, engine, server)

    github.run("preview", entry("preview", "kubernetes-job"))

    file = machine.folder / "kubeconfig"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("apiVersion: v1\n", 0o600)
    assert (machine.folder / "GITHUB_ENV").read_text() == f"KUBECONFIG={file}\n"


@pytest.mark.long
def test_github_fails_for_what_opens_an_account_of_aws(
    machine: Machine, engine: Engine, server: ApiServer, aws_server: Aws
) -> None:
    file = engine.project / "stacks" / "Pulumi.fargate-task.yaml"
    kind = "penstock:kind: fargate-task\n"
    wide = 'penstock:task_role_statements: [{actions: ["*"], resources: ["*"]}]'
    engine.do("stack", "init", "fargate-task")
    edit(file, kind, f"{kind}  penstock:network_cidr: 127.41.0.0/24\n  {wide}\n")
    with attached_provider(aws_server) as provider:
        # Only the action logs in to AWS.
        login = provider.variables
        machine.env = {**machine.env, "PULUMI_DEBUG_PROVIDERS": login.pop("PULUMI_DEBUG_PROVIDERS")}
        machine.actions = {"aws-actions/configure-aws-credentials": login}
        github = GitHub(machine, engine, server, stacks=["fargate-task"])

        previewed = github.run("preview-aws", entry("preview-aws", "fargate-task"))
        commented = github.run("comment")

    assert (previewed.code, commented.code) == (0, 1), previewed.log + commented.log
    (comment,) = server.comments
    title = comment["body"].splitlines()[1]
    assert "Danger: " in title
    assert f"{SOURCE}/stacks/Pulumi.fargate-task.yaml" in comment["body"]
    assert commented.summary == comment["body"]


@pytest.fixture
def repository(engine: Engine, provisioned: Path) -> None:
    """The checkout as a clone of a repository, whose branch `main` has what is in it now."""

    def git(*arguments: str) -> None:
        own = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
        subprocess.run([GIT, *own, *arguments], cwd=engine.project, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch", "main")
    git("add", "Pulumi.yaml", "stacks", "policies")
    git("commit", "--quiet", "--message", "All")
    git("remote", "add", "origin", engine.project.as_uri())


@pytest.mark.long
def test_gitlab_from_a_change_to_the_note(
    machine: Machine, engine: Engine, server: ApiServer, provisioned: Path, repository: None
) -> None:
    secrets = {"PULUMI_BACKEND_URL": engine.state.as_uri(), "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    preview, comment = GITLAB["penstock-preview"], GITLAB["penstock-comment"]
    *before, last = comment["script"]
    comment = {**comment, "script": [*before, of_stacks(last, ["local"])]}
    stack = preview["parallel"]["matrix"][0]["STACK"][0]
    edit(provisioned, BEFORE, AFTER)

    previewed = machine.gitlab(preview, {**secrets, "STACK": stack})
    target = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_PROJECT_URL": "https://gitlab.com/acme/flows",
        "CI_COMMIT_SHA": SHA,
    }
    commented = machine.gitlab(comment, {**server.gitlab, **target})

    assert (previewed.code, commented.code) == (0, 0), previewed.log + commented.log
    (note,) = server.comments
    assert note["body"].startswith(f"{MARKER}\n")
    assert "desktop" in note["body"]
    assert commented.log == f"The comment of {NUMBER} is created.\n"


def test_gitlab_logs_in_to_aws_with_a_token_in_a_file_that_others_cannot_read(machine: Machine) -> None:
    job = GITLAB["penstock-preview-aws"]
    script = [
        'stat --format %a "$AWS_WEB_IDENTITY_TOKEN_FILE"',
        'env | grep "^AWS_WEB"',
        'rm "$AWS_WEB_IDENTITY_TOKEN_FILE"',
    ]

    ran = machine.gitlab({**job, "script": script}, {"AWS_TOKEN": "of-the-job", "TMPDIR": str(machine.folder)})

    assert ran.code == 0
    assert ran.log.splitlines()[0] == "600"
    assert ran.log.splitlines()[1].startswith(f"AWS_WEB_IDENTITY_TOKEN_FILE={machine.folder}/")
