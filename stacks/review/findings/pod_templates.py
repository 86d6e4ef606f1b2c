"""Findings about fields of pods, but for what other matters tell: images, sizes, security, tokens."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stacks.review.comparing import Change, changes
from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings.kubernetes import whose_pods, word
from stacks.review.findings.pod_hazards import containers
from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, Value, at, items, mapping
from stacks.review.workloads import CONFIG_MAP, PodSpec, document, pod_specs

STAY = (
    "Runs that start after the change get it, and those that run keep what they have; a Deployment replaces its pods."
)
ACCOUNT = Rule(
    name="pod-service-account-changed",
    tells="pods get another service account",
    why=f"What they may do in the cluster, and often in the cloud, is what that account may. {STAY}",
)
SECRET = Rule(
    name="pod-secret-added",
    tells="pods get a Secret that they did not have",
    why="Everything in the pod can read it, a dependency of the flow included.",
)
CHANGED = Rule(name="pod-template-changed", tells="pods are made in another way than before", why=STAY)
RULES: tuple[Rule, ...] = (ACCOUNT, SECRET, CHANGED)

TOPICS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "nodeSelector": ("are placed on nodes by other rules", ("node_selector", "worker_node_selector")),
    "affinity": ("are placed on nodes by other rules", ("affinity", "worker_affinity")),
    "tolerations": ("tolerate other taints of nodes", ("tolerations", "worker_tolerations")),
    "topologySpreadConstraints": ("are placed on nodes by other rules", ()),
    "priorityClassName": ("have another priority", ("priority_class_name", "worker_priority_class_name")),
    "volumes": ("have other volumes", ("volumes",)),
    "imagePullSecrets": ("have another login for the registry", ("image_pull_secrets", "registry_credentials")),
    "runtimeClassName": ("run in another kind of sandbox", ()),
}
"""Fields of a pod's spec: what a change of them means, and the options that they come from."""
ELSEWHERE = re.compile(
    r"(.*\.)?(securityContext|resources|secretKeyRef|secretRef|secret)\b.*"
    r"|(init|ephemeral)?[cC]ontainers\[[^]]*\]\.(image|ports)\b.*"
    r"|automountServiceAccountToken|serviceAccount(Name)?|host(Network|PID|IPC)|volumes\[[^]]*\]\.hostPath\b.*"
)
"""Paths in a pod's spec that findings of other matters are about, or others of this one."""
CONTAINER_TOPICS: Mapping[str, str] = {
    "env": "get other variables",
    "envFrom": "get other variables",
    "command": "start another command",
    "args": "start another command",
    "volumeMounts": "have volumes at other paths",
}
"""The same of a container's fields."""
MESH = ("sidecar.istio.io/inject", "linkerd.io/inject", "istio.io/rev")
"""Labels and annotations by which a service mesh puts its proxy into a pod."""


def accounts(step: Step) -> Iterator[Finding]:
    """Pods with another service account."""
    for old, new in _pairs(step):
        before, after = (_account(pod) for pod in (old, new))
        names = [word((document(step, side) or {}).get("name")) for side in (step.old, step.new)]
        # An environment's own account is named as the environment.
        if before != after and not (names[0] and word(before).replace(names[0], names[1]) == after):
            whose, name = whose_pods(step, new.path)
            text = f"{whose} act as the service account {{}} instead of {{}}"
            yield Finding(
                rule=ACCOUNT,
                weight=Weight.WARNING,
                urn=step.urn,
                what=say(text, name, word(after), word(before)),
                field=f"{new.path}.serviceAccountName",
                before=before,
                after=after,
                options=("service_account_name", *new.options),
            )


def secrets(step: Step) -> Iterator[Finding]:
    """Secrets that pods get as variables or files and did not."""
    for old, new in _pairs(step):
        whose, name = whose_pods(step, new.path)
        there = [secret for _, secret in _secrets(old.spec)]
        for path, secret in _secrets(new.spec):
            if secret not in there:
                text = f"{whose} now get the Secret {{}} as {{}}"
                yield _secret(step, say(text, name, *secret), f"{new.path}.{path}", new.options)
    if step.type == CONFIG_MAP and (then := document(step, step.new)) and (once := document(step, step.old)):
        known = _references(once)
        for index, secret in enumerate(_references(then)):
            if secret not in known:
                what = say("runs of {} now get the Secret {} as {}", word(then.get("name")), *secret)
                yield _secret(step, what, f"secrets[{index}]", ("secrets",))


def _secret(step: Step, what: Sentence, path: str, options: tuple[str, ...]) -> Finding:
    return Finding(rule=SECRET, weight=Weight.WARNING, urn=step.urn, what=what, field=path, options=options)


