"""Findings about what security groups and network ACLs let through.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from collections.abc import Iterable, Iterator

from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings import security_group_names as names
from stacks.review.findings import whose
from stacks.review.findings.security_group_rules import (
    ACL_RULE,
    Opening,
    is_anywhere,
    is_private,
    openings,
)
from stacks.review.preview import Step
from stacks.review.values import Hidden, Value

PUBLIC_INGRESS = Rule(
    name="ingress-from-internet",
    tells="a rule of a security group lets the internet in",
    why="Scanners find an open port within minutes; a Dask scheduler runs any code that it is sent.",
)
INGRESS = Rule(
    name="ingress-wider",
    tells="a rule lets in somebody who could not come in before",
    why="Who reaches a port can try everything that listens there.",
)
EGRESS_ANYWHERE = Rule(
    name="egress-anywhere",
    tells="a rule lets data out to everywhere",
    why="Code that is not what it seems could send away what the flow reads.",
)
EGRESS = Rule(
    name="egress-wider",
    tells="a rule lets out what could not go out before",
    why="Data can go where it could not go.",
)
OWN_RULES = ("scheduler", "worker", "endpoints", "s3", "files")
"""Ends of the names of rules that our components always make."""


def check_rules(step: Step) -> Iterable[Finding]:
    """What a rule lets through that was not let through before."""
    if step.op not in whose.TOLD:
        return
    before = openings(step, step.old)
    for opening in openings(step, step.new):
        if not any(former.covers(opening) for former in before):
            yield from _judged(step, opening, [former for former in before if former.comes_in == opening.comes_in])


def _judged(step: Step, opening: Opening, before: list[Opening]) -> Iterator[Finding]:
    anywhere, addresses = is_anywhere(opening.network), opening.network
    of_acl = step.type.startswith(ACL_RULE)
    former = next((one for one in before if one.path == opening.path), None) or next(iter(before), None)
    new = former is None
    if not anywhere and _is_ordinary(step, opening, former):
        return
    if opening.comes_in and anywhere:
        # Behind a network ACL there is a security group, and both must let something in.
        weight = Weight.WARNING if of_acl else Weight.DANGER
        rule, what = (
            PUBLIC_INGRESS,
            whose.joined(names.whoever(opening), say("could reach"), names.reached(step, opening)),
        )
        if of_acl:
            what = whose.joined(
                say("a network ACL lets"), names.whoever(opening), say("reach"), names.reached(step, opening)
            )
    elif opening.comes_in:
        rule = INGRESS
        outside = addresses is not None and not is_private(addresses)
        known = not isinstance(opening.target, Hidden)
        weight = Weight.WARNING if outside or (known and not new) else Weight.NOTICE
        what = whose.joined(
            names.place(opening), say("could now reach" if step.old else "could reach"), names.reached(step, opening)
        )
    elif anywhere:
        rule, weight = EGRESS_ANYWHERE, Weight.WARNING
        by = () if opening.is_every_port else (names.by(opening),)
        what = whose.joined(names.inside(step), say("could send data anywhere"), *by)
    else:
        rule, weight = EGRESS, Weight.NOTICE
        what = whose.joined(names.inside(step), say("could reach"), names.place(opening), names.by(opening))
    field, old, new_value = _difference(opening, former)
    yield Finding(
        rule=rule,
        weight=weight,
        urn=step.urn,
        what=what,
        field=field,
        before=old,
        after=new_value,
        options=_options(step, opening),
    )


def _is_ordinary(step: Step, opening: Opening, former: Opening | None) -> bool:
    """Whether it is a rule without which an environment does not work, as our components make it, and not wider."""
    addresses = opening.network
    wider = former is not None and former.network is not None and opening.covers(former)
    return (
        whose.is_ours(step)
        and step.name.endswith(tuple(f"-{end}" for end in OWN_RULES))
        and (addresses is None or is_private(addresses))
        and not wider
    )


def _difference(opening: Opening, former: Opening | None) -> tuple[str, Value, Value]:
    """The place when only that differs, or else place and ports."""
    if former is None:
        return opening.path, None, _shown(opening)
    same_ports = (former.protocol, former.first, former.last) == (opening.protocol, opening.first, opening.last)
    if same_ports and former.ports_known == opening.ports_known:
        return opening.path, former.target, opening.target
    return opening.path.rpartition(".")[0], _shown(former), _shown(opening)


def _shown(opening: Opening) -> Value:
    ports = {"fromPort": opening.first, "toPort": opening.last} if not opening.is_every_port else {}
    key = opening.path.rpartition(".")[2]
    return {key: True if opening.target == "self" else opening.target, "protocol": opening.protocol, **ports}


def _options(step: Step, opening: Opening) -> tuple[str, ...]:
    if not whose.is_ours(step):
        return ()
    if opening.comes_in:
        return ("security_group_ids",)
    return ("egress_anywhere",) if "-anywhere-" in step.name else ("egress",)


RULES: tuple[Rule, ...] = (PUBLIC_INGRESS, INGRESS, EGRESS_ANYWHERE, EGRESS)
STEP_CHECKS: tuple[StepCheck, ...] = (check_rules,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
