"""Findings about rights in Kubernetes: what roles allow, and who has them. Tokens are in `service_accounts`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings import rbac_rights as rights
from stacks.review.findings import role_bindings, service_accounts
from stacks.review.findings.kubernetes import is_object, namespace, object_name, word
from stacks.review.findings.rbac_rights import EVERY, Right
from stacks.review.findings.whose import listed
from stacks.review.preview import Step
from stacks.review.values import at

GROUP = "rbac.authorization.k8s.io"

WILDCARD = Rule(
    name="kubernetes-rights-wildcard",
    tells="a role of Kubernetes allows every verb, or is about every kind of object",
    why="What is added to the cluster later is allowed too, without anybody having meant it.",
)
SECRETS = Rule(
    name="kubernetes-secrets-readable",
    tells="a role of Kubernetes allows to read Secrets",
    why="Who lists or watches Secrets sees their values: logins of registries, keys of Dask clusters, tokens.",
)
ESCALATION = Rule(
    name="kubernetes-rights-escalation",
    tells="a role of Kubernetes allows what leads to the rights of others",
    why="Commands in pods, tokens of service accounts and roles for others are ways to rights that the role itself"
    " does not name: https://kubernetes.io/docs/concepts/security/rbac-good-practices/.",
)
WIDENED = Rule(
    name="kubernetes-rights-widened",
    tells="a role of Kubernetes allows more than before",
    why="Everybody whom a binding gives the role can do it from the moment of the change.",
)
RULES: tuple[Rule, ...] = (
    WILDCARD,
    SECRETS,
    ESCALATION,
    WIDENED,
    *role_bindings.RULES,
    *service_accounts.RULES,
)


@dataclass(frozen=True, kw_only=True)
class Power:
    """A right that is worth more than it looks."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    could: str
    """What whoever has it could do; goes on with where."""
    rule: Rule = ESCALATION

    def is_in(self, right: Right) -> bool:
        """Whether a right includes it."""
        return any(
            right.covers(Right(group=self.group, resource=resource, verb=verb, name=right.name))
            for resource in self.resources
            for verb in self.verbs
        )


POWERS = (
    Power(group="", resources=("secrets",), verbs=("get", "list", "watch"), could="read the Secrets", rule=SECRETS),
    Power(group="", resources=("pods/exec", "pods/attach"), verbs=("create", "get"), could="run commands in pods"),
    Power(group="", resources=("pods/ephemeralcontainers",), verbs=("patch", "update"), could="run commands in pods"),
    Power(group="", resources=("pods",), verbs=("create",), could="start pods that use any service account"),
    Power(group="", resources=("serviceaccounts/token",), verbs=("create",), could="get tokens of service accounts"),
    Power(
        group="",
        resources=("users", "groups", "serviceaccounts"),
        verbs=("impersonate",),
        could="act as other users, groups or service accounts",
    ),
    Power(group=GROUP, resources=("roles", "clusterroles"), verbs=("bind",), could="give others roles"),
    Power(
        group=GROUP,
        resources=("roles", "clusterroles"),
        verbs=("escalate",),
        could="write roles with more rights than their own",
    ),
    Power(group="", resources=("nodes/proxy",), verbs=("get", "create"), could="run commands in all pods of a node"),
)
"""https://kubernetes.io/docs/concepts/security/rbac-good-practices/#kubernetes-rbac-privilege-escalation-risks"""


def roles(step: Step) -> Iterator[Finding]:
    """What a role allows that it did not."""
    if not is_object(step, GROUP, "Role", "ClusterRole") or step.new is None:
        return
    before, after = (rights.rules_of(at(side, "rules")) for side in (step.old, step.new))
    # A right to an object with the namespace's name stays that when the namespace gets another.
    spaces = word(at(step.old, "metadata", "namespace")), namespace(step)
    same = [replace(right, name=spaces[1]) if right.name == spaces[0] else right for right in before]
    new = rights.added(same, after)
    where, places = (
        (" in every namespace", ()) if step.kind == "ClusterRole" else (" in the namespace {}", (namespace(step),))
    )

    def finding(rule: Rule, weight: Weight, text: str, given: Sequence[Right], *names: str) -> Finding:
        nouns = {right.noun for right in given}
        return Finding(
            rule=rule,
            weight=weight,
            urn=step.urn,
            what=say(text, object_name(step), *names),
            field="rules",
            before=rights.words(right for right in before if right.noun in nouns) or None,
            after=rights.words(right for right in after if right.noun in nouns),
            options=role_bindings.options(step),
        )

    everything = [right for right in new if right.is_everything]
    if everything:
        text = "whoever has the role {} may do everything with every kind of object" + where
        yield finding(WILDCARD, Weight.DANGER, text, everything, *places)
        return
    wild = [right for right in new if right.is_wild]
    if wild:
        text = "whoever has the role {} may do this" + where + ", and what is added to it later: {}"
        yield finding(WILDCARD, Weight.WARNING, text, wild, *places, rights.words(wild))
    rest = [right for right in new if right not in wild]
    for power in POWERS:
        given = [right for right in new if power.is_in(right)]
        if given:
            text, names = f"whoever has the role {{}} could {power.could}{where}", places
            if all(right.name != EVERY for right in given):
                text, names = text + ", of these names: {}", (*places, listed(sorted({one.name for one in given})))
            weight = Weight.DANGER if step.kind == "ClusterRole" else Weight.WARNING
            yield finding(power.rule, weight, text, given, *names)
        rest = [right for right in rest if right not in given]
    if rest and step.old is not None:
        text = "whoever has the role {} may now do more" + where + ": {}"
        yield finding(WIDENED, Weight.WARNING, text, rest, *places, rights.words(rest))
    elif rest:
        yield finding(WIDENED, Weight.NOTICE, "the role {} is new" + where, rest, *places)


STEP_CHECKS: tuple[StepCheck, ...] = (roles, *role_bindings.STEP_CHECKS, *service_accounts.STEP_CHECKS)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
