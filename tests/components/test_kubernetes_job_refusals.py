"""Every mistake that a KubernetesJobEnvironment refuses, and when."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.given import ArgumentError
from components.kubernetes_job import KubernetesJobEnvironment
from tests.testbed.pulumi_mocks import Deploy

IMAGE = "registry.example/team/flows:1"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"image": None}, "image is missing, expected what every run of kind kubernetes-job needs"),
    ({"image": "a b"}, 'image is "a b", expected an image reference'),
    ({"environment_name": "My Flights"}, 'environment_name is "My Flights", expected at most 63 lower-case letters'),
    ({"namespace": "My Flights"}, 'namespace is "My Flights", expected at most 63 lower-case letters'),
    ({"namespace": "kube-system"}, 'namespace is "kube-system", expected another name'),
    ({"create_namespace": False, "pod_security": "baseline"}, "pod_security is given for a namespace that is not"),
    ({"create_namespace": "false"}, 'create_namespace is "false", expected true or false'),
    ({"network_policies": 0}, "network_policies is 0, expected true or false"),
    ({"resources": {"cpu": 1}}, "resources.cpu is unknown, expected resources."),
    ({"resources": {"memory_mib": 0}}, "resources.memory_mib is 0, expected a whole number of at least 1"),
    ({"resources": {"memory_limit_mib": 512}}, "resources.memory_limit_mib is 512, expected at least the 1024 that"),
    ({"resources": "big"}, 'resources is "big", expected a mapping'),
    ({"secrets": [{"env": "TOKEN", "secret": "api"}]}, "secrets[0].key is missing, expected a value"),
    ({"secrets": [{"env": "1", "secret": "a", "key": "b"}]}, 'secrets[0].env is "1", expected the name of an'),
    (
        {"secrets": [{"env": "A", "secret": "a", "key": "b"}], "env": {"A": "x"}},
        "secrets is a second value for A, expected each variable once",
    ),
    ({"timeouts": {"start_seconds": 0}}, "timeouts.start_seconds is 0, expected seconds, more than 0"),
    ({"failure_policy": {"retries": 1}}, "failure_policy.retries is 1, expected 0, since neither flow nor crash"),
    ({"failure_policy": {"flow": "again"}}, 'failure_policy.flow is "again", expected one of fail, retry'),
    ({"quota": {"pods": -1}}, "quota.pods is -1, expected a whole number of at least 0"),
    ({"quota": {}}, "quota is without a limit, expected one of"),
    ({"container_limits": {"max": {"memory_mib": 0}}}, "container_limits.max.memory_mib is 0, expected"),
    ({"labels": {"penstock.dev/run-id": "x"}}, "labels.penstock.dev/run-id is given, expected another key"),
    ({"labels": {"a b": "x"}}, 'labels is given the key "a b", expected as each key a label\'s name'),
    (
        {"submitters": [{"kind": "Team", "name": "x"}]},
        'submitters[0].kind is "Team", expected one of User, Group, Serv',
    ),
    ({"submitters": [{"kind": "User"}]}, "submitters[0].name is missing, expected a value"),
    ({"egress": [{"cidr": "x"}]}, 'egress[0].cidr is "x", expected a range of addresses'),
    ({"egress": [{"cidr": "10.0.0.0/8"}], "egress_anywhere": True}, "egress is given beside egress_anywhere"),
    ({"volumes": [{"name": "a", "mount_path": "/a"}]}, "volumes[0] is with no source, expected exactly one of"),
    (
        {"volumes": [{"name": "a", "mountpath": "/a"}]},
        "volumes[0].mountpath is unknown, expected volumes[0].mount_path",
    ),
    ({"job_spec": "nowhere.yaml"}, "job_spec is a file that cannot be read ("),
    ({"job_spec": {"kind": "Pod"}}, 'job_spec.kind is "Pod", expected Job'),
    (
        {"job_spec": {"spec": {"template": {"spec": {"containers": [{"name": "flow", "image": "x:2"}]}}}}},
        f'image is "{IMAGE}", expected "x:2", which job_spec names, or only one of both',
    ),
    (
        {"registry_credentials": [{"server": "a", "username": "b", "password": "c"}]},
        "registry_credentials[0].password is",
    ),
    ({"registry_credentials": [{"server": "a", "username": "b"}]}, "registry_credentials[0].password is missing"),
    ({"image_pull_secret": "a"}, "image_pull_secret is unknown, expected image_pull_secrets, the nearest known key"),
    ({"working_directory": "/x"}, "working_directory is unknown, expected"),
]


def merged(args: Mapping[str, Any]) -> Any:
    return {"image": IMAGE, **args}


@pytest.mark.parametrize(("args", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_a_mistake_is_refused_in_the_constructor_before_anything_is_registered(
    deploy: Deploy, args: Any, sentence: str
) -> None:
    refusals = []

    def program() -> None:
        with pytest.raises(ArgumentError) as refusal:
            KubernetesJobEnvironment("flights", merged(args))
        refusals.append(str(refusal.value))

    monitor = deploy(program, preview=True)

    assert refusals[0].startswith(f"KubernetesJobEnvironment 'flights': {sentence}")
    assert refusals[0].endswith(". Correct that argument.")
    assert monitor.own == []


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (lambda: {"quota": {"pods": pulumi.Output.from_input(-1)}}, "quota.pods is -1, expected a whole number"),
        (lambda: {"image": pulumi.Output.from_input("a b")}, 'image is "a b", expected an image reference'),
        (lambda: {"egress": pulumi.Output.from_input([{"cidr": "x"}])}, 'egress[0].cidr is "x", expected a range'),
        (lambda: {"volumes": pulumi.Output.from_input([{"nam": "x"}])}, "volumes[0].nam is unknown, expected"),
        (lambda: {"job_spec": {"kind": pulumi.Output.from_input("Pod")}}, 'job_spec.kind is "Pod", expected Job'),
        (
            lambda: {"volumes": [{"secret": pulumi.Output.secret("x")}]},
            "volumes[0].secret is a secret, expected a plain",
        ),
        (lambda: {"job_spec": {"spec": pulumi.Output.secret({})}}, "job_spec.spec is a secret, expected a plain value"),
        (lambda: {"labels": {"a": pulumi.Output.secret("x")}}, "labels.a is a secret, expected a plain value"),
        (lambda: {"namespace": pulumi.Output.from_input("x")}, "namespace is an Output, expected a plain value"),
    ],
)
def test_a_mistake_in_an_output_is_refused_once_it_is_known(deploy: Deploy, args: Any, sentence: str) -> None:
    def program() -> None:
        KubernetesJobEnvironment("flights", merged(args()))

    with pytest.raises(ArgumentError) as refusal:
        deploy(program)

    assert sentence in str(refusal.value)
