from __future__ import annotations

from pathlib import Path

import pytest

from tools import totals

REPORT = '<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/></testsuites>'


def test_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(totals, "RESULTS", tmp_path)
    assert totals.main() == 66
    for suite in ("tests", "cluster"):
        (tmp_path / f"{suite}.xml").write_text(REPORT)
    assert totals.main() == 0
    assert capsys.readouterr().out == "8 passed, 6 failed, 6 skipped\n"
