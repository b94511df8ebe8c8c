"""The DNS proxy of an agent: whose questions it reads, and where it listens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import Fact, Scene, Scope

_PROXY = "cilium-dns"
"""How the proxies are named: `cilium-dns-egress`, with an address family in some versions."""


@dataclass(frozen=True, slots=True)
class DnsRedirect:
    """Questions of one endpoint that are led through the proxy."""

    endpoint: int | None
    """Number of the endpoint; nothing where the name does not tell it."""
    protocol: str
    """`UDP`, `TCP` or `SCTP`."""
    port: int | None
    """The port that the endpoint asks, mostly 53."""
    proxy_port: int
    """Where the proxy listens; 0 until it does."""


@dataclass(frozen=True, kw_only=True)
class DnsProxy(Fact):
    """The DNS proxy of one node, as the agent's status tells it."""

    redirects: tuple[DnsRedirect, ...]
    """By endpoint and protocol; none where no policy names names."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (AgentStatus,)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> DnsProxy | Gap:
        """Take the redirects to it out of the agent's status."""
        status = scene.get(AgentStatus)
        if isinstance(status, Gap):
            return status
        proxy = status.response.proxy
        if proxy is None:
            where = status.provenance
            detail = f"the agent's status on {scene.node} does not tell its proxies"
            return Gap(GapKind.NOT_FOUND, detail, command=where.command, node=scene.node)
        found = [
            _redirect(one.name, one.proxy_port)
            for one in proxy.redirects
            if _PROXY in one.proxy or _PROXY in one.name
        ]
        ordered = sorted(found, key=lambda one: (one.endpoint or 0, one.protocol))
        place = replace(status.provenance, way="redirects to the DNS proxy")
        return cls(provenance=place, redirects=tuple(ordered))

    @property
    def endpoints(self) -> frozenset[int]:
        """Endpoints whose questions it reads."""
        return frozenset(one.endpoint for one in self.redirects if one.endpoint is not None)

    @property
    def ports(self) -> frozenset[int]:
        """Where it listens."""
        return frozenset(one.proxy_port for one in self.redirects if one.proxy_port)


def _redirect(name: str, proxy_port: int) -> DnsRedirect:
    """A redirect by its name, such as `31:egress:UDP:53:`."""
    parts = [*name.split(":"), "", "", "", ""]
    return DnsRedirect(_number(parts[0]), parts[2], _number(parts[3]), proxy_port)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
