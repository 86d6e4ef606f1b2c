"""The pod that every Dask worker of an environment's runs is made from.

Guarantees: equal arguments give equal bytes, and what the user gave is never changed.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from components import container_resources, pod
from components.labels import WORKER, run_labels
from components.manifest import mapping
from components.worker_spec import ARGUMENT, POD_PLACE
from runner.contract import broken_rule, decode, describe
from runner.sections import WORKER_CONTAINER, Resources

TEMPLATE = pod.Template(argument=ARGUMENT, place=ARGUMENT, container=WORKER_CONTAINER, scheduling="worker_")

GRACE_SECONDS = 30
"""Time to hand its results to other workers, once it is asked to stop: Kubernetes' own default."""


def worker_template(
    environment: str,
    namespace: str,
    *,
    service_account: str,
    defaults: Mapping[str, int],
    worker_spec: Mapping[str, Any] | None = None,
    worker_resources: Mapping[str, Any] | None = None,
    worker_priority_class_name: str | None = None,
    worker_node_selector: Mapping[str, str] | None = None,
    worker_tolerations: Sequence[Mapping[str, Any]] = (),
    worker_affinity: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    registry_secret: str | None = None,
    image_pull_secrets: Sequence[str] = (),
    **options: Any,
) -> dict[str, Any]:
    """The pod: complete but for what is a worker's own, such as its name, arguments and variables, and a run's image.

    Args:
        environment: the environment's name.
        namespace: where the pods are created.
        service_account: the account of workers of which nothing else says another.
        defaults: a `ResourceOptions` of what a worker asks for unless told otherwise.
        worker_spec: what `worker_spec.read` gives.
        worker_resources: a `ResourceOptions`.
        worker_priority_class_name: as the arguments of `DaskKubernetesEnvironment`, like all others.
        worker_node_selector: labels that the node must have.
        worker_tolerations: taints of nodes that the pod may ignore.
        worker_affinity: rules about nodes and other pods.
        labels: the user's labels of the pod.
        registry_secret: name of the Secret made from `registry_credentials`.
        image_pull_secrets: names of the user's Secrets with registry credentials.
        options: others of `pod.complete`.

    Raises:
        ContractError: an argument contradicts worker_spec or is wrong in itself.
    """
    written = copy.deepcopy(dict(worker_spec or {"apiVersion": "v1", "kind": "Pod"}))
    metadata = mapping(written, "metadata", ARGUMENT)
    if metadata.pop("namespace", namespace) != namespace:
        raise broken_rule(f"{ARGUMENT}.metadata.namespace", "another than the environment's", f'none or "{namespace}"')
    # A worker's name says which worker of which run it is.
    for key in ("name", "generateName"):
        metadata.pop(key, None)
    written.pop("status", None)
    own = run_labels(environment, labels, component=WORKER)
    pod.complete(
        written,
        TEMPLATE,
        service_account=service_account,
        pod_labels={key: own[key] for key in labels or {}},
        image_pull_secrets=[*([registry_secret] if registry_secret else []), *image_pull_secrets],
        priority_class_name=worker_priority_class_name,
        node_selector=worker_node_selector,
        tolerations=worker_tolerations,
        affinity=worker_affinity,
        **options,
    )
    metadata["labels"].update(own)
    spec = written["spec"]
    if spec["automountServiceAccountToken"] is not False:
        expected = "false: workers have no business with the cluster's API"
        found = describe(spec["automountServiceAccountToken"])
        raise broken_rule(f"{POD_PLACE}.automountServiceAccountToken", found, expected)
    spec.setdefault("terminationGracePeriodSeconds", GRACE_SECONDS)
    _fill_resources(spec, defaults, worker_resources)
    return written


def resources_of(worker: Mapping[str, Any], worker_resources: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the document says that a worker asks for, and at most gets: what its pod says, whoever wrote it.

    Args:
        worker: what `worker_template` gives.
        worker_resources: a `ResourceOptions`, for its name of GPUs.

    Raises:
        ContractError: the user's own pod has a quantity that is none.
    """
    container, place = _container(copy.deepcopy(worker["spec"]))
    gpu_resource = (worker_resources or {}).get("gpu_resource", Resources.gpu_resource)
    return container_resources.asked_by(container, gpu_resource, place)


def _fill_resources(
    spec: dict[str, Any], defaults: Mapping[str, int], worker_resources: Mapping[str, Any] | None
) -> None:
    container, place = _container(spec)
    if worker_resources and container.get("resources"):
        expected = f"one of both: the worker's container in {ARGUMENT} has resources of its own"
        raise broken_rule("worker_resources", "given", expected)
    given = {**defaults, **(worker_resources or {})}
    resources = decode(Resources, given, subject="", path="worker_resources", warn=lambda _: None)
    container_resources.complete(container, resources, place)


def _container(spec: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The worker's container, and where it stands."""
    container = TEMPLATE.container_of(spec)
    return container, f"{POD_PLACE}.containers[{spec['containers'].index(container)}]"
