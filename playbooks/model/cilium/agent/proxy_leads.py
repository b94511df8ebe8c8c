"""Rules in a node's iptables that lead traffic to the agent's proxies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.iptables import SavedRules
from playbooks.model.cilium.agents import Agents
from playbooks.model.dns.proxy import DnsProxy
from playbooks.model.fact import Fact, Scene, Scope, Way
from playbooks.model.request import Request

_LEAD = re.compile(rb"TPROXY to host (cilium-[\w-]{1,60}) proxy.{0,200}--on-port (\d{1,5})")


@dataclass(frozen=True, slots=True, order=True)
class Lead:
    """One rule."""

    proxy: str
    """Such as `cilium-dns-egress`."""
    port: int
    """To which port it leads."""


@dataclass(frozen=True, kw_only=True)
class ProxyLeads(Fact):
    """TPROXY rules of one node; asked only where a policy leads questions for names to the DNS proxy."""

    items: tuple[Lead, ...]
    """Each once; none where the datapath leads to proxies without iptables."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, DnsProxy)
    ways: ClassVar[tuple[Way, ...]]


def _reading() -> SavedRules:
    found: set[Lead] = set()

    def take(lines: bytes) -> None:
        found.update(Lead(name.decode("ascii"), int(port)) for name, port in _LEAD.findall(lines))

    return SavedRules(take, lambda provenance: ProxyLeads(provenance=provenance, items=tuple(sorted(found))))


def _ask(scene: Scene) -> Request | Gap | Fact:
    agents, proxy = scene.get(Agents), scene.get(DnsProxy)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    if isinstance(agent, Gap):
        return agent
    if isinstance(proxy, Gap):
        return proxy
    if not proxy.redirects:
        return ProxyLeads(provenance=proxy.provenance, items=())
    return agent.command("iptables-save")


ProxyLeads.ways = (Way("iptables-save", _ask, _reading),)
