"""Renders the Job of a run, and reads back from a Job what it was rendered from.

Rendering is a pure function: the same environment and request give the same bytes, and neither is changed.
"""

import hashlib
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from runner import contract, environment, request
from runner.environment import Environment
from runner.errors import UsageError
from runner.kubernetes import names
from runner.launch.size import sized
from runner.request import RunRequest, Size
from runner.sections import FLOW_CONTAINER, Resources

Object = dict[str, Any]

COMMAND = ("python3", "-P", "-m", "runner")
"""Starts the runner, unless the Job's own container has a command for that."""
ENVIRONMENT_VARIABLE = "PENSTOCK_INPUT_ENVIRONMENT"
REQUEST_VARIABLE = "PENSTOCK_INPUT_REQUEST"
BUNDLE_VARIABLE = "PENSTOCK_INPUT_BUNDLE"
LARGEST_INLINE_BUNDLE = 32 * 1024
"""Largest bundle, in bytes, that travels in the Job itself: no call to send it, no volume, and gone with the Job."""
LARGEST_VARIABLE = 96 * 1024
"""Largest document in an environment variable, in bytes; Linux takes no string over 128 KiB (MAX_ARG_STRLEN)."""
BUNDLE_FOLDER = "/penstock/bundle"
BUNDLE_FILE = "bundle.zip"
REQUEST_FOLDER = "/penstock/request"
REQUEST_FILE = "request.json"
TERMINATION_LOG = "/dev/termination-log"
TERMINATION_LIMIT = 4096
"""Largest termination message that the kubelet keeps of a container, in bytes."""
TERMINATION_LIMIT_OF_POD = 12288
"""What the kubelet keeps of all containers of a pod together (its status_manager.go)."""
GRACE_MARGIN_SECONDS = 5
"""Kubernetes kills this much later than the runner does, so that the outcome is recorded."""
START_MARGIN_SECONDS = 3600
"""Time to pull images where the environment does not limit it."""


def render(target: Environment, asked: RunRequest, *, bundle: bytes | None = None) -> Object:
    """The Job of an attempt.

    Args:
        target: the environment.
        asked: the request.
        bundle: the code that the request describes, to travel in the Job itself; null where a ConfigMap holds it.
    """
    section = target.on_kubernetes
    assert section is not None  # noqa: S101 the contract demands the section of the kind
    job: Object = json.loads(json.dumps(section.job))
    labels = {
        names.RUN_ID: asked.run_id,
        names.ATTEMPT: str(asked.attempt),
        names.ENVIRONMENT: target.name,
    }
    metadata = _mapping(job, "metadata")
    metadata["name"] = names.job_name(target.name, asked.run_id, asked.attempt)
    metadata["namespace"] = section.namespace
    _mapping(metadata, "labels").update(labels)
    _mapping(metadata, "annotations").update(
        {
            names.FLOW: asked.flow,
            names.ACCEPTED_AT: repr(asked.accepted_at),
            names.REQUEST: request.fingerprint(asked),
        }
    )
    spec = _mapping(job, "spec")
    retention = target.retention
    spec.setdefault("ttlSecondsAfterFinished", math.ceil(max(retention.succeeded_seconds, retention.failed_seconds)))
    template = _mapping(spec, "template")
    _mapping(_mapping(template, "metadata"), "labels").update(labels)
    pod = _mapping(template, "spec")
    grace = math.ceil(target.timeouts.grace_seconds) + GRACE_MARGIN_SECONDS
    pod.setdefault("terminationGracePeriodSeconds", grace)
    _set_deadlines(spec, pod, target, asked)
    _fill(flow_container(pod), pod, target, asked, bundle)
    return job


def content_of(asked: RunRequest) -> bytes | None:
    """The request where it is too large for a variable and needs a ConfigMap; null where it is not."""
    data = contract.to_bytes(asked)
    return data if len(data) > LARGEST_VARIABLE else None


def environment_of(job: Mapping[str, Any]) -> Environment:
    """The environment that a Job was rendered from."""
    return environment.read(_variable(job, ENVIRONMENT_VARIABLE) or "", warn=_ignore)


def request_of(job: Mapping[str, Any]) -> RunRequest | None:
    """The request that a Job was rendered from; null where it stands in a ConfigMap."""
    text = _variable(job, REQUEST_VARIABLE)
    return None if text is None else request.read(text, warn=_ignore)


def request_map_of(job: Mapping[str, Any]) -> str | None:
    """Name of the ConfigMap that holds the request of a Job; null where the Job itself does."""
    volumes = job["spec"]["template"]["spec"].get("volumes", [])
    return next((item["configMap"]["name"] for item in volumes if item["name"] == "penstock-request"), None)


def bundle_of(job: Mapping[str, Any]) -> bytes | None:
    """The code in a Job; null where it has none, or a ConfigMap holds it."""
    text = _variable(job, BUNDLE_VARIABLE)
    return None if text is None else b64decode(text)


def flow_container(pod: Mapping[str, Any]) -> Object:
    """The container that the flow runs in, of a pod's spec."""
    found: Object = next(item for item in pod["containers"] if item["name"] == FLOW_CONTAINER)
    return found


