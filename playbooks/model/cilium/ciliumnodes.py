"""CiliumNodes: what the operator gave each node, and what it complained about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import Meta, Object, listing
from playbooks.model.kube.resources import CILIUM_NODES
from playbooks.model.request import Objects


class IpamSpec(Object, frozen=True):
    """The addresses of a node as asked for."""

    pod_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="podCIDRs")


class CiliumNodeSpec(Object, frozen=True):
    """A CiliumNode as asked for."""

    ipam: IpamSpec | None = None


class OperatorStatus(Object, frozen=True):
    """What the operator says of a node's addresses."""

    error: str | None = None


class IpamStatus(Object, frozen=True):
    """The addresses of a node as they are."""

    operator_status: OperatorStatus | None = msgspec.field(default=None, name="operator-status")


class Interface(Object, frozen=True):
    """A network interface of the cloud that Cilium attached to a node."""

    ip: str | None = None
    """Its first address, which no pod gets."""
    number: int | None = None
    """0 for the one that the node came with."""


class EniStatus(Object, frozen=True):
    """The interfaces of a node on AWS."""

    enis: dict[str, Interface] | None = None


class CiliumNodeStatus(Object, frozen=True):
    """A CiliumNode as it is."""

    ipam: IpamStatus | None = None
    eni: EniStatus | None = None


class CiliumNode(Object, frozen=True):
    """A node in Cilium's words."""

    metadata: Meta
    spec: CiliumNodeSpec | None = None
    status: CiliumNodeStatus | None = None

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("CiliumNode", self.metadata.name, node=self.metadata.name)

    @property
    def pod_cidrs(self) -> tuple[str, ...]:
        """The ranges that were given to it."""
        ipam = self.spec.ipam if self.spec else None
        return (ipam.pod_cidrs if ipam else None) or ()

    @property
    def interfaces(self) -> dict[str, Interface]:
        """The interfaces that Cilium attached to it, by their ids."""
        eni = self.status.eni if self.status else None
        return (eni.enis if eni else None) or {}

    @property
    def complaint(self) -> str:
        """The operator's error about its addresses; empty when there is none."""
        ipam = self.status.ipam if self.status else None
        told = ipam.operator_status if ipam else None
        return (told.error if told else None) or ""


@dataclass(frozen=True, kw_only=True)
class CiliumNodes(Fact):
    """All CiliumNodes."""

    items: tuple[CiliumNode, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


CiliumNodes.ways = (
    listing(
        "ciliumnodes",
        lambda scene: Objects(CILIUM_NODES),
        CiliumNode,
        lambda provenance, items: CiliumNodes(provenance=provenance, items=items),
    ),
)
