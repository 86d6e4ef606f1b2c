"""Comments of a pull request at GitHub: https://docs.github.com/en/rest/issues/comments."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stacks.review.errors import UsageError
from stacks.review.publish.api import Api, Refused
from stacks.review.publish.comment import PER_PAGE, Comment
from stacks.review.values import at, items

ADVICE = "GITHUB_TOKEN must be of this repository, with `pull-requests: write` in the job's permissions."


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request, and GitHub's API.

    Who the token belongs to is asked with GraphQL, because REST does not tell it to the token of a workflow; comments
    of others are never touched, whatever is in them. `github-actions[bot]` stands for all workflows of a repository.
    """

    api: Api
    graphql: str
    """Address of the API for GraphQL."""
    repository: str
    """Owner and name, with a slash between."""
    number: int

    def own_comments(self) -> Iterator[Comment]:
        """See `Place`."""
        login = self._login()
        page = 1
        while True:
            found = items(self.api.ask("GET", f"{self._comments}?per_page={PER_PAGE}&page={page}"))
            for item in found:
                if at(item, "user", "login") == login:
                    yield Comment(id=at(item, "id"), body=str(at(item, "body") or ""))
            if len(found) < PER_PAGE:
                return
            page += 1

    def create(self, text: str) -> None:
        """See `Place`."""
        self.api.ask("POST", self._comments, {"body": text})

    def update(self, comment: Comment, text: str) -> None:
        """See `Place`."""
        self.api.ask("PATCH", f"/repos/{self.repository}/issues/comments/{comment.id}", {"body": text})

    @property
    def _comments(self) -> str:
        return f"/repos/{self.repository}/issues/{self.number}/comments"

    def _login(self) -> str:
        answer = self.api.ask("POST", self.graphql, {"query": "query { viewer { login } }"})
        login = at(answer, "data", "viewer", "login")
        if not isinstance(login, str):
            raise Refused(f"GitHub does not tell whose token it is. {ADVICE}")
        return login


def pull_request(environ: Mapping[str, str], number: int | None) -> PullRequest:
    """The pull request that a workflow is about.

    Args:
        environ: https://docs.github.com/en/actions/reference/workflows-and-actions/variables, and GITHUB_TOKEN.
        number: of the pull request; that of the event unless given.

    Raises:
        UsageError: something is missing.
    """
    repository = environ.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise UsageError(
            f"GITHUB_REPOSITORY is {repository!a}, expected owner/name. "
            "Set it, or run in a workflow of GitHub or a pipeline of GitLab."
        )
    url = environ.get("GITHUB_API_URL") or "https://api.github.com"
    token = environ.get("GITHUB_TOKEN", "").strip()
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    graphql = environ.get("GITHUB_GRAPHQL_URL") or f"{url.rstrip('/')}/graphql"
    api = Api(url=url, token=token, headers=headers, advice=ADVICE)
    if number is None:
        number = _number_of_event(environ.get("GITHUB_EVENT_PATH", ""))
    return PullRequest(api=api, graphql=graphql, repository=repository, number=number)


def _number_of_event(path: str) -> int:
    try:
        number = json.loads(Path(path).read_bytes())["pull_request"]["number"]
    except (OSError, ValueError, KeyError, TypeError):
        number = None
    if not isinstance(number, int):
        raise UsageError(
            "The event in GITHUB_EVENT_PATH is not about a pull request. Run it for `pull_request`, or give --number."
        )
    return number
