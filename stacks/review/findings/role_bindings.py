"""Findings about who has roles of Kubernetes."""

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.review.finding import Finding, Rule, StepCheck, Weight, say
from stacks.review.findings.kubernetes import is_another_object, is_object, namespace, object_name, word
from stacks.review.findings.whose import listed
from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, at, items, mapping

GROUP = "rbac.authorization.k8s.io"
ADMINISTRATOR = "cluster-admin"
ACCOUNTS = "system:serviceaccounts"
EVERYBODY = {
    "system:anonymous": "anyone who reaches the cluster's API, without a login,",
    "system:unauthenticated": "anyone who reaches the cluster's API, without a login,",
    "system:authenticated": "everybody with any account of the cluster",
    ACCOUNTS: "every service account of the cluster, and so every pod with its token,",
}
"""Names that Kubernetes gives to everybody: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects."""
OPTIONS = {"submitter": "submitters", "previewer": "previewers", "runner": "service_account_name"}

EVERYBODY_BOUND = Rule(
    name="kubernetes-rights-for-everybody",
    tells="a role of Kubernetes is given to everybody",
    why="Who gets it is no longer decided by who is let into a team, but by who reaches the cluster.",
)
ADMIN = Rule(
    name="kubernetes-cluster-admin",
    tells="somebody becomes an administrator of the cluster, or of a namespace with everything in it",
    why="The role cluster-admin is every right there is, that to give rights to others included.",
)
BOUND = Rule(
    name="kubernetes-subject-added",
    tells="somebody gets a role of Kubernetes who did not have it",
    why="They have its rights from the moment of the change.",
)
ROLE_CHANGED = Rule(
    name="kubernetes-role-changed",
    tells="a binding of Kubernetes gives another role than before",
    why="Everybody in the binding loses the old rights and gets the new ones.",
)
RULES = (EVERYBODY_BOUND, ADMIN, BOUND, ROLE_CHANGED)


def options(step: Step) -> tuple[str, ...]:
    """Options that a role or binding comes from: by the end of its name where it is one of Penstock's."""
    for part, option in OPTIONS.items():
        if step.name.endswith(f"-{part}"):
            return (option,)
    return tuple(OPTIONS.values())


def subjects(step: Step) -> Iterator[Finding]:
    """Who may now do what a role says."""
    if not is_object(step, GROUP, "RoleBinding", "ClusterRoleBinding") or step.new is None:
        return
    before = None if is_another_object(step) else step.old
    there = [_key(subject, step) for subject in _subjects(before)]
    new = [subject for subject in _subjects(step.new) if _key(subject, step) not in there]
    role = word(at(step.new, "roleRef", "name"))
    if before is not None and role != word(at(before, "roleRef", "name")):
        yield _role_changed(step, role)
        # A role that is dangerous in these hands is dangerous for all who have it.
        new = _subjects(step.new) if role == ADMINISTRATOR else new
    known = [subject for subject in new if word(subject.get("name")) in EVERYBODY]
    for subject in known:
        where, places = _where(step)
        yield _finding(
            step,
            EVERYBODY_BOUND,
            Weight.DANGER,
            f"{EVERYBODY[word(subject.get('name'))]} may do what the role {{}} allows{where}",
            [subject],
            role,
            *places,
        )
    rest = [subject for subject in new if subject not in known]
    where, places = _where(step)
    names = listed(_described(subject) for subject in rest)
    if rest and role == ADMINISTRATOR and at(step.new, "roleRef", "kind") == "ClusterRole":
        yield _finding(step, ADMIN, Weight.DANGER, f"{{}} may do everything{where}", rest, names, *places)
        return
    if before is None and step.kind == "RoleBinding":
        # A new role with an account of its own in the same namespace: that is what the role's own finding is about.
        rest = [subject for subject in rest if not _is_own_account(subject, step)]
        names = listed(_described(subject) for subject in rest)
    if rest:
        weight = Weight.NOTICE if before is None and step.kind == "RoleBinding" else Weight.WARNING
        text = f"{{}} may do what the role {{}} allows{where}"
        yield _finding(step, BOUND, weight, text, rest, names, role, *places)


def _is_own_account(subject: Mapping[str, Any], step: Step) -> bool:
    return subject.get("kind") == "ServiceAccount" and subject.get("namespace") in (None, "", namespace(step))


def _role_changed(step: Step, role: str) -> Finding:
    where, places = _where(step)
    return Finding(
        rule=ROLE_CHANGED,
        weight=Weight.WARNING,
        urn=step.urn,
        what=say(
            f"everybody in the binding {{}} gets the role {{}} instead of {{}}{where}",
            object_name(step),
            role,
            word(at(step.old, "roleRef", "name")),
            *places,
        ),
        field="roleRef.name",
        before=at(step.old, "roleRef", "name"),
        after=at(step.new, "roleRef", "name"),
        options=options(step),
    )


def _finding(step: Step, rule: Rule, weight: Weight, text: str, new: list[Mapping[str, Any]], *names: str) -> Finding:
    before = [_described(subject) for subject in _subjects(step.old)]
    return Finding(
        rule=rule,
        weight=weight,
        urn=step.urn,
        what=say(text, *names),
        field="subjects",
        before=before or None,
        after=[_described(subject) for subject in new],
        options=options(step),
    )


def _where(step: Step) -> tuple[str, tuple[str, ...]]:
    if step.kind == "ClusterRoleBinding":
        return " in the whole cluster", ()
    return " in the namespace {}", (namespace(step),)


def _subjects(properties: Properties | None) -> list[Mapping[str, Any]]:
    return [subject for subject in map(mapping, items(at(properties, "subjects"))) if subject.get("name")]


def _key(subject: Mapping[str, Any], step: Step) -> tuple[str, str, object]:
    place = subject.get("namespace") or namespace(step) if subject.get("kind") == "ServiceAccount" else ""
    name = subject.get("name")
    # What is not known yet is not the same as something else that is not.
    return word(subject.get("kind")), word(name), object() if isinstance(name, Hidden) else word(place)


def _described(subject: Mapping[str, Any]) -> str:
    kind, name = word(subject.get("kind")), word(subject.get("name"))
    if kind == "ServiceAccount":
        place = word(subject.get("namespace"))
        return f"service account {place}/{name}" if place else f"service account {name}"
    if name.startswith(f"{ACCOUNTS}:"):
        return f"every service account of the namespace {name.removeprefix(f'{ACCOUNTS}:')}"
    return f"{kind.lower()} {name}".strip()


STEP_CHECKS: tuple[StepCheck, ...] = (subjects,)
