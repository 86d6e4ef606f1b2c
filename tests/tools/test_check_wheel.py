from __future__ import annotations

from pathlib import Path

import pytest

from tools import check_wheel
from tools.paths import CHECKOUT


def test_the_real_wheel_is_good(tmp_path: Path) -> None:
    if not (CHECKOUT / "runner" / "cli").exists():
        pytest.skip("the command is not there yet")
    assert check_wheel.check(tmp_path)