def templates(step: Step) -> Iterator[Finding]:
    """Pods that are made in another way: a finding for each thing that this means."""
    for old, new in _pairs(step):
        whose, name = whose_pods(step, new.path)
        topics: dict[tuple[str, tuple[str, ...]], list[Change]] = {}
        for change in changes(old.spec, new.spec):
            if not ELSEWHERE.fullmatch(change.path):
                topics.setdefault(_topic(change.path, old, new), []).append(change)
        for (text, names), some in topics.items():
            options = (*_options(some[0].path, whose), *new.options)
            yield _changed(step, say(f"{whose} {text}", name, *names), new.path, some, options)
        before, after = (_mesh(step, side, new.path) for side in (step.old, step.new))
        if some := changes(before, after):
            what = say(f"{whose} are treated differently by the service mesh", name)
            options = ("service_mesh", "pod_annotations", "labels")
            yield _changed(step, what, new.path.removesuffix("spec") + "metadata", some, options)


def _changed(step: Step, what: Sentence, path: str, some: list[Change], options: tuple[str, ...]) -> Finding:
    one = some[0] if len(some) == 1 else None
    return Finding(
        rule=CHANGED,
        weight=Weight.NOTICE,
        urn=step.urn,
        what=what,
        field=f"{path}.{one.path}" if one else path,
        before=one.before if one else {change.path: change.before for change in some},
        after=one.after if one else {change.path: change.after for change in some},
        options=options,
    )


def _pairs(step: Step) -> Iterator[tuple[PodSpec, PodSpec]]:
    """Pods that there were before and are after."""
    there = {pod.path: pod for pod in pod_specs(step, step.old)}
    for pod in pod_specs(step, step.new):
        if pod.path in there:
            yield there[pod.path], pod


def _topic(path: str, old: PodSpec, new: PodSpec) -> tuple[str, tuple[str, ...]]:
    """What a change at a path means, in words with places for names, and these."""
    if found := re.match(r"((?:init|ephemeral)?[cC]ontainers\[([^]]*)\])(?:\.(\w+))?", path):
        there = [place for place, _ in containers(old.spec)], [place for place, _ in containers(new.spec)]
        if found[1] not in there[0]:
            return "have the container {} too", (found[2],)
        if found[1] not in there[1]:
            return "no longer have the container {}", (found[2],)
        return CONTAINER_TOPICS.get(found[3] or "", "are made in another way"), ()
    return TOPICS.get(_top(path), ("are made in another way", ()))[0], ()


def _options(path: str, whose: str) -> tuple[str, ...]:
    """Options that a field of a pod comes from: of workers their own, where there are such."""
    options = TOPICS.get(_top(path), ("", ()))[1]
    of_workers = [option.startswith("worker_") for option in options]
    wanted = whose.startswith("Dask workers") and any(of_workers)
    return tuple(option for option, is_theirs in zip(options, of_workers, strict=True) if is_theirs is wanted)


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _account(pod: PodSpec) -> Value:
    found = pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount") or "default"
    return found if isinstance(found, str | Hidden) else word(found)


def _secrets(spec: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Where a pod gets which Secret as what."""
    for place, container in containers(spec):
        for variable in map(mapping, items(container.get("env"))):
            if reference := mapping(at(variable, "valueFrom", "secretKeyRef")):
                name = word(variable.get("name"))
                yield f"{place}.env[{name}]", (f"{word(reference.get('name'))}/{word(reference.get('key'))}", name)
        for source in items(container.get("envFrom")):
            if reference := mapping(at(source, "secretRef")):
                yield f"{place}.envFrom", (word(reference.get("name")), "variables")
    for volume in map(mapping, items(spec.get("volumes"))):
        place = f"volumes[{word(volume.get('name'))}]"
        if source := mapping(volume.get("secret")):
            yield place, (word(source.get("secretName")), "files")
        for part in items(at(volume, "projected", "sources")):
            if source := mapping(at(part, "secret")):
                yield place, (word(source.get("name")), "files")


def _references(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Secrets that a document gives to runs, and as which variables."""
    return [
        ("/".join(filter(None, (word(entry.get("id")), word(entry.get("key"))))), word(entry.get("env")))
        for entry in map(mapping, items(found.get("secrets")))
    ]


def _mesh(step: Step, properties: Properties | None, path: str) -> dict[str, Any]:
    """What the labels and annotations of a pod say about a service mesh."""
    whole = document(step, properties) or properties
    metadata = at(whole, *path.split(".")[:-1], "metadata")
    return {
        f"{kind}.{key}": at(metadata, kind, key)
        for kind in ("labels", "annotations")
        for key in MESH
        if at(metadata, kind, key) is not None
    }


STEP_CHECKS: tuple[StepCheck, ...] = (accounts, secrets, templates)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
