"""Hubble's server in an agent, as its own command tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_FLOWS = re.compile(r"^Current/Max Flows:\s*([\d,]{1,30})(?:/([\d,]{1,30}))?", re.MULTILINE)
_RATE = re.compile(r"^Flows/s:\s*(\d{1,15}(?:\.\d{1,15})?)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class AgentHubble(Fact):
    """`hubble status` in the agent's container of one node."""

    flows: int | None
    """Flows in the ring buffer."""
    max_flows: int | None
    """As many as fit in."""
    seen_flows: int | None
    """Flows since Hubble started; text does not tell."""
    flows_per_second: float | None
    """How fast they come, over the last minute."""
    uptime: float | None
    """Seconds since Hubble started; text does not tell."""
    version: str
    """Such as `cilium v1.20.2+g0000000000`; empty when not told."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Status(msgspec.Struct, frozen=True):
    max_flows: int
    num_flows: int | None = None
    seen_flows: int | None = None
    uptime_ns: int | None = None
    flows_rate: float | None = None
    version: str = ""


def _decode_json(answer: Answer) -> AgentHubble:
    try:
        # Protobuf writes numbers of 64 bits as strings.
        status = msgspec.json.decode(answer.body, type=_Status, strict=False)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unreadable(f"not what the command prints: {error}") from error
    return AgentHubble(
        provenance=Provenance.of(answer.request, answer.end),
        flows=status.num_flows,
        max_flows=status.max_flows,
        seen_flows=status.seen_flows,
        flows_per_second=status.flows_rate,
        uptime=None if status.uptime_ns is None else status.uptime_ns / 1e9,
        version=status.version,
    )


def _decode_text(answer: Answer) -> AgentHubble:
    text = text_of(answer)
    flows, rate = _FLOWS.search(text), _RATE.search(text)
    if not flows:
        raise Unreadable("no line tells the number of flows", 0)
    return AgentHubble(
        provenance=Provenance.of(answer.request, answer.end),
        flows=number_of(flows[1].replace(",", "")),
        max_flows=number_of((flows[2] or "").replace(",", "")),
        seen_flows=None,
        flows_per_second=float(rate[1]) if rate else None,
        uptime=None,
        version="",
    )


_IN_STATUS = re.compile(
    r"^Hubble:\s+\S+\s+Current/Max Flows: (\d{1,15})/(\d{1,15}) \([0-9.]{1,15}%\)"
    r"(?:, Flows/s: (\d{1,15}(?:\.\d{1,15})?))?(?:\s|$)",
    re.MULTILINE,
)


def _decode_status(answer: Answer) -> AgentHubble:
    found = _IN_STATUS.search(text_of(answer))
    if not found:
        raise Unreadable("the agent's status tells no number of flows")
    return AgentHubble(
        provenance=Provenance.of(answer.request, answer.end),
        flows=number_of(found[1]),
        max_flows=number_of(found[2]),
        seen_flows=None,
        flows_per_second=float(found[3]) if found[3] else None,
        uptime=None,
        version="",
    )


AgentHubble.ways = (
    answered("hubble in the agent", asks("hubble", "status", "-o", "json"), _decode_json),
    answered("hubble in the agent as text", asks("hubble", "status"), _decode_text),
    answered("hubble in the agent's status", asks("cilium-dbg", "status", "--verbose"), _decode_status),
)
