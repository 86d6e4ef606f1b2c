import gc

from runner.clusters.garbage import fewer_collections


def test_garbage_is_looked_for_less_often_inside_and_as_before_afterwards() -> None:
    before = gc.get_threshold()

    with fewer_collections():
        inside = gc.get_threshold()

    assert inside == tuple(3 * number for number in before)
    assert gc.get_threshold() == before
