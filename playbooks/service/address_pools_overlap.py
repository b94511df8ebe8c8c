"""Two pools of load-balancer addresses overlap."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.announcements import LbIpPool, LbIpPools
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import (
    CouldNotLook,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.kube.crds import CiliumKinds
from playbooks.model.kube.meta import KubeCondition
from playbooks.model.kube.resources import LB_IP_POOLS
from playbooks.model.rule import Case, fault

_CONFLICT = "cilium.io/PoolConflict"


@fault(
    "SVC021",
    step="reach",
    cases=(Case("lb-pool-conflict", proof="W", twin="the same pool with the condition False"),),
)
def address_pools_overlap(
    pools: LbIpPools | None, kinds: CiliumKinds | None
) -> Iterator[Finding | NotApplicable | CouldNotLook]:
    """Two pools of load-balancer addresses overlap.

    An address may be in one pool only. Where two pools hold the same range, the operator marks the younger
    one with the condition `cilium.io/PoolConflict` and takes nothing from it until the overlap is gone:
    services that only this pool selects stay without an address.
    """
    if pools is None and not (kinds and kinds.lacks(LB_IP_POOLS.plural)):
        yield CouldNotLook("the pools of load-balancer addresses could not be read")
        return
    if pools is None or not pools.items:
        yield NotApplicable("there are no pools of load-balancer addresses")
        return
    for pool in pools.items:
        told = next((c for c in pool.status.conditions or () if c.type == _CONFLICT), None)
        if told is not None and told.status == "True" and not pool.spec.disabled:
            yield _finding(pool, told, pools)


def _finding(pool: LbIpPool, told: KubeCondition, pools: LbIpPools) -> Finding:
    ref = Ref("CiliumLoadBalancerIPPool", pool.metadata.name)
    change = pool.metadata.last_change
    blocks = ", ".join(block.cidr or f"{block.start}-{block.stop}" for block in pool.blocks)
    return finding(
        Severity.WARN,
        ref,
        f"{ref} overlaps another pool and gives out no address",
        evidence=(
            pools.evidence(f"{pool.metadata.name} {told.type} True {told.reason}: {told.message[:200]}"),
            pools.evidence(f"{pool.metadata.name} .spec.blocks: {blocks[:200]}"),
        ),
        impact="services that only this pool selects get no address",
        first_seen=told.last_transition_time,
        last_seen=pools.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=pool.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Take the common range out of {ref}.",
                why="Each address may be in one pool only.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Read which pools there are.",
                        kubectl("get", "ciliumloadbalancerippools", "-o", "yaml"),
                    ),
                    step(
                        f"Edit the blocks of {ref}.",
                        kubectl("edit", "ciliumloadbalancerippool", pool.metadata.name),
                    ),
                ),
                undo=f"Put the blocks back: {blocks[:200]}.",
                verify="The condition cilium.io/PoolConflict of the pool is False.",
            ),
        ),
    )
