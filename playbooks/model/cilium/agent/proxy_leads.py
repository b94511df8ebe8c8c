"""Rules in a node's iptables that lead traffic to the agent's proxies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from playbooks.model.answer import Answer, End, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import refusal
from playbooks.model.dns.proxy import DnsProxy
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way
from playbooks.model.request import Request

_LEAD = re.compile(rb"TPROXY to host (cilium-[\w-]{1,60}) proxy.{0,200}--on-port (\d{1,5})")
_KEPT = 4096
"""Bytes of an unfinished line, and of the answer's beginning, that are kept."""


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


@dataclass(slots=True)
class _Reading:
    """Keeps the rules alone: beside kube-proxy the answer grows with services and pods."""

    found: set[Lead] = field(default_factory=set)
    head: bytes = b""
    rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        self.head += chunk[: max(0, _KEPT - len(self.head))]
        lines, _, self.rest = (self.rest[-_KEPT:] + chunk).rpartition(b"\n")
        self._take(lines)

    def finish(self, request: Request, end: End) -> Fact | Gap:
        refused = refusal(Answer(request, self.head, end))
        if refused:
            return refused
        self._take(self.rest)
        if b"*" not in self.head and b"# Generated" not in self.head:
            raise Unreadable("not what iptables-save prints", 0)
        return ProxyLeads(provenance=Provenance.of(request, end), items=tuple(sorted(self.found)))

    def _take(self, lines: bytes) -> None:
        self.found |= {Lead(name.decode("ascii"), int(port)) for name, port in _LEAD.findall(lines)}


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


ProxyLeads.ways = (Way("iptables-save", _ask, _Reading),)
