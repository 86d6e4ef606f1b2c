from pathlib import Path

import pytest

from tests.bench import bed, dask_kubernetes_section, dask_operator, kubernetes_section


def test_without_a_cluster_nothing_is_measured_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes_section, "missing", lambda: {kubernetes_section.SECTION: "no cluster is up"})
    assert dask_kubernetes_section.missing() == {"dask-kubernetes": "no cluster is up"}
    assert list(dask_kubernetes_section.measure(bed.Bed(folder=tmp_path), None)) == []


@pytest.mark.parametrize("is_installed", [True, False])
def test_an_operator_that_is_not_installed_is_told_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    monkeypatch.setattr(kubernetes_section, "missing", dict)
    monkeypatch.setattr(dask_operator, "is_installed", lambda: is_installed)
    missing = dask_kubernetes_section.missing()
    assert [name for name in missing if name == dask_kubernetes_section.SECTION] == []
    assert [told.endswith("--with dask-kubernetes") for told in missing.values()] == [True] * (not is_installed)


def test_workers_of_the_operator_find_their_scheduler_without_dns() -> None:
    spec = dask_operator.dask_cluster("place", "10.96.0.9", 3)["spec"]
    (alias,) = spec["worker"]["spec"]["hostAliases"]
    assert alias == {
        "ip": spec["scheduler"]["service"]["clusterIP"],
        "hostnames": ["bench-scheduler.place.svc.cluster.local"],
    }
    assert spec["worker"]["replicas"] == 3