def _fill(container: Object, pod: Object, target: Environment, asked: RunRequest, bundle: bytes | None) -> None:
    container["image"] = asked.image or target.image
    for item in (*pod["containers"], *pod.get("initContainers", ())):
        item.setdefault("image", container["image"])  # containers of ours beside the flow's
    container.setdefault("command", list(COMMAND))
    written = _without(container.get("resources", {}), asked.size)
    container["resources"] = _resources(sized(target.resources, asked.size), written)
    document = _value(contract.to_bytes(target))
    if len(document) > LARGEST_VARIABLE:
        raise UsageError(
            f"The document of environment {target.name} is {len(document):,} bytes, expected at most "
            f"{LARGEST_VARIABLE:,}. Shorten its job_spec or metadata."
        )
    request_text = contract.to_bytes(asked)
    inline = content_of(asked) is None
    secrets = [
        {"name": item.env, "valueFrom": {"secretKeyRef": {"name": item.id, "key": item.key}}} for item in target.secrets
    ]
    own = [{"name": ENVIRONMENT_VARIABLE, "value": document}]
    own += [{"name": BUNDLE_VARIABLE, "value": b64encode(bundle).decode()}] if bundle is not None else []
    own += [{"name": REQUEST_VARIABLE, "value": _value(request_text)}] if inline else []
    plain = [{"name": name, "value": value} for name, value in sorted(target.env.items())]
    container["env"] = names.merged(container.get("env", []), plain, secrets, own)
    containers = len(pod["containers"]) + len(pod.get("initContainers", []))
    where = f"env:{REQUEST_VARIABLE}" if inline else f"{REQUEST_FOLDER}/{REQUEST_FILE}"
    outcome = container.get("terminationMessagePath", TERMINATION_LOG)
    container["args"] = [
        *("--environment", f"env:{ENVIRONMENT_VARIABLE}"),
        *("--request", where),
        *("--outcome", outcome),
        *("--outcome-limit", str(min(TERMINATION_LIMIT, TERMINATION_LIMIT_OF_POD // containers))),
        *("--trailer", "yes"),
        *("--artifacts", "auto"),
    ]
    if not inline:
        digest = hashlib.sha256(request_text).hexdigest()
        _mount(container, pod, "penstock-request", REQUEST_FOLDER, names.content_name("request", digest))
    if bundle is not None:
        container["args"] += ["--bundle", f"env:{BUNDLE_VARIABLE}"]
    elif asked.bundle is not None:
        container["args"] += ["--bundle", f"{BUNDLE_FOLDER}/{BUNDLE_FILE}"]
        _mount(container, pod, "penstock-bundle", BUNDLE_FOLDER, names.content_name("bundle", asked.bundle.sha256))


def _mount(container: Object, pod: Object, volume: str, folder: str, config_map: str) -> None:
    pod["volumes"] = names.merged(pod.get("volumes", []), [{"name": volume, "configMap": {"name": config_map}}])
    mount = {"name": volume, "mountPath": folder, "readOnly": True}
    container["volumeMounts"] = [*container.get("volumeMounts", []), mount]


def _without(own: Mapping[str, Any], size: Size | None) -> Object:
    """What the template says of its own, without what the run asks for itself."""
    given = {} if size is None else {"cpu": size.cpu_millicores, "memory": size.memory_mib}
    asked = {name for name, value in given.items() if value is not None}
    parts = {name: dict(own.get(name) or {}) for name in ("requests", "limits")}
    return {**own, **{name: {key: part[key] for key in part if key not in asked} for name, part in parts.items()}}


def _resources(asked: Resources | None, own: Mapping[str, Any]) -> Object:
    """What the container asks for and is limited to; what the template says of its own is the template's alone."""
    assert asked is not None  # noqa: S101 the contract demands resources of container environments
    requests = {"cpu": f"{asked.cpu_millicores}m", "memory": f"{asked.memory_mib}Mi"}
    limits = {"memory": f"{asked.memory_limit_mib or asked.memory_mib}Mi"}
    if asked.cpu_limit_millicores is not None:
        limits["cpu"] = f"{asked.cpu_limit_millicores}m"
    if asked.gpu:
        requests[asked.gpu_resource] = limits[asked.gpu_resource] = str(asked.gpu)
    own_requests, own_limits = dict(own.get("requests") or {}), dict(own.get("limits") or {})
    # Memory without a limit is the machine's. For the rest, a default beside what is written could contradict it.
    if "memory" in own_requests:
        own_limits.setdefault("memory", own_requests["memory"])
    named = {*own_requests, *own_limits}
    return {
        **own,
        "requests": {name: value for name, value in requests.items() if name not in named} | own_requests,
        "limits": {name: value for name, value in limits.items() if name not in named} | own_limits,
    }


def _set_deadlines(spec: Object, pod: Object, target: Environment, asked: RunRequest) -> None:
    """End what the runner cannot end itself: a runner that hangs, and a run that nobody follows."""
    timeouts = target.timeouts
    run = asked.run_seconds or timeouts.run_seconds
    if run is None:
        return
    grace = pod["terminationGracePeriodSeconds"]
    pod.setdefault("activeDeadlineSeconds", math.ceil((timeouts.start_seconds or START_MARGIN_SECONDS) + run + grace))
    if timeouts.queue_seconds is not None:
        each = pod["activeDeadlineSeconds"] + grace
        spec.setdefault(
            "activeDeadlineSeconds", math.ceil(timeouts.queue_seconds) + each * (1 + spec.get("backoffLimit", 0))
        )


def _value(document: bytes) -> str:
    """A document as the value of a variable, in which Kubernetes replaces every $(NAME)."""
    # In JSON a dollar sign only stands in strings.
    return document.decode().replace("$", "\\u0024")


def _variable(job: Mapping[str, Any], name: str) -> str | None:
    env = flow_container(job["spec"]["template"]["spec"]).get("env", [])
    return next((item["value"] for item in env if item["name"] == name), None)


def _mapping(parent: Object, key: str) -> Object:
    """The object at a key, made where there is none."""
    if not parent.get(key):
        parent[key] = {}
    found: Object = parent[key]
    return found


def _ignore(_: str) -> None:
    """Unknown keys: what wrote the Job may be newer."""
