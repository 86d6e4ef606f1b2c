"""The Job that every run of an environment is made from.

Guarantees: equal arguments give equal bytes, and what the user gave is never changed.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from components import pod
from components.failure_policy import job_failure_policy
from components.job_spec import ARGUMENT
from components.labels import run_labels
from components.manifest import mapping
from runner.contract import broken_rule, decode, describe
from runner.environment import FailurePolicy

QUEUE = "kueue.x-k8s.io/queue-name"
"""Label by which Kueue finds the queue of a Job."""


def job_template(
    environment: str,
    namespace: str,
    *,
    service_account: str,
    job_spec: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    queue_name: str | None = None,
    failure_policy: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    registry_secret: str | None = None,
    image_pull_secrets: Sequence[str] = (),
    **options: Any,
) -> dict[str, Any]:
    """The Job: complete but for what is a run's own, such as its name, image, arguments and variables.

    Args:
        environment: the environment's name.
        namespace: where Jobs are created.
        service_account: the account of runs of which nothing else says another.
        job_spec: what `job_spec.read` gives.
        labels: the user's labels of the Job and its pod.
        queue_name: name of a Kueue queue.
        failure_policy: a `FailurePolicyOptions`.
        resources: a `ResourceOptions`.
        registry_secret: name of the Secret made from `registry_credentials`.
        image_pull_secrets: names of the user's Secrets with registry credentials.
        options: those of `pod.complete`.

    Raises:
        ContractError: an argument contradicts job_spec or is wrong in itself.
    """
    job = copy.deepcopy(dict(job_spec or {"apiVersion": "batch/v1", "kind": "Job"}))
    metadata = mapping(job, "metadata", ARGUMENT)
    if metadata.pop("namespace", namespace) != namespace:
        raise broken_rule(f"{ARGUMENT}.metadata.namespace", "another than the environment's", f'none or "{namespace}"')
    # A run's name says which run it is.
    for key in ("name", "generateName"):
        metadata.pop(key, None)
    job.pop("status", None)
    spec = mapping(job, "spec", ARGUMENT)
    template = mapping(spec, "template", f"{ARGUMENT}.spec")
    own = run_labels(environment, labels)
    users = {key: own[key] for key in labels or {}}
    pod.RUN.put_each(metadata, "labels", users, "labels", f"{ARGUMENT}.metadata")
    pod.RUN.put(metadata["labels"], QUEUE, queue_name, "queue_name")
    pulled = [*([registry_secret] if registry_secret else []), *image_pull_secrets]
    pod.complete(
        template, pod.RUN, service_account=service_account, pod_labels=users, image_pull_secrets=pulled, **options
    )
    for place in (metadata, template["metadata"]):
        place["labels"].update(own)
    _fill_failure_policy(spec, failure_policy)
    # Otherwise a run that is being deleted and its replacement would run at the same time.
    spec.setdefault("podReplacementPolicy", "Failed")
    flow = pod.RUN.container_of(template["spec"])
    flow.pop("image", None)
    if resources and flow.get("resources"):
        raise broken_rule(
            "resources", "given", f"one of both: the flow's container in {ARGUMENT} has resources of its own"
        )
    return job


def image(*, image: str | None = None, job_spec: Mapping[str, Any] | None = None) -> str | None:
    """The image of runs: the argument's, or that of the flow's container in job_spec.

    Raises:
        ContractError: they are two different ones.
    """
    flow = pod.RUN.container_of(copy.deepcopy(dict(job_spec or {})).get("spec", {}).get("template", {}).get("spec", {}))
    written = flow.get("image")
    if image is not None and written is not None and image != written:
        raise broken_rule("image", describe(image), f"{describe(written)}, which {ARGUMENT} names, or only one of both")
    return image if written is None else written


def secret_references(secrets: Sequence[Mapping[str, str]] = ()) -> list[dict[str, str]]:
    """The document's `secrets` from a list of `SecretOptions`."""
    return [
        {"env": item["env"], "source": "kubernetes-secret", "id": item["secret"], "key": item["key"]}
        for item in secrets
    ]


def _fill_failure_policy(spec: dict[str, Any], failure_policy: Mapping[str, Any] | None) -> None:
    """Says which failures start a run again, unless the user's Job says it."""
    written = [key for key in ("backoffLimit", "podFailurePolicy") if key in spec]
    if failure_policy and written:
        raise broken_rule("failure_policy", "given", f"one of both: {ARGUMENT} has a {written[0]} of its own")
    policy = decode(FailurePolicy, failure_policy or {}, subject="", path="failure_policy", warn=lambda _: None)
    filled = job_failure_policy(policy)
    if written:
        # Kubernetes' own default starts a failed pod again six times, the flow's failures included.
        spec.setdefault("backoffLimit", filled["backoffLimit"])
    else:
        spec.update(filled)
