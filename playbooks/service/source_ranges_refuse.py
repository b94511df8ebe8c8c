"""Clients of a service are refused by its source ranges."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.refused import Drops, drops_to, is_in_any

_NOT_IN_RANGE = 177


@fault(
    "SVC010",
    step="reach",
    cases=(Case("SV-04", proof="W", twin="the same service without loadBalancerSourceRanges"),),
)
def source_ranges_refuse(services: Services, nodes: Nodes, refused: Fleet[RefusedFlows]) -> Iterator[Finding]:
    """Clients of a service are refused by its source ranges.

    `loadBalancerSourceRanges` names who may use the addresses of a load balancer; every agent drops others
    with `Denied by LB src range check`. That is what the list is for. It goes wrong where something in
    front rewrites the client's address to a node's: then the list is held against the wrong address, and no
    client can ever be in it.
    """
    own = {a.address: node.name for node in nodes.items for a in node.status.addresses or ()}
    for service in services.items:
        ranges = service.spec.load_balancer_source_ranges or ()
        numbers = [n for port in service.spec.ports or () for n in (port.port, port.node_port) if n]
        outside = {*service.addresses, service.spec.load_balancer_ip} - {""}
        if not ranges or not numbers:
            continue
        at_nodes = [port.node_port for port in service.spec.ports or () if port.node_port]
        every = (
            *drops_to(refused, _NOT_IN_RANGE, outside, numbers).items,
            *(drops_to(refused, _NOT_IN_RANGE, own, at_nodes).items if at_nodes else ()),
        )
        # Hubble remembers drops from before the list was put right.
        drops = Drops(tuple(one for one in every if not is_in_any(one[1].addresses.source, ranges)))
        if drops:
            yield _finding(service, ranges, drops, own, services)


def _finding(
    service: Service, ranges: tuple[str, ...], drops: Drops, own: dict[str, str], services: Services
) -> Finding:
    sources = sorted({flow.addresses.source for flow in drops.flows})
    rewritten = [source for source in sources if source in own]
    times = [flow.time for flow in drops.flows if flow.time]
    first = (rewritten or sources)[0]
    meta = service.metadata
    return finding(
        Severity.WARN if rewritten else Severity.INFO,
        service.ref,
        f"{service.ref} refuses {'node ' if rewritten else ''}{first}: it is in none of its source ranges",
        evidence=(
            services.evidence(f"{service.ref} .spec.loadBalancerSourceRanges: {', '.join(ranges[:8])}"),
            *drops.evidence("Denied by LB src range check"),
        ),
        impact=f"{drops.attempts} connections from {len(sources)} addresses refused lately",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.UNKNOWN,
        owner=meta.managed_by,
        alternatives=("The client is not meant to use the service, and the list does its work.",),
        fixes=(
            Fix.cure(
                "Put the client's prefix into the list, if it is meant to use the service.",
                why="Only sources in the list pass; an address that something in front put in place of the "
                "client's must be in it too, or be avoided with externalTrafficPolicy Local.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Edit loadBalancerSourceRanges of {service.ref}.",
                        kubectl("-n", meta.namespace, "edit", "service", meta.name),
                    ),
                ),
                undo=f"Put the list back: {', '.join(ranges[:8])}.",
                verify="No new drop `Denied by LB src range check` names this client.",
            ),
        ),
    )
