"""What is sent to GitHub and GitLab, to a server that behaves as they do."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.review.publish.__main__ import main
from stacks.review.publish.api import Failed, Refused
from stacks.review.publish.comment import publish
from stacks.review.publish.github import pull_request
from stacks.review.publish.gitlab import merge_request
from tests.stacks.review.publish.api_server import (
    BOT,
    COMMENTS,
    MARKER,
    NOTES,
    REPOSITORY,
    SOMEBODY,
    TEXT,
    ApiServer,
    Fault,
    closed,
    silent,
    status,
)
from tests.testbed.pulumi_engine import CHECKOUT

VIEWER = ("POST", "/graphql", {"query": "query { viewer { login } }"})
FIRST_PAGE = ("GET", f"{COMMENTS}?per_page=100&page=1", None)
FIRST_NOTES = ("GET", f"{NOTES}?sort=asc&order_by=created_at&per_page=100&page=1", None)


def test_the_first_comment_is_created(server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    server.add("Looks good to me", SOMEBODY)

    assert main(github) == 0

    assert server.requests == [VIEWER, FIRST_PAGE, ("POST", COMMENTS, {"body": TEXT})]
    assert capsys.readouterr() == ("", "The comment of 7 is created.\n")


def test_it_is_changed_in_place(server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    own = server.add(f"{MARKER}\r\n**Quiet**: nothing changes.", BOT)

    assert main(github) == 0

    changed = ("PATCH", f"/repos/{REPOSITORY}/issues/comments/{own}", {"body": TEXT})
    assert server.requests == [VIEWER, FIRST_PAGE, changed]
    assert capsys.readouterr().err == "The comment of 7 is updated.\n"


def test_nothing_is_sent_when_it_says_that_already(
    server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(TEXT.replace("\n", "\r\n").strip(), BOT)

    assert main(github) == 0

    assert server.requests == [VIEWER, FIRST_PAGE]
    assert capsys.readouterr().err == "The comment of 7 is unchanged.\n"


def test_it_is_found_on_a_later_page_and_no_further_page_is_asked_for(server: ApiServer, github: list[str]) -> None:
    for number in range(150):
        server.add(f"Comment {number}", SOMEBODY)
    own = server.add(f"{MARKER}\nolder", BOT)
    for number in range(200):
        server.add(f"Comment {number}", SOMEBODY)

    assert main(github) == 0

    assert server.asked == [
        "POST /graphql",
        f"GET {COMMENTS}?per_page=100&page=1",
        f"GET {COMMENTS}?per_page=100&page=2",
        f"PATCH /repos/{REPOSITORY}/issues/comments/{own}",
    ]


def test_all_pages_are_read_before_one_is_created(server: ApiServer, github: list[str]) -> None:
    for number in range(200):
        server.add(f"Comment {number}", BOT)

    assert main(github) == 0

    assert server.asked[1:] == [
        *(f"GET {COMMENTS}?per_page=100&page={page}" for page in (1, 2, 3)),
        f"POST {COMMENTS}",
    ]


def test_comments_of_others_and_of_ours_about_something_else_are_left_alone(
    server: ApiServer, github: list[str]
) -> None:
    server.add(f"{MARKER}\nI am the review, and all is well.", SOMEBODY)
    server.add(f"> {MARKER}\n> quoted", BOT)
    server.add("<!-- penstock-review-staging -->\nof another workflow", BOT)
    server.add(f"{MARKER}\nof an account that is gone", {}, user=None)
    before = [dict(item) for item in server.comments]

    assert main(github) == 0

    assert server.comments[:4] == before
    assert server.comments[4]["body"] == TEXT


def test_of_several_the_oldest_is_kept_up_to_date(server: ApiServer, github: list[str]) -> None:
    for text in ("first", "second"):
        server.add(f"{MARKER}\n{text}", BOT)

    assert main(github) == 0

    assert [item["body"] for item in server.comments] == [TEXT, f"{MARKER}\nsecond"]


def test_a_note_of_a_merge_request_is_created_and_then_changed_in_place(
    server: ApiServer, gitlab: list[str], comment: Path
) -> None:
    server.add(f"{MARKER}\nnot ours", SOMEBODY, system=False)
    server.add(f"{MARKER}\nnot written by anybody", BOT, system=True)

    assert main(gitlab) == 0
    assert server.requests == [("GET", "/api/v4/user", None), FIRST_NOTES, ("POST", NOTES, {"body": TEXT})]

    server.requests.clear()
    comment.write_text(f"{MARKER}\nnewer")
    assert main(gitlab) == 0
    changed = ("PUT", f"{NOTES}/{server.comments[2]['id']}", {"body": f"{MARKER}\nnewer"})
    assert server.requests == [("GET", "/api/v4/user", None), FIRST_NOTES, changed]

    server.requests.clear()
    assert main(gitlab) == 0
    assert server.requests == [("GET", "/api/v4/user", None), FIRST_NOTES]


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "fault",
    [
        status(502, b"<html>Bad Gateway</html>"),
        status(429, {"message": "slow down"}, Retry_After="0"),
        status(403, {"message": "You have exceeded a secondary rate limit"}, Retry_After="0"),
        status(403, {"message": "limit"}, X_RateLimit_Remaining="0", X_RateLimit_Reset="1700000000"),
        status(200, b"<html>a proxy's own page</html>"),
        closed,
    ],
    ids=["bad gateway", "too many", "secondary limit", "limit that is over", "no JSON", "closed"],
)
def test_a_passing_fault_is_waited_out(server: ApiServer, github: list[str], number: int, fault: Fault) -> None:
    server.faults[number] = fault

    assert main(github) == 0

    assert [item["body"] for item in server.comments] == [TEXT]


@pytest.mark.parametrize("arguments", ["github", "gitlab"])
def test_a_creation_whose_answer_is_lost_is_not_done_twice(
    server: ApiServer, arguments: str, request: pytest.FixtureRequest
) -> None:
    server.after[2] = closed

    assert main(request.getfixturevalue(arguments)) == 0

    assert [item["body"] for item in server.comments] == [TEXT]
    assert len(server.requests) == 5


def test_what_the_server_asks_to_wait_is_waited(server: ApiServer, github: list[str]) -> None:
    server.faults[1] = status(429, {}, Retry_After="1")
    began = time.monotonic()

    assert main(github) == 0

    assert time.monotonic() - began >= 1


def test_a_fault_that_stays_ends_it_in_time(server: ApiServer, github: list[str]) -> None:
    server.faults.update(dict.fromkeys(range(100), status(503, {"message": "Unicorn!"})))

    with pytest.raises(Failed) as caught:
        publish(pull_request(os.environ, None), TEXT, budget_seconds=0.3)

    assert str(caught.value) == "The server answered POST /graphql with 503 (Unicorn!). Run it again later."
    assert 1 < len(server.requests) < 100


def test_a_wait_that_is_too_long_ends_it_at_once(
    server: ApiServer, github: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    reset = str(int(time.time()) + 3000)
    server.faults[0] = status(
        403, {"message": "API rate limit exceeded"}, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset
    )

    assert main(github) == 75

    assert len(server.requests) == 1
    assert capsys.readouterr().err == (
        "The server answered POST /graphql with 403 (API rate limit exceeded). Run it again later.\n"
    )


def test_silence_is_a_fault(server: ApiServer, github: list[str]) -> None:
    place = pull_request(os.environ, None)
    slow = replace(place, api=replace(place.api, timeout_seconds=0.2))
    server.faults[0] = silent

    assert publish(slow, TEXT) == "created"


def test_the_number_can_be_given(server: ApiServer, github: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    assert main([*github, "--number", "7"]) == 0
    assert merge_request(server.gitlab, 9).number == 9
    with pytest.raises(Refused):
        publish(pull_request(os.environ, 8), TEXT)


def test_as_a_command(server: ApiServer, github: list[str], comment: Path) -> None:
    def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-m", "stacks.review.publish", *arguments]
        return subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=30)

    done, missing, nothing = command(*github), command("nowhere.md"), command()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "The comment of 7 is created.\n")
    assert missing.returncode == nothing.returncode == 64
    assert missing.stderr == (
        "nowhere.md cannot be read: No such file or directory. Name the file with the review in Markdown.\n"
    )
    assert nothing.stderr == (
        "The following arguments are required: COMMENT.md. See `python -m stacks.review.publish --help`.\n"
    )
