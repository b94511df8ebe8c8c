"""A setting of the kernel that Cilium neither makes nor watches, read where a gateway depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agent.commands import agent_of
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import minor_of
from playbooks.model.cilium.wire import refusal
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way, decoding
from playbooks.model.request import Request
from playbooks.model.text import decoded

SETTING = "net.ipv4.conf.all.src_valid_mark"
_GATEWAYS = ("enable-gateway-api", "enable-ingress-controller")
_SINCE = (1, 19)
"""The first version of which it is known that it matters."""


@dataclass(frozen=True, kw_only=True)
class MarkValidation(Fact):
    """`sysctl net.ipv4.conf.all.src_valid_mark` of one node."""

    value: str
    """`0` or `1`; empty where nothing depends on it, so that it is not asked."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, CiliumConfig)
    ways: ClassVar[tuple[Way, ...]]


def _ask(scene: Scene) -> Request | Gap | Fact:
    agent, config = agent_of(scene), scene.get(CiliumConfig)
    if isinstance(agent, Gap):
        return agent
    if isinstance(config, Gap):
        return config
    version = minor_of(agent.version)
    if not any(map(config.is_on, _GATEWAYS)) or (version is not None and version < _SINCE):
        return MarkValidation(provenance=Provenance("", "", config.taken_at, scene.node), value="")
    return agent.command("sysctl", SETTING)


def _decode(answer: Answer) -> MarkValidation | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    name, _, value = decoded(answer.body).strip().partition("=")
    if name.strip() != SETTING or value.strip() not in ("0", "1"):
        raise Unreadable(f"not the setting {SETTING}", 0)
    return MarkValidation(provenance=Provenance.of(answer.request, answer.end), value=value.strip())


MarkValidation.ways = (decoding("sysctl", _ask, _decode),)
