"""The rights that roles give in a namespace, each with its reason.

Runs have none, and no token to use one with; but for those that create their own Dask workers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

READ = ("get", "list", "watch")


class SubjectKind(StrEnum):
    """Who can be bound to a role."""

    USER = "User"
    """A person, by the name that the cluster knows them by."""
    GROUP = "Group"
    """A group of users."""
    SERVICE_ACCOUNT = "ServiceAccount"
    """An account for programs, of any namespace."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a Role."""

    group: str
    """API group; empty for the core group."""
    resources: tuple[str, ...]
    """Kinds of object, in the plural, with a subresource after a slash."""
    verbs: tuple[str, ...]
    """What may be done with them."""
    reason: str
    """What it is needed for; one sentence."""
    names: tuple[str, ...] = ()
    """Names of the objects that it is about; empty for all of the namespace."""


SUBMITTER = (
    Rule(
        group="batch",
        resources=("jobs",),
        verbs=("create", *READ, "patch", "delete"),
        reason="A run is a Job: `run` creates it, `ls` reads it, `cancel` gives it a deadline, `gc` deletes it.",
    ),
    Rule(
        group="",
        resources=("pods",),
        verbs=(*READ, "patch"),
        reason="The pod tells why a run waits and how it ended; `cancel` gives it a deadline, which keeps its log.",
    ),
    Rule(group="", resources=("pods/log",), verbs=("get",), reason="`run` and `logs` show what the flow printed."),
    Rule(
        group="",
        resources=("events",),
        verbs=READ,
        reason="Why a Job has no pod, or a pod no node or image, stands in events only.",
    ),
    Rule(
        group="",
        resources=("configmaps",),
        verbs=("create", "get", "list", "patch", "delete"),
        reason="A bundle of code is one, which `run` creates and `gc` deletes; the environment document another.",
    ),
    Rule(
        group="",
        resources=("resourcequotas",),
        verbs=("get", "list"),
        reason="A run that waits for quota is told with how much of it is used.",
    ),
)
"""Rights of who starts runs. Secrets, pods and commands in containers are not among them: a run's Secrets are named in
the document and read by the kubelet."""

DASK_SUBMITTER = (
    *SUBMITTER,
    Rule(
        group="",
        resources=("pods/portforward",),
        verbs=("create", "get"),
        reason="`run --dashboard` forwards Dask's dashboard to the user's machine, through the cluster's API.",
    ),
)
"""The same, where runs have Dask workers."""

DASK_RUNNER = (
    Rule(
        group="",
        resources=("pods",),
        verbs=("create", *READ, "delete"),
        reason="A run creates its workers, sees how each fares, and deletes them when it ends.",
    ),
    Rule(
        group="",
        resources=("secrets",),
        verbs=("create", "delete"),
        reason="The keys of a run's Dask cluster are one Secret, which only the kubelets of its workers read.",
    ),
)
"""Rights of runs that create their own Dask workers."""


def previewer(namespace: str | None) -> tuple[Rule, ...]:
    """Rights of who previews changes to an environment: reading what its component creates, but for Secrets.

    `pulumi preview` asks the cluster for its kinds of object only, which every account may. With `--refresh` it reads
    each object, to show what others have changed.

    Args:
        namespace: the namespace, where the component creates it.
    """
    own = Rule(
        group="",
        resources=("namespaces",),
        verbs=("get",),
        names=(namespace,) if namespace else (),
        reason="`pulumi preview --refresh` reads the namespace itself; a Role inside a namespace can allow that.",
    )
    return (
        *((own,) if namespace else ()),
        Rule(
            group="",
            resources=("configmaps", "limitranges", "resourcequotas", "serviceaccounts"),
            verbs=READ,
            reason="`pulumi preview --refresh` compares what there is with what the stack asks for.",
        ),
        Rule(
            group="rbac.authorization.k8s.io",
            resources=("rolebindings", "roles"),
            verbs=READ,
            reason="The same, for the rights of the namespace.",
        ),
        Rule(
            group="networking.k8s.io",
            resources=("networkpolicies",),
            verbs=READ,
            reason="The same, for what runs may reach.",
        ),
    )


def policy_rules(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The field `rules` of a Role."""
    return [
        {
            "apiGroups": [rule.group],
            "resources": list(rule.resources),
            "verbs": list(rule.verbs),
            **({"resourceNames": list(rule.names)} if rule.names else {}),
        }
        for rule in rules
    ]


def subjects(
    account: str,
    namespace: str,
    *,
    submitters: Sequence[Mapping[str, str]] = (),
    previewers: Sequence[Mapping[str, str]] = (),
) -> list[dict[str, str]]:
    """The field `subjects` of a RoleBinding.

    Args:
        account: the service account that the role was made for.
        namespace: its namespace.
        submitters: `SubjectOptions` of who else has the role.
        previewers: the same.
    """
    own = {"kind": SubjectKind.SERVICE_ACCOUNT, "name": account}
    return [_subject(item, namespace) for item in (own, *submitters, *previewers)]


def _subject(item: Mapping[str, str], namespace: str) -> dict[str, str]:
    if item["kind"] == SubjectKind.SERVICE_ACCOUNT:
        place = {"namespace": item.get("namespace", namespace)}
    else:
        place = {"apiGroup": "rbac.authorization.k8s.io"}
    return {"kind": str(item["kind"]), "name": item["name"], **place}
