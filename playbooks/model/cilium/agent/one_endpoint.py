"""What an agent tells about one endpoint: all of it, its log, its health.

Each endpoint is a kind of fact of its own, made by the functions here: `await know(endpoint_log(51), node)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agent.endpoint import Endpoint, EndpointHealth, LogEntry
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import rows_of, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


@dataclass(frozen=True, kw_only=True)
class EndpointDetail(Fact):
    """`cilium-dbg endpoint get` of one endpoint."""

    endpoint: Endpoint
    """The endpoint."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@dataclass(frozen=True, kw_only=True)
class EndpointLog(Fact):
    """`cilium-dbg endpoint log` of one endpoint."""

    items: tuple[LogEntry, ...]
    """The newest first; the agent keeps 256."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@dataclass(frozen=True, kw_only=True)
class EndpointHealthReport(Fact):
    """`cilium-dbg endpoint health` of one endpoint."""

    health: EndpointHealth
    """What it says."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@cache
def endpoint_detail(endpoint: int) -> type[EndpointDetail]:
    """The kind of fact that tells everything about an endpoint, by its number on a node."""
    ask = asks("cilium-dbg", "endpoint", "get", str(endpoint), "-o", "json")

    class Detail(EndpointDetail):
        ways: ClassVar[tuple[Way, ...]]

    def decode(answer: Answer) -> Fact | Gap:
        items = rows_of(answer, Endpoint)
        if len(items) != 1:
            raise Unreadable(f"{len(items)} endpoints instead of one")
        return Detail(provenance=Provenance.of(answer.request, answer.end), endpoint=items[0])

    Detail.ways = (answered("agent's endpoint", ask, lambda answer: _unknown(answer) or decode(answer)),)
    return Detail


@cache
def endpoint_log(endpoint: int) -> type[EndpointLog]:
    """The kind of fact that tells the log of an endpoint, by its number on a node."""
    command = ("cilium-dbg", "endpoint", "log", str(endpoint))

    class Entries(EndpointLog):
        ways: ClassVar[tuple[Way, ...]]

    def decode(answer: Answer) -> Fact:
        items = rows_of(answer, LogEntry)
        return Entries(provenance=Provenance.of(answer.request, answer.end), items=items)

    def decode_text(answer: Answer) -> Fact:
        lines = text_of(answer).split("\n")
        items = tuple(map(_entry, rows_in(lines, ("Timestamp", "Status", "State", "Message"))))
        return Entries(provenance=Provenance.of(answer.request, answer.end), items=items)

    Entries.ways = (
        answered("endpoint's log", asks(*command, "-o", "json"), decode),
        answered("endpoint's log as text", asks(*command), decode_text),
    )
    return Entries


@cache
def endpoint_health(endpoint: int) -> type[EndpointHealthReport]:
    """The kind of fact that tells how the parts of an endpoint are, by its number on a node."""
    command = ("cilium-dbg", "endpoint", "health", str(endpoint))

    class Report(EndpointHealthReport):
        ways: ClassVar[tuple[Way, ...]]

    def make(answer: Answer, health: EndpointHealth) -> Fact:
        if not health.overall:
            raise Unreadable("the answer does not say how the endpoint is")
        return Report(provenance=Provenance.of(answer.request, answer.end), health=health)

    Report.ways = (
        answered(
            "endpoint's health",
            asks(*command, "-o", "json"),
            lambda answer: make(answer, struct_of(answer, EndpointHealth)),
        ),
        answered("endpoint's health as text", asks(*command), lambda answer: make(answer, _health(answer))),
    )
    return Report


def _unknown(answer: Answer) -> Gap | None:
    if answer.body.strip() not in (b"[]", b"null"):
        return None
    end = answer.end
    return Gap(GapKind.NOT_FOUND, "no such endpoint", end.command, "", answer.request.node, end.taken_at)


def _entry(row: Row) -> LogEntry:
    return LogEntry(row.text("Status"), row.text("Message"), row.text("State"), row.text("Timestamp"))


_HEALTH = {"Overall Health": "overall", "BPF Health": "bpf", "Policy Health": "policy"}


def _health(answer: Answer) -> EndpointHealth:
    rows = dict(line.partition(":")[::2] for line in text_of(answer).split("\n") if ":" in line)
    told = {field: rows[label].strip() for label, field in _HEALTH.items() if label in rows}
    connected = {"yes": True, "no": False}.get(rows.get("Connected", "").strip())
    return EndpointHealth(**told, connected=connected)
