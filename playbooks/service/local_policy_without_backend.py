"""A service with externalTrafficPolicy Local has nodes without a backend of its own."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import NO_BACKEND, RefusedFlows
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.announcing import L2Announced
from playbooks.model.services.backends import listed
from playbooks.model.services.refused import Drops, drops_to

_OUTSIDE = ("NodePort", "LoadBalancer")


@fault(
    "SVC007",
    step="reach",
    cases=(Case("SV-01", proof="W", twin="the same service with externalTrafficPolicy Cluster"),),
)
def local_policy_without_backend(
    services: Services,
    slices: EndpointSlices,
    nodes: Nodes,
    agents: Agents,
    refused: Fleet[RefusedFlows],
    announced: Fleet[L2Announced] | None,
) -> Iterator[Finding]:
    """A service with externalTrafficPolicy Local has nodes without a backend of its own.

    With `Local` a node hands traffic from outside only to pods of its own, so that the client's address
    stays. A node without a ready pod has to drop it: `Service backend not found`. That is meant so: load
    balancers ask the `healthCheckNodePort` of each node and leave such nodes out. It is a fault where
    clients are sent to them all the same.
    """
    for service in services.items:
        is_local = service.spec.external_traffic_policy == "Local" and service.spec.type in _OUTSIDE
        found = listed(service, slices)
        if not is_local or not found.ready or found.has_unplaced:
            continue
        bare = tuple(node for node in agents.by_node if node not in found.nodes)
        if not bare:
            continue
        drops = _drops(service, nodes, bare, refused, announced)
        yield _finding(service, bare, len(agents.by_node), drops, services, slices)


def _drops(
    service: Service,
    nodes: Nodes,
    bare: tuple[str, ...],
    refused: Fleet[RefusedFlows],
    announced: Fleet[L2Announced] | None,
) -> Drops:
    """Drops on nodes without a backend, at their own addresses or at those of a load balancer.

    Nobody is sent to a node that announces the address itself: that is another fault.
    """
    there = Fleet({node: fact for node, fact in refused if node in bare}, {})
    own = [a.address for name in bare if (node := nodes.get(name)) for a in node.status.addresses or ()]
    ports = service.spec.ports or ()
    at_nodes = drops_to(there, NO_BACKEND, own, [port.node_port for port in ports if port.node_port])
    outside = [one.ip for one in service.status.load_balancer.ingress or () if one.ip]
    at_balancer = drops_to(there, NO_BACKEND, outside, [port.port for port in ports])
    has_node_ports = any(port.node_port for port in ports)
    held = {(node, one.address) for node, fact in announced or () for one in fact.items}
    sent = [
        (fact, flow)
        for fact, flow in at_balancer.items
        if (fact.provenance.node, flow.addresses.destination) not in held
    ]
    return Drops((*(at_nodes.items if has_node_ports else ()), *sent)).lately()


def _finding(
    service: Service,
    bare: tuple[str, ...],
    total: int,
    drops: Drops,
    services: Services,
    slices: EndpointSlices,
) -> Finding:
    times = [flow.time for flow in drops.flows if flow.time]
    return finding(
        Severity.WARN if drops else Severity.INFO,
        service.ref,
        f"{service.ref} is for local backends only, and {len(bare)} of {total} nodes have none",
        evidence=(
            services.evidence(f"{service.ref} .spec.externalTrafficPolicy: Local"),
            slices.evidence(f"{service.ref}: no ready backend on {', '.join(bare[:5])}"),
            *drops.evidence("Service backend not found"),
        ),
        impact=f"{drops.attempts} connections from outside failed on these nodes lately"
        if drops
        else "clients that come to these nodes fail; load balancers with health checks leave them out",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES if drops else Ongoing.UNKNOWN,
        owner=service.metadata.managed_by,
        fixes=_fixes(service),
    )


def _fixes(service: Service) -> tuple[Fix, ...]:
    where = ("-n", service.metadata.namespace)
    name = service.metadata.name
    patch = '{"spec":{"externalTrafficPolicy":"Cluster"}}'
    return (
        Fix.cure(
            "Let every node pass the traffic on to backends of other nodes.",
            why="With Cluster a node without a pod forwards to one that has some; pods then see the node's "
            "address instead of the client's.",
            risk=Risk.MEDIUM,
            steps=(
                step(
                    f"Patch the externalTrafficPolicy of {service.ref}.",
                    kubectl(*where, "patch", "service", name, "--type", "merge", "-p", patch),
                ),
            ),
            undo="Put externalTrafficPolicy Local back.",
            verify="`cilium-dbg service list` shows backends behind the frontend on every node.",
        ),
        Fix.cure(
            "Keep clients away from nodes without a pod.",
            why="The healthCheckNodePort answers 503 on them; a load balancer that asks it leaves them out.",
            risk=Risk.LOW,
            steps=(
                step(
                    f"Read the healthCheckNodePort of {service.ref} and let the load balancer ask it.",
                    kubectl(*where, "get", "service", name, "-o", "jsonpath={.spec.healthCheckNodePort}"),
                ),
            ),
            undo="Take the health check away again.",
            verify="No new drop `Service backend not found` appears on these nodes.",
        ),
    )
