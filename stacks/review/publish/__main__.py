"""Publishes a review: `python -m stacks.review.publish COMMENT.md`; see `--help`, and docs/pull-requests.md."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runner.outcome import ExitCode
from stacks.review.arguments import Parser
from stacks.review.errors import ReviewError, UsageError
from stacks.review.publish.api import Failed, Refused
from stacks.review.publish.comment import publish
from stacks.review.publish.github import pull_request
from stacks.review.publish.gitlab import merge_request

DESCRIPTION = """Makes a pull request have the text as its one comment: writes it, or changes the one that is there.
At GitLab, where CI_API_V4_URL is set, it is a note of a merge request and takes GITLAB_TOKEN; elsewhere it is at GitHub
and takes GITHUB_TOKEN. The comment is found again by the first line of the text, a comment in HTML, among those that
the token's owner has written."""
EPILOG = """Exit codes: 0; 64 for wrong use, also when a variable is missing; 65 for a text without that line; 69 when
the server refuses; 75 when it could not be reached for two minutes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Publishes, and says on stderr what was done.

    Returns:
        The exit code.
    """
    parser = Parser(prog="python -m stacks.review.publish", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("comment", type=Path, metavar="COMMENT.md", help="the text, in Markdown")
    parser.add_argument("--number", type=int, help="of the pull request, unless the event or the pipeline tells")
    try:
        asked = parser.parse_args(arguments)
        place = (merge_request if os.environ.get("CI_API_V4_URL") else pull_request)(os.environ, asked.number)
        done = publish(place, _text(asked.comment))
    except (Refused, Failed) as error:
        return _refused(error, error.exit_code)
    except UsageError as error:
        return _refused(error, ExitCode.USAGE)
    except ReviewError as error:
        return _refused(error, ExitCode.BAD_DOCUMENT)
    print(f"The comment of {place.number} is {done}.", file=sys.stderr)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}. Name the file with the review in Markdown.") from None


def _refused(error: Exception, code: int) -> int:
    print(error, file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
