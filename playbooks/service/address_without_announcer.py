"""A service has an address of Cilium's, and no node announces it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.announcements import L2Policies, L2Policy
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    CouldNotLook,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.announcing import SATISFIED, L2Announced, addresses_of, announces, labels_of

_LONG = timedelta(minutes=2)
_ELSEWHERE = ("io.cilium/bgp-control-plane", "io.cilium/node")
"""Classes of services that others than L2 announcements serve."""


@fault(
    "SVC023",
    step="reach",
    cases=(Case("l2-no-policy", proof="W", twin="the same service with an L2 policy that selects it"),),
)
def address_without_announcer(
    services: Services, config: CiliumConfig, policies: L2Policies | None, announced: Fleet[L2Announced]
) -> Iterator[Finding | CouldNotLook | NotApplicable]:
    """A service has an address of Cilium's, and no node announces it.

    Giving an address and making it known are two things. On L2 one node answers ARP for it, if a
    CiliumL2AnnouncementPolicy selects the service and has `loadBalancerIPs: true`, and if the agents may
    hold the lease of the service. Without that the address stands in the service and nobody answers.
    """
    if not announces(config) or config.is_on("enable-bgp-control-plane") or policies is None:
        yield NotApplicable("addresses are not announced on L2, or not only there")
        return
    seen = {one.address for _, fact in announced for one in fact.items}
    for service in services.items:
        told = next((c for c in service.status.conditions or () if c.type == SATISFIED), None)
        silent = [ip for ip in addresses_of(service) if ip not in seen]
        if told is None or told.status != "True" or not silent:
            continue
        since = told.last_transition_time or service.metadata.creation_timestamp
        if service.spec.load_balancer_class in _ELSEWHERE or not since or services.taken_at - since < _LONG:
            continue
        found = _finding(service, silent[0], services, policies, announced)
        yield announced.if_complete().finding(found)


def _why(service: Service, policies: L2Policies) -> str:
    if not policies.items:
        return "there is no L2 announcement policy"
    selecting = [one for one in policies.items if _selects(one, service)]
    if not selecting:
        return "no L2 announcement policy selects it"
    if not any(one.spec.load_balancer_ips for one in selecting):
        return f"policy {selecting[0].metadata.name} has loadBalancerIPs false"
    return f"policy {selecting[0].metadata.name} selects it, nobody leads"


def _selects(policy: L2Policy, service: Service) -> bool:
    selector = policy.spec.service_selector
    return selector is None or selector.matches(labels_of(service))


def _finding(
    service: Service, address: str, services: Services, policies: L2Policies, announced: Fleet[L2Announced]
) -> Finding:
    why = _why(service, policies)
    names = ", ".join(one.metadata.name for one in policies.items[:5]) or "none"
    meta = service.metadata
    return finding(
        Severity.WARN,
        service.ref,
        f"{service.ref}: nobody announces {address}: {why}",
        evidence=(
            services.evidence(f"{service.ref} .status.loadBalancer.ingress: {address}"),
            policies.evidence(f"L2 announcement policies: {names}; {why}"),
            *(fact.evidence(f"{node}: {address} is not in the table") for node, fact in [*announced][:3]),
        ),
        because_of=(Condition(ConditionKind.PERMISSION_MISSING),),
        impact=f"nobody on the network gets an answer for {address}",
        last_seen=services.taken_at,
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                f"Let an L2 announcement policy select {service.ref}.",
                why="Nodes that the policy selects then elect one of them to answer for the address.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Read the selectors of the policies and their conditions.",
                        kubectl("get", "ciliuml2announcementpolicies", "-o", "yaml"),
                    ),
                    step(
                        "Look for the lease of the service and who holds it.",
                        kubectl(
                            "-n",
                            "kube-system",
                            "get",
                            "lease",
                            f"cilium-l2announce-{meta.namespace}-{meta.name}",
                        ),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="`cilium-dbg shell -- db/show l2-announce` lists the address on one node.",
            ),
        ),
    )
