"""An agent of which only its own output is there, and no Kubernetes object: an archive of cilium-bugtool."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.status_response import StatusResponse
from playbooks.model.cilium.wire import refusal, rows_of, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scene, Unreadable, Way, decoding
from playbooks.model.kube.pods import Pods
from playbooks.model.request import AgentCommand, Request

_NAMESPACE = re.compile(r"^K8sNamespace\s*: ([a-z0-9.-]{1,63})$", re.MULTILINE)
_STARTED = re.compile(r"^CreationTime\s*: ([0-9T:.Z-]{20,40})$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class LoneAgent(Fact):
    """The one agent that an archive without objects is of, by what it says of itself."""

    node: str
    """Its node; empty where agents are known by their pods."""
    version: str
    """Its version, such as `1.20.2`; empty when not told."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Pods,)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class LoneOptions(Fact):
    """Where that agent runs and since when, by its options."""

    namespace: str
    """Its namespace; empty where agents are known by their pods."""
    started_at: datetime | None
    """When it put its options together, which it does first of all."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Pods,)
    ways: ClassVar[tuple[Way, ...]]


def _asks(nobody: Callable[[Provenance], Fact], *argv: str) -> Callable[[Scene], Request | Gap | Fact]:
    """Ask without knowing the pod: only an archive of one agent can answer that, so nobody else is asked."""

    def ask(scene: Scene) -> Request | Gap | Fact:
        pods = scene.get(Pods)
        if isinstance(pods, Pods):
            return nobody(pods.provenance)
        return AgentCommand("", "", "", "", argv) if pods.kind is GapKind.NOT_RECORDED else pods

    return ask


def _of_status(answer: Answer) -> LoneAgent | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    status = struct_of(answer, StatusResponse)
    words = status.cilium.msg.split() if status.cilium else []
    version = words[0].removeprefix("v") if words and words[0][-1:].isdigit() else ""
    return _agent(answer, status.cluster.self_name if status.cluster else "", version)


class _Node(msgspec.Struct, frozen=True):
    name: str = ""
    source: str = ""


def _of_nodes(answer: Answer) -> LoneAgent | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    return _agent(answer, next((one.name for one in rows_of(answer, _Node) if one.source == "local"), ""), "")


def _agent(answer: Answer, name: str, version: str) -> LoneAgent:
    node = name.rpartition("/")[2]
    if not node:
        raise Unreadable("the answer does not tell the agent's own node")
    return LoneAgent(provenance=Provenance.of(answer.request, answer.end), node=node, version=version)


def _of_options(answer: Answer) -> LoneOptions | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    text = text_of(answer)
    found, started = _NAMESPACE.search(text), _STARTED.search(text)
    if not found:
        raise Unreadable("the options do not tell the agent's namespace")
    return LoneOptions(
        provenance=Provenance.of(answer.request, answer.end),
        namespace=found[1],
        started_at=time_of(started[1]) if started else None,
    )


def _no_agent(pods: Provenance) -> LoneAgent:
    return LoneAgent(provenance=pods, node="", version="")


def _no_options(pods: Provenance) -> LoneOptions:
    return LoneOptions(provenance=pods, namespace="", started_at=None)


LoneAgent.ways = (
    decoding("own status", _asks(_no_agent, "cilium-dbg", "status", "-o", "json"), _of_status),
    decoding("own list of nodes", _asks(_no_agent, "cilium-dbg", "node", "list", "-o", "json"), _of_nodes),
)
LoneOptions.ways = (decoding("own options", _asks(_no_options, "cilium-dbg", "config", "-a"), _of_options),)
