"""Makes the pictures of docs/reviews.md: `.venv/bin/python -m tests.stacks.review.pictures`. Needs Chromium.

Two comments about the same change of a stack as GitHub shows them, folded as they are: that of pulumi/actions, made of
what `pulumi preview` printed, in the form of its source (src/libs/pr.ts), and the review.
"""

import html
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stacks.review import reporting
from stacks.review.preview import Preview
from stacks.review.reading import preview_file as reading
from stacks.review.writing.markdown import comment
from tests.stacks.review.writing.rendered import page
from tests.testbed.pulumi_engine import CHECKOUT

PREVIEWS = Path(__file__).parent / "previews"
IMAGES = CHECKOUT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CASE = "dask-prod-everything"
SECONDS = 60
SIGNS = {"🔴": "#d1242f", "🟠": "#e16f24", "🔵": "#0969da"}


def of_pulumi_actions(stack: str, printed: str) -> str:
    """What pulumi/actions writes with `comment-on-pr`."""
    return (
        f"#### :tropical_drink: `preview` on penstock/{stack}\n\n<details>\n<summary>Pulumi report</summary>\n\n"
        f"<pre>\n{html.escape(printed)}\n</pre>\n</details>"
    )


def review_of(name: str) -> str:
    """The review of a recorded preview."""
    preview = reading.read((PREVIEWS / f"{name}.json").read_text(), name)
    assert isinstance(preview, Preview)
    return comment(reporting.report([preview], stack_files=CHECKOUT / "stacks"))


def picture(markdown: str, path: Path, *, height: int, unfolded: bool = False) -> None:
    """A comment as a picture.

    Args:
        markdown: the comment.
        path: of the PNG.
        height: in pixels; what is below is cut off.
        unfolded: whether its folded parts are open.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"PATH has none of {', '.join(BROWSERS)}. Install Chromium to make pictures.")
    shown = page(markdown).replace(":tropical_drink:", "")
    # Not every machine has a font with these signs.
    for sign, colour in SIGNS.items():
        shown = shown.replace(sign, f'<span style="color:{colour}">\N{BLACK CIRCLE}</span>')
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "comment.html"
        file.write_text(shown if unfolded else shown.replace("<details open>", "<details>"))
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                f"--window-size=920,{height}",
                f"--screenshot={path}",
                file.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )


def main() -> None:
    """Makes both."""
    printed = (PREVIEWS / f"{CASE}-preview.txt").read_text()
    picture(of_pulumi_actions("dask-prod", printed), IMAGES / "pulumi-actions.png", height=520, unfolded=True)
    picture(review_of(CASE), IMAGES / "review.png", height=1200)


if __name__ == "__main__":
    main()
