"""Egress gateways and local redirects: traffic that is led elsewhere on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import EGRESS_GATEWAY_POLICIES, LOCAL_REDIRECT_POLICIES
from playbooks.model.kube.selectors import Selector


class EgressSource(Object, frozen=True):
    """Whose traffic is led through a gateway."""

    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    node_selector: Selector | None = None


class EgressGateway(Object, frozen=True):
    """The node that traffic leaves by, and its address."""

    node_selector: Selector | None = None
    interface: str = ""
    egress_ip: str = msgspec.field(default="", name="egressIP")


class EgressGatewaySpec(Object, frozen=True):
    """An egress gateway policy as asked for."""

    selectors: tuple[EgressSource, ...] | None = None
    destination_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="destinationCIDRs")
    excluded_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="excludedCIDRs")
    egress_gateway: EgressGateway | None = None
    egress_gateways: tuple[EgressGateway, ...] | None = None


class EgressGatewayPolicy(Object, frozen=True):
    """An egress gateway policy."""

    metadata: Meta
    spec: EgressGatewaySpec = EgressGatewaySpec()


class ServiceMatcher(Object, frozen=True):
    """A service whose traffic is redirected."""

    service_name: str = ""
    namespace: str = ""


class RedirectFrontend(Object, frozen=True):
    """What is redirected."""

    service_matcher: ServiceMatcher | None = None


class RedirectBackend(Object, frozen=True):
    """Where to."""

    local_endpoint_selector: Selector | None = None


class LocalRedirectSpec(Object, frozen=True):
    """A local redirect as asked for."""

    redirect_frontend: RedirectFrontend = RedirectFrontend()
    redirect_backend: RedirectBackend = RedirectBackend()
    skip_redirect_from_backend: bool = False


class LocalRedirectPolicy(Object, frozen=True):
    """A local redirect policy."""

    metadata: Meta
    spec: LocalRedirectSpec = LocalRedirectSpec()


@dataclass(frozen=True, kw_only=True)
class EgressGatewayPolicies(Fact):
    """All CiliumEgressGatewayPolicies."""

    items: tuple[EgressGatewayPolicy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


EgressGatewayPolicies.ways = (
    objects("egress gateway policies", EGRESS_GATEWAY_POLICIES, EgressGatewayPolicy, EgressGatewayPolicies),
)


@dataclass(frozen=True, kw_only=True)
class LocalRedirectPolicies(Fact):
    """All CiliumLocalRedirectPolicies."""

    items: tuple[LocalRedirectPolicy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


LocalRedirectPolicies.ways = (
    objects("local redirect policies", LOCAL_REDIRECT_POLICIES, LocalRedirectPolicy, LocalRedirectPolicies),
)
