"""Rules that kube-proxy wrote into a node's iptables, of which Cilium knows nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.commands import agent_of
from playbooks.model.cilium.agent.iptables import SavedRules
from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way
from playbooks.model.request import Request

_CHAIN = re.compile(rb"^:(KUBE-(?:SVC|SEP|XLB|EXT|FW|NODEPORTS|SERVICES)[\w-]{0,40}) ", re.MULTILINE)
"""Chains of services; others that begin alike belong to the kubelet."""
_OF_SERVICE = (b"KUBE-SVC", b"KUBE-SEP", b"KUBE-XLB", b"KUBE-EXT", b"KUBE-FW")


@dataclass(frozen=True, kw_only=True)
class ProxyRules(Fact):
    """Chains of kube-proxy in `iptables-save` of one node; asked only where Cilium is in its place."""

    chains: int
    """How many chains stand for services and their backends."""
    example: str
    """One of them; empty for none."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, Replacement)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(slots=True)
class _Counted:
    chains: int = 0
    example: str = ""

    def take(self, lines: bytes) -> None:
        for match in _CHAIN.finditer(lines):
            if match[1].startswith(_OF_SERVICE):
                self.chains += 1
                self.example = self.example or match[1].decode("ascii", "replace")

    def told(self, provenance: Provenance) -> ProxyRules:
        return ProxyRules(provenance=provenance, chains=self.chains, example=self.example)


def _reading() -> SavedRules:
    counted = _Counted()
    return SavedRules(counted.take, counted.told)


def _ask(scene: Scene) -> Request | Gap | Fact:
    agent, replacement = agent_of(scene), scene.get(Replacement)
    if isinstance(agent, Gap):
        return agent
    if isinstance(replacement, Gap):
        return replacement
    if not replacement.is_on:
        return ProxyRules(provenance=replacement.provenance, chains=0, example="")
    return agent.command("iptables-save")


ProxyRules.ways = (Way("iptables-save", _ask, _reading),)
