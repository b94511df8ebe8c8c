"""A node announces the address of a service for local pods only, and has none of them."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import OnNode
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.announcing import L2Announced, addresses_of
from playbooks.model.services.backends import listed


@fault(
    "SVC009",
    step="reach",
    cases=(Case("SV-02", proof="W", twin="the same service with externalTrafficPolicy Cluster"),),
)
def announced_without_backend(
    announced: OnNode[L2Announced], services: Services, slices: EndpointSlices, agents: Agents
) -> Iterator[Finding | CouldNotLook]:
    """A node announces the address of a service for local pods only, and has none of them.

    One node at a time answers ARP for an address that is announced on L2; nodes elect it among those that
    the policy selects, and do not look where the pods are. With `externalTrafficPolicy: Local` the elected
    node drops everything if no ready pod runs on it: the address answers, and connections time out.
    """
    here = {one.address for one in announced.fact.items}
    if not here:
        return
    for service in services.items:
        held = [ip for ip in addresses_of(service) if ip in here]
        found = listed(service, slices)
        if not held or service.spec.external_traffic_policy != "Local" or not found.ready:
            continue
        if announced.node in found.nodes or found.has_unplaced:
            continue
        if slices.provenance.is_truncated or slices.provenance.namespace not in (
            "",
            service.metadata.namespace,
        ):
            yield CouldNotLook("the endpoint slices could not all be read")
        elif found.is_settled(slices.taken_at):
            yield _finding(service, held[0], announced, services, slices, agents)


def _finding(
    service: Service,
    address: str,
    announced: OnNode[L2Announced],
    services: Services,
    slices: EndpointSlices,
    agents: Agents,
) -> Finding:
    where = listed(service, slices)
    device = next(one.device for one in announced.fact.items if one.address == address)
    patch = '{"spec":{"externalTrafficPolicy":"Cluster"}}'
    meta = service.metadata
    return finding(
        Severity.ERROR,
        (service.ref, agents.ref(announced.node)),
        f"{service.ref}: {announced.node} announces {address} and has no pod that it may lead to",
        evidence=(
            announced.fact.evidence(f"{address} on {device}"),
            services.evidence(f"{service.ref} .spec.externalTrafficPolicy: Local"),
            slices.evidence(f"{service.ref}: ready backends on {', '.join(sorted(where.nodes)[:5])} only"),
        ),
        impact=f"every connection from outside to {address} times out",
        first_seen=where.changed_at,
        last_seen=announced.fact.taken_at,
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                "Let the announcing node pass the traffic on to other nodes.",
                why="L2 announcements do not look at the traffic policy, so any node may be elected.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        f"Patch the externalTrafficPolicy of {service.ref}.",
                        kubectl(
                            "-n",
                            meta.namespace,
                            "patch",
                            "service",
                            meta.name,
                            "--type",
                            "merge",
                            "-p",
                            patch,
                        ),
                    ),
                ),
                undo="Put externalTrafficPolicy Local back.",
                verify=f"A connection from outside to {address} is accepted.",
            ),
        ),
    )
