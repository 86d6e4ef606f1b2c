"""What findings about Kubernetes share: which object a change is about, where it is, and whose pods they are."""

from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, at, items, mapping
from stacks.review.workloads import document


def is_object(step: Step, group: str, *kinds: str) -> bool:
    """Whether the resource is an object of one of the kinds of an API group, of whichever version; `core` is one."""
    return step.type.startswith(f"kubernetes:{group}/") and step.kind in kinds


def side(step: Step) -> Properties:
    """The resource's inputs after the change, or before it when there are none then."""
    return mapping(step.old if step.new is None else step.new)


def object_name(step: Step) -> str:
    """Name of the object in the cluster; that in the program where the cluster is going to choose one."""
    name = at(side(step), "metadata", "name")
    return name if isinstance(name, str) and name else step.name


def namespace(step: Step) -> str:
    """Namespace of the object."""
    found = at(side(step), "metadata", "namespace")
    return word(found) if found else "default"


def is_another_object(step: Step) -> bool:
    """Whether a replacement makes an object of another name, or in another namespace."""
    old, new = (at(properties, "metadata") for properties in (step.old, step.new))
    both = step.old is not None and step.new is not None
    return both and any(at(old, key) != at(new, key) for key in ("name", "namespace"))


def word(value: object) -> str:
    """A value as it is named in a sentence."""
    if isinstance(value, Hidden):
        return value.value
    return "" if value is None else str(value)


def texts(value: object) -> list[str]:
    """The texts of a list, or the one that stands in the place of a list."""
    return [item for item in items(value) if isinstance(item, str)]


def whose_pods(step: Step, path: str = "") -> tuple[str, str]:
    """Words for the pods of a spec, with a place for a name, and that name: of an environment, or of the object.

    Args:
        step: the resource that the spec is in.
        path: where in it, as `workloads.pod_specs` tells.
    """
    found = document(step, step.new) or document(step, step.old)
    if found is None:
        return "pods of {}", object_name(step)
    workers = path.startswith(("dask_kubernetes.worker", "dask_cloud_provider.worker"))
    return ("Dask workers of {}" if workers else "runs of {}"), word(found.get("name"))
