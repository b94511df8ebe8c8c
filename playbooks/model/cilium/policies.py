"""Cilium's network policies, namespaced and clusterwide, as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import KubeCondition, Meta, Object, objects
from playbooks.model.kube.resources import CILIUM_CLUSTERWIDE_NETWORK_POLICIES, CILIUM_NETWORK_POLICIES
from playbooks.model.kube.selectors import Selector


class Port(Object, frozen=True):
    """A port by number or name; `0` and empty mean all."""

    port: str = ""
    end_port: int = 0
    protocol: str = "ANY"


class SecretRef(Object, frozen=True):
    """A Secret that holds a header's value."""

    name: str = ""
    namespace: str = ""


class HeaderMatch(Object, frozen=True):
    """A header that must have a value."""

    name: str = ""
    value: str = ""
    mismatch: str = ""
    secret: SecretRef | None = None


class HttpRule(Object, frozen=True):
    """A request that may pass."""

    method: str = ""
    path: str = ""
    host: str = ""
    headers: tuple[str, ...] | None = None
    header_matches: tuple[HeaderMatch, ...] | None = None


class KafkaRule(Object, frozen=True):
    """A Kafka request that may pass (gone after 1.18)."""

    role: str = ""
    api_key: str = msgspec.field(default="", name="apiKey")
    topic: str = ""
    client_id: str = msgspec.field(default="", name="clientID")


class FqdnSelector(Object, frozen=True):
    """A DNS name or a pattern of names."""

    match_name: str = ""
    match_pattern: str = ""


