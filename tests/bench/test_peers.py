from pathlib import Path

import pytest

from tests.bench import bed, peers_section


def test_a_peer_that_is_not_installed_is_told_with_how_to_get_it_and_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_section, "python_of", lambda peer: tmp_path / peer)
    missing = peers_section.missing()
    assert missing["peers: Prefect"].endswith("python3 -m tools.setup --with prefect")
    assert missing["peers: Metaflow"].endswith("python3 -m tools.setup --with bench")
    assert list(peers_section.measure(bed.Bed(folder=tmp_path), None)) == []
