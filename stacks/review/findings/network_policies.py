"""Findings about what NetworkPolicies allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings.kubernetes import is_another_object, is_object, namespace, object_name, side, word
from stacks.review.findings.network_flows import DIRECTIONS, Flow, covers_selector, described, flows, is_restricted
from stacks.review.findings.whose import is_environment, listed
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import Hidden, Properties, at, items, mapping

GROUP = "networking.k8s.io"
ENVIRONMENT, COMPONENT = "penstock.dev/environment", "app.kubernetes.io/component"
"""Labels by which policies of Penstock choose pods."""
NAME_SERVER = "kube-system"
OPTIONS = ("egress", "egress_anywhere", "network_policies", "api_server_cidrs")

ANYWHERE = Rule(
    name="kubernetes-egress-anywhere",
    tells="pods may reach every address",
    why="A dependency of a flow that somebody has taken over could send data and credentials out.",
)
OPEN = Rule(
    name="kubernetes-ingress-open",
    tells="pods may be reached from everywhere",
    why="Dask's scheduler and workers run what whoever connects to them asks for.",
)
WIDENED = Rule(
    name="kubernetes-traffic-widened",
    tells="pods may reach, or be reached by, more than before",
    why="What one pod may reach, everything that runs in it may.",
)
LOOSENED = Rule(
    name="kubernetes-network-policy-loosened",
    tells="a NetworkPolicy is removed, or is about fewer pods or less traffic",
    why="Pods that no policy is about reach everything, and are reached by everything in the cluster.",
)
RULES: tuple[Rule, ...] = (ANYWHERE, OPEN, WIDENED, LOOSENED)


@dataclass(frozen=True, kw_only=True)
class News:
    """Traffic that is worth a finding."""

    rule: Rule
    weight: Weight
    what: Sentence
    flows: list[Flow]


def allowed(step: Step) -> Iterator[Finding]:
    """What a policy lets through that it did not."""
    if not is_object(step, GROUP, "NetworkPolicy") or step.new is None:
        return
    old, new = _spec(step.old), _spec(step.new)
    whose, name = _whose(step)
    for direction, news in (("Ingress", _ingress), ("Egress", _egress)):
        before, after = flows(old, direction), flows(new, direction)
        was_open = step.old is not None and not is_restricted(old, direction)
        if was_open or not is_restricted(new, direction):
            continue
        added = [flow for flow in after if not any(other.covers(flow) for other in before)]
        for one in news(whose, name, added, new=step.old is None):
            yield Finding(
                rule=one.rule,
                weight=one.weight,
                urn=step.urn,
                what=one.what,
                field=f"spec.{direction.lower()}",
                before=None if step.old is None else [described(flow) for flow in before],
                after=[described(flow) for flow in one.flows],
                options=OPTIONS,
            )


def loosened(step: Step) -> Iterator[Finding]:
    """A policy that is about fewer pods, or about traffic in fewer directions."""
    if not is_object(step, GROUP, "NetworkPolicy") or step.new is None or step.old is None:
        return
    old, new = _spec(step.old), _spec(step.new)
    whose, name = _whose(step)
    found = partial(Finding, rule=LOOSENED, weight=Weight.WARNING, urn=step.urn, options=OPTIONS)
    for direction, text in (("Ingress", "who may reach them"), ("Egress", "what they may reach")):
        if is_restricted(old, direction) and not is_restricted(new, direction):
            what = say(f"{whose} are no longer restricted in {text}", name)
            types = old.get("policyTypes"), new.get("policyTypes")
            yield found(what=what, field="spec.policyTypes", before=types[0], after=types[1])
    selectors = old.get("podSelector"), new.get("podSelector")
    # A policy of another name is about pods of another environment, or in another namespace.
    if isinstance(selectors[1], Hidden) or is_another_object(step):
        return
    if not covers_selector(selectors[1], selectors[0]):
        what = say("the policy {} no longer restricts all the pods that it did", object_name(step))
        yield found(what=what, field="spec.podSelector", before=selectors[0], after=selectors[1])


def removed(preview: Preview) -> Iterator[Finding]:
    """A policy that goes, while the pods that it is about stay."""
    gone = [step for step in preview.steps if step.op is Op.DELETE]
    spaces = {object_name(step) for step in gone if is_object(step, "core", "Namespace")}
    environments = {word(at(step.old, "environment_name")) or step.name for step in gone if is_environment(step)}
    for step in gone:
        if not is_object(step, GROUP, "NetworkPolicy") or step.old is None or namespace(step) in spaces:
            continue
        spec = _spec(step.old)
        if at(spec, "podSelector", "matchLabels", ENVIRONMENT) in environments:
            continue
        whose, name = _whose(step)
        denies_all = not mapping(spec.get("podSelector")) and not any(flows(spec, one) for one in DIRECTIONS)
        yield Finding(
            rule=LOOSENED,
            weight=Weight.DANGER if denies_all else Weight.WARNING,
            urn=step.urn,
            what=say(f"{whose} are no longer restricted by the policy {{}}", name, object_name(step)),
            options=("network_policies", *OPTIONS[:2]),
        )


def _egress(whose: str, name: str, added: list[Flow], *, new: bool) -> Iterator[News]:
    anywhere = [flow for flow in added if flow.is_anywhere]
    if anywhere:
        text = f"{whose} could send data anywhere"
        if any(flow.reaches_metadata for flow in anywhere):
            text += ", and reach the cloud's metadata service"
        yield News(rule=ANYWHERE, weight=Weight.WARNING, what=say(text, name), flows=anywhere)
    rest = [flow for flow in added if not flow.is_anywhere and (not new or _is_elsewhere(flow))]
    if rest:
        what = say(f"{whose} {'may' if new else 'could now'} reach {{}}", name, listed(map(described, rest)))
        yield News(rule=WIDENED, weight=Weight.NOTICE if new else Weight.WARNING, what=what, flows=rest)


def _ingress(whose: str, name: str, added: list[Flow], *, new: bool) -> Iterator[News]:
    anywhere = [flow for flow in added if flow.is_anywhere]
    if anywhere:
        what = say(f"anyone could reach {whose}, from outside the cluster too", name)
        yield News(rule=OPEN, weight=Weight.DANGER, what=what, flows=anywhere)
    spaces = [flow for flow in added if not flow.is_anywhere and flow.is_every_namespace]
    if spaces:
        what = say(f"every pod of the cluster could reach {whose}", name)
        yield News(rule=OPEN, weight=Weight.WARNING, what=what, flows=spaces)
    rest = [flow for flow in added if flow not in anywhere + spaces and (not new or _is_elsewhere(flow))]
    if rest:
        what = say(f"{{}} {'may' if new else 'could now'} reach {whose}", listed(map(described, rest)), name)
        yield News(rule=WIDENED, weight=Weight.NOTICE if new else Weight.WARNING, what=what, flows=rest)


def _is_elsewhere(flow: Flow) -> bool:
    """Whether the other side is outside the policy's namespace; the cluster's name server, which all need, is not."""
    peer = flow.peer or {}
    if "ipBlock" in peer:
        return True
    spaces = peer.get("namespaceSelector")
    return spaces is not None and at(spaces, "matchLabels", "kubernetes.io/metadata.name") != NAME_SERVER


def _spec(properties: Properties | None) -> Mapping[str, Any]:
    return mapping(at(properties, "spec"))


def _whose(step: Step) -> tuple[str, str]:
    """Words for the pods that a policy is about, and the name in them."""
    selector = at(side(step), "spec", "podSelector")
    labels = mapping(at(selector, "matchLabels"))
    if labels.get(ENVIRONMENT):
        workers = labels.get(COMPONENT) == "worker"
        return ("Dask workers of {}" if workers else "runs of {}"), word(labels[ENVIRONMENT])
    if not any(items(part) for part in mapping(selector).values()):
        return "all pods of the namespace {}", namespace(step)
    return "the pods of the policy {}", object_name(step)


STEP_CHECKS: tuple[StepCheck, ...] = (allowed, loosened)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (removed,)
