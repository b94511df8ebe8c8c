"""Local redirect policies as an agent has them in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agent.services import Frontend, ServiceBackend
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


class RedirectBackend(msgspec.Struct, frozen=True, rename="kebab"):
    """A local pod that traffic is led to."""

    pod_id: str = ""
    """`namespace/name`."""
    backend_address: ServiceBackend | None = None


class RedirectFrontend(msgspec.Struct, frozen=True, rename="kebab"):
    """An address whose traffic is led to local pods."""

    frontend_address: Frontend | None = None
    backends: tuple[RedirectBackend, ...] | None = None


class LocalRedirect(msgspec.Struct, frozen=True, rename="kebab"):
    """One policy."""

    name: str = ""
    namespace: str = ""
    frontend_type: str = ""
    lrp_type: str = ""
    service_id: str = ""
    """`namespace/name` of the service, for policies that name one."""
    frontend_mappings: tuple[RedirectFrontend, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class AgentRedirects(Fact):
    """`cilium-dbg lrp list` of one node."""

    items: tuple[LocalRedirect, ...]
    """In the order of the agent; empty also where the feature is off."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _decode(answer: Answer) -> AgentRedirects:
    items = rows_of(answer, LocalRedirect)
    return AgentRedirects(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentRedirects:
    if [*rows_in(text_of(answer).split("\n"), ("LRP namespace", "LRP name", "FrontendType"))]:
        raise Unreadable("the answer holds policies, of which only JSON tells where they lead")
    return AgentRedirects(provenance=Provenance.of(answer.request, answer.end), items=())


AgentRedirects.ways = (
    answered("agent's local redirects", asks("cilium-dbg", "lrp", "list", "-o", "json"), _decode),
    answered("agent's local redirects as text", asks("cilium-dbg", "lrp", "list"), _decode_text),
)
