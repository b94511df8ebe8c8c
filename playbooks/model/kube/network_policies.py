"""Kubernetes network policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import NETWORK_POLICIES
from playbooks.model.kube.selectors import Selector


class IPBlock(Object, frozen=True):
    """A CIDR with holes in it."""

    cidr: str = ""
    except_: tuple[str, ...] | None = msgspec.field(default=None, name="except")


class Peer(Object, frozen=True):
    """Who is meant by one entry of `from` or `to`."""

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: IPBlock | None = None


class PolicyPort(Object, frozen=True):
    """A port by number or name; none means all."""

    protocol: str = "TCP"
    port: int | str | None = None
    end_port: int | None = None


class IngressRule(Object, frozen=True):
    """Who may come in."""

    from_: tuple[Peer, ...] | None = msgspec.field(default=None, name="from")
    ports: tuple[PolicyPort, ...] | None = None


class EgressRule(Object, frozen=True):
    """Where to one may go."""

    to: tuple[Peer, ...] | None = None
    ports: tuple[PolicyPort, ...] | None = None


class NetworkPolicySpec(Object, frozen=True):
    """A policy as asked for."""

    pod_selector: Selector = Selector()
    policy_types: tuple[str, ...] | None = None
    ingress: tuple[IngressRule, ...] | None = None
    egress: tuple[EgressRule, ...] | None = None


class NetworkPolicy(Object, frozen=True):
    """A Kubernetes network policy."""

    metadata: Meta
    spec: NetworkPolicySpec = NetworkPolicySpec()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("NetworkPolicy", self.metadata.name, self.metadata.namespace)


@dataclass(frozen=True, kw_only=True)
class NetworkPolicies(Fact):
    """All Kubernetes network policies."""

    items: tuple[NetworkPolicy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


NetworkPolicies.ways = (objects("network policies", NETWORK_POLICIES, NetworkPolicy, NetworkPolicies),)
