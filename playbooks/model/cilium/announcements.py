"""Pools of load-balancer addresses, and who announces them on L2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import KubeCondition, Meta, Object, objects
from playbooks.model.kube.resources import L2_POLICIES, LB_IP_POOLS, LB_IP_POOLS_V2ALPHA1
from playbooks.model.kube.selectors import Selector


class Block(Object, frozen=True):
    """A range of addresses: a CIDR, or from start to stop."""

    cidr: str = ""
    start: str = ""
    stop: str = ""


class LbIpPoolSpec(Object, frozen=True):
    """A pool as asked for; `cidrs` is how old versions spelled `blocks`."""

    blocks: tuple[Block, ...] | None = None
    cidrs: tuple[Block, ...] | None = None
    service_selector: Selector | None = None
    disabled: bool = False
    allow_first_last_ips: str = msgspec.field(default="", name="allowFirstLastIPs")


class Conditions(Object, frozen=True):
    """A status that is only conditions; the counts are in their messages."""

    conditions: tuple[KubeCondition, ...] | None = None


class LbIpPool(Object, frozen=True):
    """A pool of load-balancer addresses."""

    metadata: Meta
    spec: LbIpPoolSpec = LbIpPoolSpec()
    status: Conditions = Conditions()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Its ranges, whichever way it spells them."""
        return (*(self.spec.blocks or ()), *(self.spec.cidrs or ()))


class L2PolicySpec(Object, frozen=True):
    """Which addresses of which services are announced by which nodes."""

    service_selector: Selector | None = None
    node_selector: Selector | None = None
    interfaces: tuple[str, ...] | None = None
    external_ips: bool = msgspec.field(default=False, name="externalIPs")
    load_balancer_ips: bool = msgspec.field(default=False, name="loadBalancerIPs")


class L2Policy(Object, frozen=True):
    """An L2 announcement policy."""

    metadata: Meta
    spec: L2PolicySpec = L2PolicySpec()
    status: Conditions = Conditions()


@dataclass(frozen=True, kw_only=True)
class LbIpPools(Fact):
    """All CiliumLoadBalancerIPPools."""

    items: tuple[LbIpPool, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


LbIpPools.ways = (
    objects("load-balancer pools", LB_IP_POOLS, LbIpPool, LbIpPools),
    objects("load-balancer pools v2alpha1", LB_IP_POOLS_V2ALPHA1, LbIpPool, LbIpPools),
)


@dataclass(frozen=True, kw_only=True)
class L2Policies(Fact):
    """All CiliumL2AnnouncementPolicies."""

    items: tuple[L2Policy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


L2Policies.ways = (objects("L2 announcement policies", L2_POLICIES, L2Policy, L2Policies),)
