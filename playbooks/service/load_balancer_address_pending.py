"""A LoadBalancer service waits for its address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.announcements import LbIpPools
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.meta import KubeCondition
from playbooks.model.kube.services import Service, Services
from playbooks.model.rule import Case, fault
from playbooks.model.services.announcing import SATISFIED, addresses_of

_LONG = timedelta(minutes=2)
_REASONS = {
    "no_pool": "there is no pool of addresses that selects it",
    "out_of_ips": "no address is left in the pools that select it",
    "pool_selector_mismatch": "the address it asks for is in a pool that does not select it",
    "already_allocated": "the address it asks for belongs to another service",
    "already_allocated_incompatible_service": "the address it asks for cannot be shared with who has it",
}


@fault(
    "SVC020",
    step="reach",
    cases=(
        Case("lb-no-pool", proof="W", twin="the same service with the condition True"),
        Case("lb-out-of-ips", proof="W", twin="the same service with the condition True"),
    ),
)
def load_balancer_address_pending(services: Services, pools: LbIpPools | None) -> Iterator[Finding]:
    """A LoadBalancer service waits for its address.

    The operator gives addresses out of CiliumLoadBalancerIPPools to services that a pool selects, and writes
    into the service's condition `cilium.io/IPAMRequestSatisfied` why it cannot. Without an address nothing
    is announced and nobody outside of the cluster reaches the service; from inside it works all the while.
    """
    for service in services.items:
        if service.spec.type != "LoadBalancer":
            continue
        told = next((c for c in service.status.conditions or () if c.type == SATISFIED), None)
        if told is None or told.status != "False":
            continue
        since = told.last_transition_time or service.metadata.creation_timestamp
        if since is None or services.taken_at - since >= _LONG:
            yield _finding(service, told, services, pools)


def _finding(service: Service, told: KubeCondition, services: Services, pools: LbIpPools | None) -> Finding:
    held = addresses_of(service)
    why = _REASONS.get(told.reason, told.reason or "the condition tells no reason")
    evidence = [
        services.evidence(f"{service.ref} {told.type} False {told.reason}: {told.message[:200]}"),
    ]
    for pool in pools.items if pools else ():
        counts = [f"{c.type.rpartition('/')[2]} {c.message}" for c in pool.status.conditions or ()]
        evidence.append(pools.evidence(f"pool {pool.metadata.name}: {', '.join(counts)[:200]}"))  # type: ignore[union-attr]
    change = service.metadata.last_change
    return finding(
        Severity.WARN,
        service.ref,
        f"{service.ref} {'lacks one of its addresses' if held else 'has no outside address'}: {why}",
        evidence=evidence[:5],
        because_of=(Condition(ConditionKind.OPERATOR_DOWN),),
        impact="nobody outside of the cluster reaches it"
        if not held
        else "some of its addresses do not work",
        first_seen=told.last_transition_time,
        last_seen=services.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=service.metadata.managed_by,
        fixes=(_fix(service, told.reason),),
    )


def _fix(service: Service, reason: str) -> Fix:
    meta = service.metadata
    asks = reason.startswith(("already", "pool_selector"))
    return Fix.cure(
        "Ask for an address that is free, or for none." if asks else "Give the pool more addresses.",
        why="An address must be in a pool that selects the service, and be free."
        if asks
        else "The operator gives out the next address as soon as a pool that selects the service has one.",
        risk=Risk.LOW,
        steps=(
            step("Read the pools and what is left in them.", kubectl("get", "ciliumloadbalancerippools")),
            step(
                f"Read the annotations and labels of {service.ref}.",
                kubectl("-n", meta.namespace, "get", "service", meta.name, "-o", "yaml"),
            ),
            step(
                f"Edit {service.ref}: correct the annotation lbipam.cilium.io/ips."
                if asks
                else "Edit the pool: add a block, or let its serviceSelector match the service.",
                kubectl("-n", meta.namespace, "edit", "service", meta.name)
                if asks
                else kubectl("edit", "ciliumloadbalancerippool", "NAME"),
            ),
        ),
        undo="Put back what was edited.",
        verify=f"`kubectl get service` shows an EXTERNAL-IP for {service.ref}.",
    )
