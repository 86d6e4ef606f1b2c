"""Dask clusters of classes that the environment names and Penstock knows nothing of."""

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from distributed import Client, LocalCluster

from runner.clusters.provided import provided_cluster
from runner.errors import UnavailableError
from runner.request import WorkerCount
from runner.sections import DaskCloudProvider
from tests.runner.clusters.ecs_sections import environment, section_of

pytestmark = pytest.mark.dask
IN_PROCESS = {"processes": False, "dashboard_address": "127.0.0.1:0"}


@pytest.fixture(autouse=True)
def forget_connections() -> Iterator[None]:
    """Collect what distributed leaves to Python."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def section(found: type, **changes: Any) -> DaskCloudProvider:
    return section_of(environment(provider_class=f"mine:{found.__name__}", **changes))


def workers(fewest: int, most: int | None = None) -> WorkerCount:
    return WorkerCount(min_workers=fewest, max_workers=fewest if most is None else most)


class Recorded(LocalCluster):  # type: ignore[misc]
    """A cluster that takes part, and remembers what it was asked for."""

    opened: "list[Recorded]" = []  # noqa: RUF012 each test begins with none

    def __init__(self, **options: Any) -> None:
        self.options, self.was_closed = options, False
        self.adapted: dict[str, Any] = {}
        super().__init__(**{key: value for key, value in options.items() if key != "token"})
        Recorded.opened.append(self)

    def adapt(self, **options: Any) -> Any:
        self.adapted = options
        return super().adapt(**options)

    def close(self, timeout: float | None = None) -> Any:
        self.was_closed = True
        return super().close(timeout)


@pytest.fixture(autouse=True)
def none_is_open() -> Iterator[None]:
    Recorded.opened.clear()
    yield
    assert [cluster.status.value for cluster in Recorded.opened] == ["closed"] * len(Recorded.opened)
    Recorded.opened.clear()


def test_a_cluster_is_opened_with_its_keywords_sized_used_and_closed() -> None:
    given = section(Recorded, provider_kwargs={**IN_PROCESS, "threads_per_worker": 1, "token": "x"}, tls=False)
    with provided_cluster(Recorded, given, workers(2)) as client:
        assert isinstance(client, Client)
        client.wait_for_workers(2, timeout=20)
        assert client.submit(sum, [1, 2]).result(20) == 3
        (cluster,) = Recorded.opened

    assert cluster.options == given.provider_kwargs
    assert (cluster.adapted, cluster.was_closed, client.status) == ({}, True, "closed")


def test_a_range_of_workers_is_adaptive() -> None:
    with provided_cluster(Recorded, section(Recorded, provider_kwargs=IN_PROCESS, tls=False), workers(0, 3)) as client:
        assert client.submit(sum, [1, 2]).result(20) == 3

    assert Recorded.opened[0].adapted == {"minimum": 0, "maximum": 3}


def test_a_cluster_is_closed_when_the_flow_fails() -> None:
    given = section(Recorded, provider_kwargs=IN_PROCESS, tls=False)
    with pytest.raises(KeyError, match="mine"), provided_cluster(Recorded, given, workers(1)):
        raise KeyError("mine")

    assert Recorded.opened[0].was_closed


class Encrypted:
    """Takes `security`, and can go no further."""

    def __init__(self, *, security: object = None, **options: object) -> None:
        raise RuntimeError(f"{security} {options}")


class Plain:
    """Takes no `security`, and can go no further."""

    def __init__(self, **options: object) -> None:
        raise RuntimeError(f"{options}")


@pytest.mark.parametrize(
    ("found", "tls", "kwargs", "said"),
    [
        (Encrypted, True, {"a": 1}, "True {'a': 1}"),
        (Encrypted, True, {"security": "mine"}, "mine {}"),
        (Encrypted, False, {}, "None {}"),
        (Plain, True, {"a": 1}, "{'a': 1}"),
    ],
)
def test_security_is_given_where_it_is_taken_and_a_class_that_raises_is_told(
    found: type, tls: bool, kwargs: dict[str, object], said: str
) -> None:
    given = section(found, provider_kwargs=kwargs, tls=tls)
    with pytest.raises(UnavailableError) as error, provided_cluster(found, given, workers(1)):
        pass

    assert str(error.value) == (
        f"mine:{found.__name__} could not be opened (RuntimeError: {said}). "
        "Correct provider_class and provider_kwargs of the stack."
    )


class Unsizable(Recorded):
    """Cannot be sized."""

    def scale(self, n: int = 0, **options: Any) -> Any:
        if n:
            raise NotImplementedError("not here")
        return super().scale(n, **options)


@pytest.mark.parametrize(
    ("found", "kwargs", "said"),
    [
        (LocalCluster, {"n_worker": 1, **IN_PROCESS}, "TypeError: "),
        (dict, {}, "ValueError: "),
        (Exception, {"x": 1}, "TypeError: "),
        (Unsizable, IN_PROCESS, "NotImplementedError: not here"),
    ],
    ids=["keywords", "no signature", "no cluster", "no size"],
)
def test_what_is_no_cluster_is_told(found: type, kwargs: dict[str, object], said: str) -> None:
    given = section(found, provider_kwargs=kwargs, tls=not kwargs)
    with pytest.raises(UnavailableError) as error, provided_cluster(found, given, workers(1)):
        pass

    assert str(error.value).startswith(f"mine:{found.__name__} could not be opened ({said}")
