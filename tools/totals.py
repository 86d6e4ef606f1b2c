"""Prints the totals of the last test run: `N passed, N failed, N skipped`."""

from __future__ import annotations

import sys
from xml.etree import ElementTree as ET

from tools.run_tests import RESULTS


def totals(report: str) -> str:
    """Adds up a JUnit report.

    Args:
        report: The report's text, as pytest writes it.

    Returns:
        One line; a test whose fixture broke counts as failed.
    """
    suites = list(ET.fromstring(report).iter("testsuite"))  # noqa: S314 our own pytest has written it

    def count(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = count("failures") + count("errors"), count("skipped")
    return f"{count('tests') - failed - skipped} passed, {failed} failed, {skipped} skipped"


def main() -> int:
    """Runs the command line.

    Returns:
        0; 66 when no tests have run.
    """
    if not RESULTS.is_file():
        print("No tests have run to their end since the last start. Run them with: make test", file=sys.stderr)
        return 66
    print(totals(RESULTS.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
