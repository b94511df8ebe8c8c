"""Clients of services whose packets were dropped of late: the harm that an empty or closed service did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network

from playbooks.model.cilium.agent.recent_flows import RecentFlow, RefusedFlows, attempts
from playbooks.model.fact import Fleet
from playbooks.model.finding import Evidence

_LATELY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Drops:
    """Drops of one kind towards some addresses."""

    items: tuple[tuple[RefusedFlows, RecentFlow], ...]
    """Each with the answer that tells of it."""

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.items)

    @property
    def flows(self) -> tuple[RecentFlow, ...]:
        """Only the flows."""
        return tuple(flow for _, flow in self.items)

    @property
    def attempts(self) -> int:
        """How many connections they are of."""
        return attempts(self.flows)

    @property
    def clients(self) -> tuple[str, ...]:
        """Who was refused, as far as Hubble names them."""
        return tuple(sorted({flow.source.workload for flow in self.flows}))

    def lately(self) -> Drops:
        """Those of the last minutes: older ones may be from before the service was as it is now."""
        return Drops(
            tuple(
                (fact, flow)
                for fact, flow in self.items
                if not (flow.time and fact.taken_at - flow.time > _LATELY)
            )
        )

    def evidence(self, what: str) -> tuple[Evidence, ...]:
        """The last drop as evidence; nothing where there is none."""
        if not self.items:
            return ()
        fact, flow = self.items[-1]
        ends = f"{flow.addresses.source}:{flow.source_port} -> {flow.addresses.destination}:{flow.port}"
        return (fact.evidence(f"{ends} {flow.protocol} DROPPED {what} ({flow.drop_reason})"),)


def drops_to(
    fleet: Fleet[RefusedFlows], reason: int, addresses: Iterable[str], ports: Iterable[int] = ()
) -> Drops:
    """Drops with this reason, towards one of these addresses and ports; any port where none is given."""
    wanted, numbers = set(addresses), set(ports)
    found = [
        (fact, flow)
        for _, fact in fleet
        for flow in fact.items
        if flow.drop_reason == reason
        and flow.addresses.destination in wanted
        and (not numbers or flow.port in numbers)
    ]
    return Drops(tuple(sorted(found, key=lambda one: str(one[1].time))))


def is_in_any(address: str, ranges: Iterable[str]) -> bool:
    """Whether an address is in one of some ranges; what is no address and no range is in none."""
    try:
        ip = ip_address(address)
        return any(ip in ip_network(prefix.strip(), strict=False) for prefix in ranges)
    except ValueError:
        return False
