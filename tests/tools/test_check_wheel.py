from __future__ import annotations

from pathlib import Path

from tools import check_wheel


def test_the_real_wheel_is_good(tmp_path: Path) -> None:
    assert check_wheel.check(tmp_path)
