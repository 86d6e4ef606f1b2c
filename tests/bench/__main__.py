"""`python -m tests.bench [--json | --markdown] [--pairs N] [SECTION ...]`: measure Penstock beside others.

The report is on stdout, progress on stderr, a picture in `.penstock/bench.svg`. A goal that is missed is told and is no
error: figures depend on the machine.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from tests.bench import (
    bed,
    cli_section,
    dask_kubernetes_section,
    ecs_dask_section,
    ecs_section,
    kubernetes_section,
    machine,
    markdown,
    peers_section,
    picture,
    report,
    review_section,
    runner_section,
)
from tests.bench.processes import MeasurementError
from tools.errors import EXIT_UNAVAILABLE, ToolError
from tools.paths import CHECKOUT, PRIVATE
from tools.progress import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.figures import Figure

    Form = Callable[[Mapping[str, str], Sequence[Figure], Mapping[str, str]], str]

SECTIONS = {
    runner_section.SECTION: runner_section.measure,
    cli_section.SECTION: cli_section.measure,
    peers_section.SECTION: peers_section.measure,
    kubernetes_section.SECTION: kubernetes_section.measure,
    dask_kubernetes_section.SECTION: dask_kubernetes_section.measure,
    ecs_section.SECTION: ecs_section.measure,
    ecs_dask_section.SECTION: ecs_dask_section.measure,
    review_section.SECTION: review_section.measure,
}
PICTURE = PRIVATE / "bench.svg"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; the result is the exit code, 0 whatever the figures are."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Penstock on this machine.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; default: all")
    parser.add_argument("--pairs", type=_count, metavar="N", help="pairs for each figure, instead of the usual number")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON object")
    forms.add_argument("--markdown", action="store_true", help="print the tables of docs/figures.md")
    options = parser.parse_args(arguments)
    unknown = [section for section in options.sections if section not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]!r}; there are: {', '.join(SECTIONS)}")
    # Ended by a CI system it has to clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        form = report.as_json if options.json else markdown.tables if options.markdown else report.table
        return _bench(options.sections or list(SECTIONS), options.pairs, form)
    except KeyboardInterrupt:
        note("Interrupted; everything that was started has been ended.")
        return 130
    except (ToolError, MeasurementError) as error:
        note(str(error))
        return EXIT_UNAVAILABLE


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _bench(sections: Sequence[str], pairs: int | None, form: Form) -> int:
    figures: list[Figure] = []
    facts = machine.facts()
    skipped = peers_section.missing() if peers_section.SECTION in sections else {}
    skipped |= kubernetes_section.missing() if kubernetes_section.SECTION in sections else {}
    skipped |= dask_kubernetes_section.missing() if dask_kubernetes_section.SECTION in sections else {}
    note(f"Measures {', '.join(sections)}: about 20 min when that is everything. A busy machine widens the spread.")
    with bed.made() as place:
        for section, measure in SECTIONS.items():
            if section in sections:
                figures += measure(place, pairs)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture.svg(facts, figures))
    print(form(facts, figures, skipped))
    note(f"Picture: {PICTURE.relative_to(CHECKOUT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
