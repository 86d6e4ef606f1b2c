"""What in the spec of a pod lets it do more than its own work: https://kubernetes.io/docs/concepts/security/pod-security-standards/."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.review.finding import Weight
from stacks.review.findings.kubernetes import texts, word
from stacks.review.values import Value, at, items, mapping

NODE_CAPABILITIES = {
    *("ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_PTRACE", "SYS_BOOT"),
    *("DAC_READ_SEARCH", "BPF", "PERFMON", "NET_ADMIN", "MAC_ADMIN"),
}
"""Those with which a container gets at its node or at other containers: https://man7.org/linux/man-pages/man7/capabilities.7.html."""
HARMLESS = "NET_BIND_SERVICE"
"""The one that the level `restricted` allows."""
LOST: Mapping[str, str] = {
    "allowPrivilegeEscalation": "could get more rights by setuid",
    "capabilities.drop": "could use the capabilities that containers have by default",
    "runAsNonRoot": "could run as root, if their image says so",
    "readOnlyRootFilesystem": "could change files of their image",
    "seccompProfile.type": "could use every call of the node's kernel",
}
"""Fields of a container's security context, and what pods could do without them."""
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, kw_only=True)
class Hazard:
    """Something that a pod may do."""

    key: str
    """What tells it from others of the same pod, over a change."""
    weight: Weight
    could: str
    """What pods could do, as the rest of a sentence, with a place for each name."""
    names: tuple[str, ...] = ()
    field: str
    """Path in the spec."""
    value: Value


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Something that keeps a pod from more."""

    on: bool
    lost: str
    """What pods could do without it."""
    field: str
    """Path in the spec, which tells it from others."""
    value: Value


def hazards(spec: Mapping[str, Any]) -> Iterator[Hazard]:
    """What a pod may do beyond its own work."""
    for field, what in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "shared memory")):
        if spec.get(field) is True:
            could = f"could use the {what} of their node"
            yield Hazard(key=field, weight=Weight.DANGER, could=could, field=field, value=True)
    yield from _host_paths(spec)
    yield from _user("", mapping(spec.get("securityContext")))
    yield from _profiles("", mapping(spec.get("securityContext")))
    for path, container in containers(spec):
        yield from _of_container(path, container)


def guards(spec: Mapping[str, Any]) -> Iterator[Guard]:
    """What keeps a pod from more, and whether it is there."""
    pod = mapping(spec.get("securityContext"))
    for path, container in containers(spec):
        own = mapping(container.get("securityContext"))
        values = {field: at(own, *field.split(".")) for field in LOST}
        for field in ("runAsNonRoot", "seccompProfile.type"):  # those that a pod's containers take from it
            if values[field] is None:
                values[field] = at(pod, *field.split("."))
        on = {
            "allowPrivilegeEscalation": values["allowPrivilegeEscalation"] is False,
            "capabilities.drop": "ALL" in [name.upper() for name in texts(values["capabilities.drop"])],
            "seccompProfile.type": bool(values["seccompProfile.type"]),
        }
        for field, value in values.items():
            place = f"{path}.securityContext.{field}"
            yield Guard(on=on.get(field, value is True), lost=LOST[field], field=place, value=value)


def containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The containers of a pod and their paths."""
    for key in CONTAINERS:
        for container in map(mapping, items(spec.get(key))):
            yield f"{key}[{word(container.get('name'))}]", container


def _of_container(path: str, container: Mapping[str, Any]) -> Iterator[Hazard]:
    own = mapping(container.get("securityContext"))
    place = f"{path}.securityContext"
    if own.get("privileged") is True:
        could = "could do everything on their node: they are privileged"
        field = f"{place}.privileged"
        yield Hazard(key=field, weight=Weight.DANGER, could=could, field=field, value=True)
    if own.get("allowPrivilegeEscalation") is True:
        field = f"{place}.allowPrivilegeEscalation"
        yield Hazard(key=field, weight=Weight.WARNING, could="could get more rights by setuid", field=field, value=True)
    for name in texts(at(own, "capabilities", "add")):
        short = name.upper().removeprefix("CAP_")
        if short != HARMLESS:
            yield Hazard(
                key=f"{place}.capabilities.{short}",
                weight=Weight.DANGER if short in NODE_CAPABILITIES else Weight.WARNING,
                could="could use the capability {} of the kernel",
                names=(short,),
                field=f"{place}.capabilities.add",
                value=name,
            )
    if own.get("procMount") == "Unmasked":
        could = "could see and change all of /proc"
        field = f"{place}.procMount"
        yield Hazard(key=field, weight=Weight.DANGER, could=could, field=field, value="Unmasked")
    for port in map(mapping, items(container.get("ports"))):
        if port.get("hostPort"):
            number = word(port["hostPort"])
            yield Hazard(
                key=f"{path}.hostPort.{number}",
                weight=Weight.WARNING,
                could="could be reached at port {} of their node",
                names=(number,),
                field=f"{path}.ports",
                value=number,
            )
    yield from _user(path, own)
    yield from _profiles(path, own)


def _user(path: str, own: Mapping[str, Any]) -> Iterator[Hazard]:
    place = f"{path}.securityContext" if path else "securityContext"
    user = own.get("runAsUser")
    if user in (0, "0") and not isinstance(user, bool):
        field = f"{place}.runAsUser"
        yield Hazard(key=field, weight=Weight.WARNING, could="run as root", field=field, value=0)
    elif own.get("runAsNonRoot") is False:
        field = f"{place}.runAsNonRoot"
        could = "could run as root, if their image says so"
        yield Hazard(key=field, weight=Weight.WARNING, could=could, field=field, value=False)
    if at(own, "windowsOptions", "hostProcess") is True:
        field = f"{place}.windowsOptions.hostProcess"
        yield Hazard(key=field, weight=Weight.DANGER, could="are processes of their node", field=field, value=True)


def _profiles(path: str, own: Mapping[str, Any]) -> Iterator[Hazard]:
    place = f"{path}.securityContext" if path else "securityContext"
    for kind, could in (
        ("seccompProfile", "could use every call of the node's kernel"),
        ("appArmorProfile", "are not confined by AppArmor"),
    ):
        if at(own, kind, "type") == "Unconfined":
            field = f"{place}.{kind}.type"
            yield Hazard(key=field, weight=Weight.WARNING, could=could, field=field, value="Unconfined")


def _host_paths(spec: Mapping[str, Any]) -> Iterator[Hazard]:
    for volume in map(mapping, items(spec.get("volumes"))):
        if not volume.get("hostPath"):
            continue
        name, path = word(volume.get("name")), word(at(volume, "hostPath", "path"))
        mounts = [
            mount
            for _, container in containers(spec)
            for mount in map(mapping, items(container.get("volumeMounts")))
            if mount.get("name") == volume.get("name")
        ]
        read_only = bool(mounts) and all(mount.get("readOnly") is True for mount in mounts)
        yield Hazard(
            key=f"hostPath.{path}.{read_only}",
            weight=Weight.WARNING if read_only else Weight.DANGER,
            could=f"could read {'' if read_only else 'and change '}the folder {{}} of their node",
            names=(path,),
            field=f"volumes[{name}].hostPath",
            value=path,
        )
