from typing import Any

import pytest

from components.namespace import PodSecurity, check_namespace, pod_security_labels
from runner.errors import ContractError


def test_the_level_is_enforced_recorded_and_warned_of() -> None:
    assert pod_security_labels() == {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    assert set(pod_security_labels(PodSecurity.PRIVILEGED).values()) == {"privileged"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "My Team"}, 'namespace is "My Team", expected at most 63 lower-case letters'),
        ({"name": "x", "namespace": "a.b"}, 'namespace is "a.b", expected at most 63'),
        ({"name": "default"}, 'namespace is "default", expected another name: every cluster has this namespace'),
        ({"name": "x", "namespace": "kube-system"}, 'namespace is "kube-system", expected another name'),
        (
            {"name": "x", "create": False, "pod_security": "baseline"},
            "pod_security is given for a namespace that is not created, expected none",
        ),
    ],
)
def test_what_cannot_be_is_refused(arguments: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        check_namespace(**arguments)

    assert sentence in str(refusal.value)


def test_a_namespace_that_every_cluster_has_can_be_used_as_it_is() -> None:
    check_namespace(name="x", namespace="default", create=False)
