from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.bed import FLOWS, Bed
from tests.bench.ecs_dask_place import FILE, LEAN, Cluster, EcsDaskPlace
from tests.bench.ecs_dask_section import life
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import dask_place
from tests.testbed.ecs_ground import assets

pytestmark = [pytest.mark.aws, pytest.mark.long]


@pytest.fixture
def there(aws: Aws, tmp_path: Path) -> Iterator[EcsDaskPlace]:
    bed = Bed(folder=tmp_path)
    bed.flows.mkdir()
    (bed.flows / FILE).write_bytes((FLOWS / FILE).read_bytes())
    with dask_place(aws) as flows:
        yield EcsDaskPlace(bed=bed, aws=aws, flows=flows)


def test_clusters_of_both_kinds_work_close_and_create_nothing_else(there: EcsDaskPlace) -> None:
    def one_of_dask_cloudprovider() -> Cluster:
        return there.of_cloudprovider(1, *LEAN)

    def one_of_a_run() -> Cluster:
        return there.of_run(1, report=False)

    one_of_dask_cloudprovider().close()  # it has registered the definitions of its tasks
    there.settle()
    before = assets(there.aws)
    for opened, others in ((one_of_a_run, 1), (one_of_dask_cloudprovider, 2)):
        cluster = opened()
        assert cluster.ask("tasks") > 0
        assert len(cluster.others()) == others
        cluster.close()
        there.settle()
        lived = life(there, opened)
        assert 0 < lived.opening < lived.whole
        assert lived.closing > 0
        assert lived.calls >= 3
        assert there.flows.tasks() == []
    assert assets(there.aws) == before


def test_a_cluster_whose_client_is_killed_is_looked_at_for_a_time(there: EcsDaskPlace) -> None:
    cluster = there.of_cloudprovider(1, *LEAN)
    cluster.kill()
    assert cluster.left(0.5) == (2, 0.5)
    there.settle()
    cluster = there.of_run(1, report=False)
    cluster.kill()
    count, seconds = cluster.left(30)
    assert count == 0
    assert 0 <= seconds < 30
