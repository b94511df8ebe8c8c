"""All aggregators over one stream, each batch looked at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from playbooks.model.hubble.aggregation.dns import NameLookups
from playbooks.model.hubble.aggregation.handshakes import Handshakes
from playbooks.model.hubble.aggregation.metrics import Metrics
from playbooks.model.hubble.aggregation.policies import ByPolicy
from playbooks.model.hubble.aggregation.requests import Requests
from playbooks.model.hubble.aggregation.traffic import Traffic
from playbooks.model.hubble.seen import Event, Lost, Other, Seen


class Losses:
    """What is missing from the stream: every count beside it is too low by as much."""

    def __init__(self) -> None:
        """Nothing is missing."""
        self.lost: Counter[tuple[str, int]] = Counter()
        """Events lost before Hubble could tell them, by node and `flow.LostEventSource`."""
        self.unread: Counter[str] = Counter()
        """Messages that are in no count, by kind: `damaged`, `large`, `empty`, unknown ones …"""
        self.late = 0
        """Flows that came after their place in time."""

    def add(self, events: Sequence[Event]) -> None:
        """Count what of a batch is no flow."""
        for event in events:
            if isinstance(event, Lost):
                self.lost[event.node, event.source] += event.count
            elif isinstance(event, Other):
                self.unread[event.kind] += 1


class Totals:
    """Counts everything that a stream tells."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self.traffic = Traffic()
        """By workload, port, verdict, drop reason; edges."""
        self.policies = ByPolicy()
        """By policy."""
        self.requests = Requests()
        """HTTP, gRPC, Kafka."""
        self.dns = NameLookups()
        """DNS."""
        self.handshakes = Handshakes()
        """SYN to SYN-ACK."""
        self.metrics = Metrics()
        """Hubble's own metrics."""
        self.losses = Losses()
        """What is in no count."""

    def add(self, events: Sequence[Event], now: int = 0) -> None:
        """Count a batch that arrived now, in nanoseconds since 1970 (0: not live, and without rates)."""
        flows = [event for event in events if type(event) is Seen]
        if len(flows) < len(events):
            self.losses.add(events)
        if not flows:
            return
        self.losses.late += sum(1 for flow in flows if flow.is_late)
        self.traffic.add(flows, now)
        self.metrics.add(flows)
        # Few have what these look for: each is looked at for it once.
        self.policies.add([flow for flow in flows if flow.policies is not None], now)
        self.handshakes.add([flow for flow in flows if flow.l4.flags & 2])
        if understood := [flow for flow in flows if flow.l7 is not None]:
            self.requests.add(understood)
            self.dns.add(understood)
