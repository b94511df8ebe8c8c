"""What the health daemon of a node says of every node that it probes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from playbooks.model.cilium.status_response import real_time


def time_of(text: str) -> datetime | None:
    """A time that may be empty, zero or unreadable: then it is unknown."""
    try:
        return real_time(datetime.fromisoformat(text))
    except ValueError:
        return None


class Probe(msgspec.Struct, frozen=True):
    """One protocol towards one address."""

    status: str = ""
    """Why it failed; empty when it did not."""
    last_probed: str = msgspec.field(default="", name="lastProbed")
    """When it was last tried; empty when never, or before 1.18."""

    @property
    def time(self) -> datetime | None:
        """When it was last tried, if that is told."""
        return time_of(self.last_probed)


class Address(msgspec.Struct, frozen=True):
    """One probed address."""

    ip: str = ""
    icmp: Probe | None = None
    http: Probe | None = None

    @property
    def failures(self) -> tuple[tuple[str, Probe], ...]:
        """The protocols that failed."""
        tried = (("ICMP", self.icmp), ("HTTP", self.http))
        return tuple((name, probe) for name, probe in tried if probe and probe.status)

    @property
    def is_failing(self) -> bool:
        """Whether a protocol failed."""
        return bool((self.icmp and self.icmp.status) or (self.http and self.http.status))

    @property
    def is_silent(self) -> bool:
        """Whether both protocols were tried and both failed."""
        return len(self.failures) == 2


class Target(msgspec.Struct, frozen=True, rename="kebab"):
    """A node's own address, or its health endpoint's."""

    primary_address: Address | None = None


class Peer(msgspec.Struct, frozen=True, rename="kebab"):
    """What the agent finds when it probes one node; the node itself is among them."""

    name: str = ""
    """`cluster/node`."""
    host: Target | None = None
    health_endpoint: Target | None = None

    @property
    def cluster(self) -> str:
        """The cluster that the node belongs to; empty when the name does not tell."""
        return self.name.rpartition("/")[0]

    @property
    def node(self) -> str:
        """The node's name."""
        return self.name.rpartition("/")[2]

    @property
    def is_failing(self) -> bool:
        """Whether any probe of the node failed."""
        host, endpoint = self.host_address, self.endpoint_address
        return bool((host and host.is_failing) or (endpoint and endpoint.is_failing))

    @property
    def host_address(self) -> Address | None:
        """How the node's own address answered."""
        return self.host.primary_address if self.host else None

    @property
    def endpoint_address(self) -> Address | None:
        """How the health endpoint on the node answered: this takes the way of pod traffic."""
        return self.health_endpoint.primary_address if self.health_endpoint else None


class Local(msgspec.Struct, frozen=True):
    """Who probed."""

    name: str = ""


class HealthResponse(msgspec.Struct, frozen=True):
    """The answer of the health daemon."""

    local: Local = Local()
    nodes: tuple[Peer, ...] = ()
    """Empty before the first round of probes."""
    timestamp: str = ""
    interval: str = msgspec.field(default="", name="probeInterval")
