"""Tells whether the kernel killed something in this process's memory cgroup."""

from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")


def oom_kills() -> int:
    """Number of processes of this cgroup that the kernel has killed for memory; 0 where nothing says so.

    Source: the `oom_kill` counter of cgroup v2's memory.events and of cgroup v1's memory.oom_control
    (kernel documentation, admin-guide/cgroup-v2 and cgroup-v1/memory).
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            counters = CGROUP_ROOT / path.lstrip("/") / "memory.events"
        elif "memory" in controllers.split(","):
            counters = CGROUP_ROOT / "memory" / path.lstrip("/") / "memory.oom_control"
        else:
            continue
        # A container often sees its own cgroup as the root, under a path that only the host has.
        for place in (counters, counters.parents[path.rstrip("/").count("/")] / counters.name):
            count = _oom_kill(place)
            if count is not None:
                return count
    return 0


def _oom_kill(counters: Path) -> int | None:
    try:
        for line in counters.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    except OSError:
        pass
    return None
