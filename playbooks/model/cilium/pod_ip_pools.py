"""Pools of pod addresses, for the multi-pool mode of IPAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import POD_IP_POOLS, POD_IP_POOLS_V2


class FamilyPool(Object, frozen=True):
    """CIDRs of one address family, and how large a node's share is."""

    cidrs: tuple[str, ...] | None = None
    mask_size: int | None = None


class PodIpPoolSpec(Object, frozen=True):
    """A pool as asked for."""

    ipv4: FamilyPool | None = None
    ipv6: FamilyPool | None = None


class PodIpPool(Object, frozen=True):
    """A pool of pod addresses."""

    metadata: Meta
    spec: PodIpPoolSpec = PodIpPoolSpec()


@dataclass(frozen=True, kw_only=True)
class PodIpPools(Fact):
    """All CiliumPodIPPools."""

    items: tuple[PodIpPool, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


PodIpPools.ways = (
    objects("pod address pools", POD_IP_POOLS, PodIpPool, PodIpPools),
    objects("pod address pools v2", POD_IP_POOLS_V2, PodIpPool, PodIpPools),
)
