"""The Kubernetes test cluster of this checkout: one node, real Kubernetes, made and removed in seconds.

`python3 -m tools.cluster up`, `down`, `load ARCHIVE.tar ...` and `status`; tests use `current()`.

Where a Docker engine and kind are there it is kind's. Elsewhere, on Linux as root, the components of Kubernetes run as
plain processes in namespaces of their own: of processes, mounts and the network. The network namespace has no way out,
and the machine's interfaces, firewall and mounts stay as they are. Clients on the machine reach the API server at a
loopback address. No DNS runs in the cluster, and network policies are not enforced.
"""

from __future__ import annotations

from tools.cluster.cluster import Cluster
from tools.cluster.kind import KindCluster
from tools.cluster.node import Node
from tools.paths import PRIVATE

__all__ = ["Cluster", "current"]


def current() -> Cluster:
    """Returns the cluster of this checkout, which `up` makes when it is not there."""
    state = PRIVATE / "cluster"
    return KindCluster(state=state) if KindCluster.is_usable() else Node(state=state)
