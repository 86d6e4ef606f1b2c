"""What is refused, by the server and before it is asked, and what is then said."""

import os
from pathlib import Path

import pytest

from stacks.review.errors import UsageError
from stacks.review.publish.__main__ import main
from stacks.review.publish.api import Api
from stacks.review.publish.github import pull_request
from tests.stacks.review.publish.api_server import (
    COMMENTS,
    TOKEN,
    ApiServer,
    status,
)

REFUSALS = {401: "Bad credentials", 403: "Resource not accessible by integration", 404: "Not Found"}
GITHUB_ADVICE = "GITHUB_TOKEN must be of this repository, with `pull-requests: write` in the job's permissions."
GITLAB_ADVICE = (
    "GITLAB_TOKEN must be an access token of this project with the scope `api` and the role Reporter or higher; "
    "CI_JOB_TOKEN cannot write notes."
)


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_says_what_the_token_must_be(
    server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str], code: int
) -> None:
    words = REFUSALS[code]
    server.faults[2] = status(code, {"message": words})

    assert main(github) == 69

    assert capsys.readouterr() == ("", f"The server answered POST {COMMENTS} with {code} ({words}). {GITHUB_ADVICE}\n")
    assert len(server.requests) == 3


def test_a_text_that_is_refused(server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    errors = [{"resource": "IssueComment", "message": "body is too long (maximum is 65536 characters)"}]
    server.faults[2] = status(422, {"message": "Validation Failed", "errors": errors})

    assert main(github) == 69

    assert capsys.readouterr().err == (
        f"The server answered POST {COMMENTS} with 422 (Validation Failed: body is too long "
        "(maximum is 65536 characters)). Correct or shorten what is published.\n"
    )


def test_a_job_token_is_refused_by_gitlab(
    server: ApiServer, gitlab: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "of-the-job")

    assert main(gitlab) == 69

    assert capsys.readouterr().err == (
        f"The server answered GET /api/v4/user with 401 (Bad credentials). {GITLAB_ADVICE}\n"
    )


def test_the_token_is_in_no_message_whatever_the_server_says(
    server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults[0] = status(400, {"message": f"bad header\n::warning::Bearer {TOKEN}\x1b[2J"})

    assert main(github) == 69

    said = capsys.readouterr().err
    assert "(bad header ::warning::Bearer *** [2J)" in said
    assert TOKEN not in said + repr(pull_request(os.environ, None))
    assert said.count("\n") == 1


def test_a_redirect_is_not_followed_with_the_token(server: ApiServer, github: list[str]) -> None:
    server.faults[1] = status(301, {"message": "Moved Permanently"}, Location=f"{server.url}/elsewhere")

    assert main(github) == 69

    assert len(server.requests) == 2


def test_a_token_that_does_not_tell_its_owner(
    server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults[0] = status(200, {"data": None, "errors": [{"message": "no"}]})

    assert main(github) == 69

    assert capsys.readouterr().err == f"GitHub does not tell whose token it is. {GITHUB_ADVICE}\n"


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://api.github.com", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://api.github.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("ftp://127.0.0.1", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_the_token_goes_over_https_or_stays_on_this_machine(url: str, fits: bool) -> None:
    if fits:
        Api(url=url, token=TOKEN, headers={}, advice="")
        return
    with pytest.raises(UsageError, match=r"^The API is at .*, expected an address with https\."):
        Api(url=url, token=TOKEN, headers={}, advice="")


def test_nor_is_it_sent_to_another_address_without_https(
    server: ApiServer, github: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_GRAPHQL_URL", "http://example.com/graphql")

    assert main(github) == 64

    assert server.requests == []


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "schlüssel"])
def test_a_token_that_is_none(github: list[str], monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    with pytest.raises(UsageError) as caught:
        pull_request(os.environ, None)
    assert str(caught.value) == f"The token is empty or has characters that no token has. {GITHUB_ADVICE}"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("GITHUB_REPOSITORY", "", "GITHUB_REPOSITORY is '', expected owner/name. Set it, or run in a workflow"),
        ("GITHUB_REPOSITORY", "acme/../user", "GITHUB_REPOSITORY is 'acme/../user', expected owner/name."),
        ("GITHUB_EVENT_PATH", "/nowhere", "The event in GITHUB_EVENT_PATH is not about a pull request. Run it for"),
    ],
)
def test_what_is_missing_at_github(
    github: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    message: str,
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(github) == 64
    assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("CI_PROJECT_ID", "CI_PROJECT_ID is not set, expected the project's id."),
        ("CI_MERGE_REQUEST_IID", "The pipeline is not about a merge request: CI_MERGE_REQUEST_IID is not set."),
    ],
)
def test_what_is_missing_at_gitlab(
    gitlab: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    message: str,
) -> None:
    monkeypatch.setenv(variable, "")
    assert main(gitlab) == 64
    assert capsys.readouterr().err.startswith(message)


def test_only_a_text_that_can_be_found_again_is_published(
    server: ApiServer, github: list[str], comment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comment.write_text("# Review\n")
    assert main(github) == 65
    assert server.requests == []
    assert capsys.readouterr().err == (
        "The text does not begin with a line as <!-- penstock-review -->, by which it is found again. "
        "Publish what `python -m stacks.review --format markdown` writes.\n"
    )
