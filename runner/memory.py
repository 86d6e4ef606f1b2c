"""Tells whether the kernel killed something in this process's memory cgroup."""

CGROUP_ROOT = "/sys/fs/cgroup"
OWN_CGROUPS = "/proc/self/cgroup"


def oom_kills() -> int:
    """Number of processes of this cgroup that the kernel has killed for memory; 0 where nothing says so.

    Source: the `oom_kill` counter of cgroup v2's memory.events and of cgroup v1's memory.oom_control
    (kernel documentation, admin-guide/cgroup-v2 and cgroup-v1/memory).
    """
    for line in _lines(OWN_CGROUPS):
        _, controllers, path = line.rstrip("\n").split(":", 2)
        if not controllers:
            folder, file = CGROUP_ROOT, "memory.events"
        elif "memory" in controllers.split(","):
            folder, file = f"{CGROUP_ROOT}/memory", "memory.oom_control"
        else:
            continue
        # A container often sees its own cgroup as the root, under a path that only the host has.
        for place in (f"{folder}{path}/{file}", f"{folder}/{file}"):
            for counter in _lines(place):
                name, _, value = counter.partition(" ")
                if name == "oom_kill":
                    return int(value)
    return 0


def _lines(path: str) -> list[str]:
    try:
        with open(path) as file:  # noqa: PTH123 pathlib costs start-up time
            return file.readlines()
    except OSError:
        return []