class L7Rules(Object, frozen=True):
    """What may pass on a port, above L4."""

    http: tuple[HttpRule, ...] | None = None
    kafka: tuple[KafkaRule, ...] | None = None
    dns: tuple[FqdnSelector, ...] | None = None
    l7proto: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said about L7, so that no proxy is needed."""
        return not (self.http or self.kafka or self.dns or self.l7proto)


class Listener(Object, frozen=True):
    """A listener of Envoy that traffic is led to."""

    name: str = ""


class PortRule(Object, frozen=True):
    """Ports, and what may pass on them."""

    ports: tuple[Port, ...] | None = None
    rules: L7Rules | None = None
    listener: Listener | None = None
    server_names: tuple[str, ...] | None = None


class CidrRule(Object, frozen=True):
    """A CIDR with holes, or a group of CIDRs."""

    cidr: str = ""
    except_: tuple[str, ...] | None = msgspec.field(default=None, name="except")
    cidr_group_ref: str = ""
    cidr_group_selector: Selector | None = None


class IcmpField(Object, frozen=True):
    """An ICMP type."""

    family: str = "IPv4"
    type: int | str | None = None


class IcmpRule(Object, frozen=True):
    """ICMP types."""

    fields: tuple[IcmpField, ...] | None = None


class Authentication(Object, frozen=True):
    """Whether peers must prove who they are."""

    mode: str = ""


class ServiceSelectorRef(Object, frozen=True):
    """A service named by a policy."""

    service_name: str = ""
    namespace: str = ""


class ToService(Object, frozen=True):
    """Services that may be reached."""

    k8s_service: ServiceSelectorRef | None = None


class CloudGroup(Object, frozen=True):
    """A security group of a cloud; which addresses it has, its operator alone knows."""


class IngressRule(Object, frozen=True):
    """Who may come in, or may not."""

    from_endpoints: tuple[Selector, ...] | None = None
    from_entities: tuple[str, ...] | None = None
    from_cidr: tuple[str, ...] | None = msgspec.field(default=None, name="fromCIDR")
    from_cidr_set: tuple[CidrRule, ...] | None = msgspec.field(default=None, name="fromCIDRSet")
    from_nodes: tuple[Selector, ...] | None = None
    from_groups: tuple[CloudGroup, ...] | None = None
    from_requires: tuple[Selector, ...] | None = None
    """What every peer of every rule for the same endpoints must have beside; gone since 1.18."""
    to_ports: tuple[PortRule, ...] | None = None
    icmps: tuple[IcmpRule, ...] | None = None
    authentication: Authentication | None = None


class EgressRule(Object, frozen=True):
    """Where to one may go, or may not."""

    to_endpoints: tuple[Selector, ...] | None = None
    to_entities: tuple[str, ...] | None = None
    to_cidr: tuple[str, ...] | None = msgspec.field(default=None, name="toCIDR")
    to_cidr_set: tuple[CidrRule, ...] | None = msgspec.field(default=None, name="toCIDRSet")
    to_fqdns: tuple[FqdnSelector, ...] | None = msgspec.field(default=None, name="toFQDNs")
    to_services: tuple[ToService, ...] | None = None
    to_nodes: tuple[Selector, ...] | None = None
    to_groups: tuple[CloudGroup, ...] | None = None
    to_requires: tuple[Selector, ...] | None = None
    to_ports: tuple[PortRule, ...] | None = None
    icmps: tuple[IcmpRule, ...] | None = None
    authentication: Authentication | None = None


class DefaultDeny(Object, frozen=True):
    """Whether a policy puts its endpoints into default deny; unset follows from its rules."""

    ingress: bool | None = None
    egress: bool | None = None


class PolicyRule(Object, frozen=True):
    """One rule set: whom it selects and what it says."""

    endpoint_selector: Selector | None = None
    node_selector: Selector | None = None
    ingress: tuple[IngressRule, ...] | None = None
    ingress_deny: tuple[IngressRule, ...] | None = None
    egress: tuple[EgressRule, ...] | None = None
    egress_deny: tuple[EgressRule, ...] | None = None
    enable_default_deny: DefaultDeny = DefaultDeny()
    description: str = ""

    @property
    def denies_ingress_by_default(self) -> bool:
        """Whether endpoints it selects refuse what no rule admits, coming in."""
        said = self.enable_default_deny.ingress
        return said if said is not None else bool(self.ingress or self.ingress_deny)

    @property
    def denies_egress_by_default(self) -> bool:
        """Whether endpoints it selects refuse what no rule admits, going out."""
        said = self.enable_default_deny.egress
        return said if said is not None else bool(self.egress or self.egress_deny)


class PolicyStatus(Object, frozen=True):
    """What the operator says of a policy."""

    conditions: tuple[KubeCondition, ...] | None = None


class CiliumNetworkPolicy(Object, frozen=True):
    """A policy of a namespace, or of the whole cluster."""

    metadata: Meta
    spec: PolicyRule | None = None
    specs: tuple[PolicyRule, ...] | None = None
    status: PolicyStatus = PolicyStatus()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        namespace = self.metadata.namespace
        kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
        return Ref(kind, self.metadata.name, namespace)

    @property
    def rules(self) -> tuple[PolicyRule, ...]:
        """All its rule sets, whichever way it spells them."""
        return (*((self.spec,) if self.spec else ()), *(self.specs or ()))

    @property
    def valid(self) -> KubeCondition | None:
        """What the operator says of its syntax; none before 1.16."""
        return next((c for c in self.status.conditions or () if c.type == "Valid"), None)


@dataclass(frozen=True, kw_only=True)
class CiliumNetworkPolicies(Fact):
    """All CiliumNetworkPolicies."""

    items: tuple[CiliumNetworkPolicy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class CiliumClusterwideNetworkPolicies(Fact):
    """All CiliumClusterwideNetworkPolicies."""

    items: tuple[CiliumNetworkPolicy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


CiliumNetworkPolicies.ways = (
    objects("policies", CILIUM_NETWORK_POLICIES, CiliumNetworkPolicy, CiliumNetworkPolicies),
)
CiliumClusterwideNetworkPolicies.ways = (
    objects(
        "clusterwide policies",
        CILIUM_CLUSTERWIDE_NETWORK_POLICIES,
        CiliumNetworkPolicy,
        CiliumClusterwideNetworkPolicies,
    ),
)
