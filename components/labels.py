"""Labels of what a component creates in Kubernetes."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from runner.contract import broken_rule, describe

ENVIRONMENT = "penstock.dev/environment"
"""Label that everything of an environment carries, its runs included: NetworkPolicies select pods by it."""

RUN_ID = "penstock.dev/run-id"
"""Label of what belongs to one run."""

STANDARD = {"app.kubernetes.io/name": "penstock", "app.kubernetes.io/part-of": "penstock"}
"""Labels that are the same on everything. https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/"""

MANAGER = "app.kubernetes.io/managed-by"
COMPONENT = "app.kubernetes.io/component"
INSTANCE = "app.kubernetes.io/instance"

RUN = "run"
"""Value of the label COMPONENT of runs: their Jobs and those Jobs' pods."""
WORKER = "worker"
"""The same, of pods of Dask workers."""

OWN = (*STANDARD, INSTANCE, MANAGER, COMPONENT)
"""Labels that users cannot change, beside all of `penstock.dev/`: clients find what is an environment's by them."""

KEY = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
VALUE = r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"


def environment_labels(environment: str, component: str, labels: Mapping[str, str] | None = None) -> dict[str, str]:
    """All labels of one object.

    Args:
        environment: the environment's name.
        component: what the object is in it, such as `runner`.
        labels: the user's own.

    Raises:
        ContractError: one of the user's is not a legal label, or one of Penstock's own.
    """
    for key in labels or {}:
        if key in OWN or key.partition("/")[0] == "penstock.dev":
            raise broken_rule(f"labels.{key}", "given", "another key: this label is Penstock's own")
    return {
        **legal(labels or {}),
        **STANDARD,
        INSTANCE: environment,
        MANAGER: "pulumi",
        COMPONENT: component,
        ENVIRONMENT: environment,
    }


def run_labels(environment: str, labels: Mapping[str, str] | None = None, *, component: str = RUN) -> dict[str, str]:
    """All labels of what a run consists of, but for those that say which run it is.

    Args:
        environment: the environment's name.
        labels: the user's own.
        component: what of a run it is: `RUN` for its Job and pod, `WORKER` for pods of its Dask workers.

    Raises:
        ContractError: as `environment_labels`.
    """
    return {**environment_labels(environment, component, labels), MANAGER: "penstock"}


def legal(labels: Mapping[str, str] = MappingProxyType({}), argument: str = "labels") -> dict[str, str]:
    """The same labels.

    Raises:
        ContractError: Kubernetes would refuse one of them.
    """
    for key, value in labels.items():
        if not re.fullmatch(KEY, key):
            expected = "a label's name, such as team or example.com/team, of at most 63 letters, digits, . _ -"
            raise broken_rule(f"a key of {argument}", describe(key), expected)
        if not re.fullmatch(VALUE, value):
            expected = "at most 63 letters, digits and inner . _ -"
            raise broken_rule(f"{argument}.{key}", describe(value), expected)
    return dict(labels)
