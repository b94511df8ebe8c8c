"""The pods of a node as its agent learned of them from Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scope, Way


@dataclass(frozen=True, slots=True)
class LocalPod:
    """One pod."""

    namespace: str
    """Its namespace."""
    name: str
    """Its name."""
    uid: str
    """Its UID."""
    addresses: tuple[str, ...]
    """Its addresses."""
    phase: str
    """`Running`, `Pending` …"""
    is_host_network: bool
    """Whether it uses the node's own network."""


@dataclass(frozen=True, kw_only=True)
class AgentPods(Fact):
    """The table `k8s-pods` of one agent, since 1.18."""

    items: tuple[LocalPod, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Meta(msgspec.Struct, frozen=True):
    name: str
    namespace: str
    uid: str = ""


class _Ip(msgspec.Struct, frozen=True):
    ip: str = ""


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    host_network: bool = False
    """Left out when it does not."""


class _Status(msgspec.Struct, frozen=True):
    phase: str = ""
    pod_ips: tuple[_Ip, ...] = msgspec.field(default=(), name="podIPs")


class _Pod(msgspec.Struct, frozen=True):
    metadata: _Meta
    spec: _Spec
    status: _Status = _Status()


def _pod(one: _Pod) -> LocalPod:
    addresses = tuple(address.ip for address in one.status.pod_ips if address.ip)
    meta = one.metadata
    return LocalPod(meta.namespace, meta.name, meta.uid, addresses, one.status.phase, one.spec.host_network)


def _row(row: Row) -> LocalPod:
    namespace, _, name = row.text("Name").partition("/")
    addresses = tuple(part.strip() for part in row.text("PodIPs").split(",") if part.strip())
    return LocalPod(
        namespace, name, row.text("UID"), addresses, row.text("Phase"), row.is_true("HostNetwork")
    )


PODS = Table(
    "k8s-pods",
    _Pod,
    ("Name", "UID", "HostNetwork", "PodIPs", "Phase"),
    _pod,
    _row,
    AgentPods,
    (1, 18),
)
AgentPods.ways = PODS.ways()
