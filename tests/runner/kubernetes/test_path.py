"""Paths of the API."""

import pytest

from runner.kubernetes.client import path


def test_the_core_group_and_the_others_have_their_own_roots() -> None:
    assert path("v1", "nodes") == "/api/v1/nodes"
    assert path("batch/v1", "jobs", namespace="ns") == "/apis/batch/v1/namespaces/ns/jobs"
    assert path("v1", "pods", namespace="ns", name="p", sub="log") == "/api/v1/namespaces/ns/pods/p/log"
    assert path("v1", "namespaces", name="ns") == "/api/v1/namespaces/ns"


def test_a_name_cannot_lead_elsewhere() -> None:
    assert path("v1", "pods", namespace="a/b", name="ü?x#y%") == "/api/v1/namespaces/a%2Fb/pods/%C3%BC%3Fx%23y%25"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_name_the_collection_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="No part of a path may be empty or dots"):
        path("v1", "pods", namespace="ns", name=name)
    with pytest.raises(ValueError, match="No part of a path may be empty or dots"):
        path("v1", "pods", namespace=name)
