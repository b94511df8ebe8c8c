"""Events of a stream as they are kept hot: a flow in few words, and the rarer ones beside it."""

from __future__ import annotations

import msgspec

from playbooks.model.hubble.seen.parts import Addresses, Correlated, Endpoint, Layer4, Layer7

Names = tuple[tuple[str, ...], tuple[str, ...]]
"""DNS names of source and destination."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A flow as it is kept hot: what lists, filters and counters need; the rest is in its raw message.

    Numbers of enumerations are kept as they came, also those unknown here. Strings are as the cluster gave
    them: hostile until shown. gc=False holds because nothing in it can refer back to it.
    """

    time: int
    """Nanoseconds since 1970, UTC, by the clock of the node; 0 when not told."""
    node: str
    """The node that saw it, `cluster/node` since 1.16."""
    verdict: int
    """`flow.Verdict`."""
    drop_reason: int
    """`flow.DropReason`, or the older number of the same meaning; 0 when not told."""
    ip: Addresses
    """The IP header."""
    l4: Layer4
    """Ports, flags, message types."""
    source: Endpoint
    """Who sent it."""
    destination: Endpoint
    """To whom."""
    l7: Layer7 | None
    """What a proxy understood; None for packets."""
    event_type: int
    """Kind of the monitor's event: 1 drop, 4 trace, 5 policy verdict, 129 L7 …"""
    sub_type: int
    """What it means depends on the kind: drop reason, observation point …"""
    direction: int
    """`flow.TrafficDirection`: 1 ingress, 2 egress, 0 not known."""
    is_reply: bool | None
    """Whether it answers; None when the datapath cannot tell."""
    observation_point: int
    """`flow.TraceObservationPoint`."""
    policy_match_type: int
    """How a policy matched, in policy verdicts: 1 L3 only, 2 L3 and L4, 3 L4 only, 4 all …"""
    source_service: str
    """`namespace/name` of the service; empty when not known."""
    destination_service: str
    """`namespace/name` of the service; empty when not known."""
    uuid: str
    """Of this event; empty before Hubble gave them."""
    names: Names | None
    """DNS names of source and destination; None for none."""
    policies: Correlated | None
    """The policies that Hubble names, which it does for verdicts and not for traces; None for none."""
    auth_type: int
    """`flow.AuthType` in policy verdicts."""
    is_late: bool = False
    """Whether it came after younger ones had been shown."""

    @property
    def source_names(self) -> tuple[str, ...]:
        """DNS names of the source."""
        return self.names[0] if self.names else ()

    @property
    def destination_names(self) -> tuple[str, ...]:
        """DNS names of the destination."""
        return self.names[1] if self.names else ()


class Lost(msgspec.Struct, frozen=True, gc=False):
    """Events that were lost before Hubble could tell them."""

    time: int
    """Nanoseconds since 1970, UTC; 0 when not told."""
    node: str
    """Where they were lost."""
    source: int
    """`flow.LostEventSource`: in which buffer."""
    count: int
    """How many."""
    cpu: int | None
    """On which CPU, where told."""
    first: int
    """Nanoseconds since 1970 of the first one (since 1.19); 0 when not told."""
    last: int
    """Nanoseconds since 1970 of the last one (since 1.19); 0 when not told."""


class NodeStatus(msgspec.Struct, frozen=True, gc=False):
    """What Relay says of the nodes behind it."""

    time: int
    """Nanoseconds since 1970, UTC; 0 when not told."""
    node: str
    """Who says so."""
    state: int
    """`relay.NodeState`: 1 connected, 2 unavailable, 3 gone, 4 error."""
    nodes: tuple[str, ...]
    """Of which nodes."""
    message: str
    """Why."""


class Other(msgspec.Struct, frozen=True, gc=False):
    """An event that is no flow, or none that could be read; its raw message has the rest."""

    time: int
    """Nanoseconds since 1970, UTC; 0 when not told."""
    node: str
    """Who told it."""
    kind: str
    """`agent event`, `debug event`, `event field 7` (unknown here), `empty`, `large`, `damaged`."""
    detail: str
    """One sentence of ours; empty for kinds that need none."""
    size: int
    """Bytes of the message."""


Event = Seen | Lost | NodeStatus | Other
"""Anything that a stream tells."""
