"""A service with internalTrafficPolicy Local has nodes without a backend of its own."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import NO_BACKEND, RefusedFlows
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.backends import listed
from playbooks.model.services.refused import Drops, drops_to


@fault(
    "SVC008",
    step="reach",
    cases=(Case("internal-local", proof="W", twin="the same service with internalTrafficPolicy Cluster"),),
)
def internal_policy_without_backend(
    services: Services, slices: EndpointSlices, agents: Agents, refused: Fleet[RefusedFlows]
) -> Iterator[Finding]:
    """A service with internalTrafficPolicy Local has nodes without a backend of its own.

    With `Local` a client inside the cluster is led to pods of its own node only. That suits a service which
    a DaemonSet serves; with fewer pods, clients on the other nodes are refused as if there were no backend,
    while the same call works from a node that has one.
    """
    for service in services.items:
        is_local = service.spec.internal_traffic_policy == "Local" and not service.is_headless
        found = listed(service, slices)
        bare = [node for node in agents.by_node if node not in found.nodes]
        if not is_local or not bare or not found.ready or found.has_unplaced:
            continue
        there = Fleet({node: fact for node, fact in refused if node in bare}, {})
        drops = drops_to(there, NO_BACKEND, service.spec.cluster_ips or (service.spec.cluster_ip,))
        yield _finding(service, bare, len(agents.by_node), drops, services, slices)


def _finding(
    service: Service, bare: list[str], total: int, drops: Drops, services: Services, slices: EndpointSlices
) -> Finding:
    times = [flow.time for flow in drops.flows if flow.time]
    meta = service.metadata
    patch = '{"spec":{"internalTrafficPolicy":"Cluster"}}'
    return finding(
        Severity.WARN if drops else Severity.INFO,
        service.ref,
        f"{service.ref} leads clients to pods of their own node; {len(bare)} of {total} nodes have none",
        evidence=(
            services.evidence(f"{service.ref} .spec.internalTrafficPolicy: Local"),
            slices.evidence(f"{service.ref}: no ready backend on {', '.join(bare[:5])}"),
            *drops.evidence("Service backend not found"),
        ),
        impact=f"{drops.attempts} connections on these nodes failed lately"
        if drops
        else "clients on these nodes would be refused",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES if drops else Ongoing.UNKNOWN,
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                "Let clients use backends of other nodes.",
                why="With Cluster each agent knows all ready pods as backends.",
                risk=Risk.LOW,
                steps=(
                    step(
                        f"Patch the internalTrafficPolicy of {service.ref}.",
                        kubectl(
                            *("-n", meta.namespace, "patch", "service", meta.name),
                            *("--type", "merge", "-p", patch),
                        ),
                    ),
                ),
                undo="Put internalTrafficPolicy Local back.",
                verify="`cilium-dbg service list` shows backends behind the frontend on every node.",
            ),
        ),
    )
