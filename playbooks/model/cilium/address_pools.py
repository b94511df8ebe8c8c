"""How many addresses a node has given out, of how many, and to whom, as its agent says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.status import AgentStatus

_POOL = re.compile(r"IPv([46]): (\d{1,40})/(\d{1,40}) allocated")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_RESTORED = " [restored]"


@dataclass(frozen=True, slots=True)
class AddressPool:
    """The addresses of one family on a node."""

    family: str
    """`IPv4` or `IPv6`."""
    used: int
    """Given out."""
    total: int
    """What there is."""

    @property
    def is_full(self) -> bool:
        """Whether none is left."""
        return self.used >= self.total

    @property
    def share(self) -> float:
        """How much of it is used, from 0 to 1."""
        return self.used / self.total if self.total else 1.0

    @property
    def said(self) -> str:
        """In words."""
        return f"{self.used} of {self.total} {self.family} addresses"


def pools_of(status: AgentStatus) -> Iterator[AddressPool]:
    """What the status tells; nothing in modes where the agent does not count."""
    ipam = status.response.ipam
    for family, used, total in _POOL.findall(ipam.status) if ipam else ():
        yield AddressPool(f"IPv{family}", int(used), int(total))


def fullest(status: AgentStatus | None) -> AddressPool | None:
    """The pool with the least left, if any is told."""
    return max(pools_of(status), key=lambda pool: pool.share, default=None) if status else None


def owners_of(status: AgentStatus) -> dict[str, tuple[str, str]]:
    """The pods (namespace and name) that addresses were given to; not the node's own ones."""
    ipam = status.response.ipam
    found = {}
    for address, owner in (ipam.allocations if ipam and ipam.allocations else {}).items():
        namespace, slash, name = owner.removesuffix(_RESTORED).partition("/")
        # Other owners are the node itself, and interfaces and pools beside a pod's first.
        if slash and _NAME.fullmatch(namespace) and _NAME.fullmatch(name):
            found[address] = (namespace, name)
    return found
