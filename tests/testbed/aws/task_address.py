"""The address of a task: of its subnet, on its network interface, and claimed from others on this machine."""

import errno
import ipaddress
import itertools
import socket
from collections.abc import Iterator
from typing import Any

from moto.ec2 import ec2_backends

CLAIMED_PORT = 51678
"""A bound UDP port claims a loopback address from other servers on this machine."""
RESERVED = 3
"""The first addresses of a subnet are AWS' own."""
_hosts: dict[str, Iterator[Any]] = {}
"""Addresses that come next, by subnet."""


class Address:
    """The network interface of a task, which moto puts at a random 10.x.y.z, moved into its subnet.

    Args:
        attachment: of the task; it is told the address.
        account: the account's id.
        region: the task's region.
    """

    def __init__(self, attachment: dict[str, Any], account: str, region: str) -> None:
        details = {item["name"]: item for item in attachment["details"]}
        self._attachment = attachment
        self._interfaces = ec2_backends[account][region].enis
        self._interface = self._interfaces[details["networkInterfaceId"]["value"]]
        self._claim: socket.socket | None = None
        self.subnet = self._interface.subnet
        self.text = self._free(self.subnet)
        details["privateIPv4Address"]["value"] = self._interface.private_ip_address = self.text
        self._interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": self.text}]

    def release(self) -> None:
        """Give the interface and the address back."""
        self._attachment["status"] = "DELETED"
        self._interfaces.pop(self._interface.id, None)
        if self._claim is not None:
            self._claim.close()

    def _free(self, subnet: Any) -> str:
        network = ipaddress.ip_network(subnet.cidr_block)
        hosts = _hosts.setdefault(subnet.id, itertools.islice(itertools.cycle(network.hosts()), RESERVED, None))
        for host in itertools.islice(hosts, network.num_addresses):
            claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                claim.bind((str(host), CLAIMED_PORT))
            except OSError as error:
                claim.close()
                if error.errno == errno.EADDRNOTAVAIL:  # no address of this machine: nothing to claim
                    return str(host)
                continue
            self._claim = claim
            return str(host)
        raise RuntimeError(f"All addresses of {subnet.cidr_block} are taken.")
