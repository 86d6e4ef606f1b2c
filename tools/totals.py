"""Prints the totals of the suites that have run: `N passed, N failed, N skipped`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tools.run_tests import RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterable


def totals(reports: Iterable[str]) -> str:
    """Adds up JUnit reports.

    Args:
        reports: Their texts, as pytest writes them.

    Returns:
        One line; a test whose fixture broke counts as failed.
    """
    # Our own pytest has written them.
    suites = [suite for report in reports for suite in ET.fromstring(report).iter("testsuite")]  # noqa: S314

    def count(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = count("failures") + count("errors"), count("skipped")
    return f"{count('tests') - failed - skipped} passed, {failed} failed, {skipped} skipped"


def main() -> int:
    """Runs the command line.

    Returns:
        0; 66 when no tests have run.
    """
    reports = sorted(RESULTS.glob("*.xml"))
    if not reports:
        print("No tests have run to their end since the last start. Run them with: make test", file=sys.stderr)
        return 66
    print(totals(report.read_text() for report in reports))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
