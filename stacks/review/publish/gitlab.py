"""Notes of a merge request at GitLab: https://docs.gitlab.com/api/notes/#merge-requests."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from stacks.review.errors import UsageError
from stacks.review.publish.api import Api, Refused
from stacks.review.publish.comment import PER_PAGE, Comment
from stacks.review.values import at, items

ADVICE = (
    "GITLAB_TOKEN must be an access token of this project with the scope `api` and the role Reporter or higher; "
    "CI_JOB_TOKEN cannot write notes."
)


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    """A merge request, and GitLab's API."""

    api: Api
    project: str
    """Its id, or its path."""
    number: int
    """The number within the project, which GitLab calls iid."""

    def own_comments(self) -> Iterator[Comment]:
        """See `Place`."""
        user = at(self.api.ask("GET", "/user"), "id")
        if not isinstance(user, int):
            raise Refused(f"GitLab does not tell whose token it is. {ADVICE}")
        page = 1
        while True:
            query = f"sort=asc&order_by=created_at&per_page={PER_PAGE}&page={page}"
            found = items(self.api.ask("GET", f"{self._notes}?{query}"))
            for item in found:
                if at(item, "author", "id") == user and not at(item, "system"):
                    yield Comment(id=at(item, "id"), body=str(at(item, "body") or ""))
            if len(found) < PER_PAGE:
                return
            page += 1

    def create(self, text: str) -> None:
        """See `Place`."""
        self.api.ask("POST", self._notes, {"body": text})

    def update(self, comment: Comment, text: str) -> None:
        """See `Place`."""
        self.api.ask("PUT", f"{self._notes}/{comment.id}", {"body": text})

    @property
    def _notes(self) -> str:
        return f"/projects/{quote(self.project, safe='')}/merge_requests/{self.number}/notes"


def merge_request(environ: Mapping[str, str], number: int | None) -> MergeRequest:
    """The merge request that a pipeline is about.

    Args:
        environ: https://docs.gitlab.com/ci/variables/predefined_variables/, and GITLAB_TOKEN.
        number: of the merge request; the pipeline's own unless given.

    Raises:
        UsageError: something is missing.
    """
    project = environ.get("CI_PROJECT_ID", "")
    if not project:
        raise UsageError("CI_PROJECT_ID is not set, expected the project's id. Set it, or run in a pipeline of GitLab.")
    token = environ.get("GITLAB_TOKEN", "").strip()
    api = Api(url=environ["CI_API_V4_URL"], token=token, headers={"PRIVATE-TOKEN": token}, advice=ADVICE)
    if number is None:
        told = environ.get("CI_MERGE_REQUEST_IID", "")
        if not re.fullmatch(r"[0-9]{1,18}", told):
            raise UsageError(
                "The pipeline is not about a merge request: CI_MERGE_REQUEST_IID is not set. "
                "Run it for `merge_request_event`, or give --number."
            )
        number = int(told)
    return MergeRequest(api=api, project=project, number=number)
