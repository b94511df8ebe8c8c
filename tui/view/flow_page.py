"""One flow as a page: what happened, to whom, by which policy, why it was dropped, every field, commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from playbooks.knowledge.drop_reasons import drop_reason
from playbooks.model.answer import Gap
from playbooks.model.hubble.aggregation.policies import Behind, behind, reasons
from playbooks.model.hubble.printers import words
from playbooks.model.hubble.seen import Endpoint, Event, Lost, NodeStatus, Other, Reader, Seen
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.text import Text
from tui.flows.roll import Entry, Remark
from tui.ink import BLANK, Ink, Line, line, lines, piece
from tui.view import flow_row
from tui.view.flow_question import question_of
from tui.view.topic import Copy, command_copy, command_lines, labelled
from tui.view.why_form import WhyForm

if TYPE_CHECKING:
    from playbooks.engine.discovery import Catalogue

_WIDTH = 12
_LARGEST = 256 * 1024
"""Bytes of a message whose fields are listed."""


@dataclass(frozen=True, slots=True)
class FlowPage:
    """An entry of the list that was opened."""

    entry: Entry
    """As it came."""
    known: Catalogue | None = None
    """The rules, for the page of a drop reason."""
    written: WrittenPolicies | Gap | None = None
    """The policies of the cluster; nothing while they are being read."""

    @property
    def event(self) -> Event | None:
        """What it says; nothing for a remark of ours."""
        return None if isinstance(self.entry, Remark) else Reader().read(self.entry)

    @property
    def title(self) -> Line:
        """One line that sums it up."""
        return flow_row.Rows().line(self.entry, 200)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The page."""
        return tuple(self._lines())

    @property
    def commands(self) -> tuple[tuple[str, Text], ...]:
        """Commands that show the same, each with what it is."""
        event = self.event
        return tuple(_commands(event)) if isinstance(event, Seen) else ()

    @property
    def question(self) -> WhyForm | None:
        """Whether the policies let this pass now, as a question; nothing where an end is not told."""
        event = self.event
        return question_of(event) if isinstance(event, Seen) else None

    def copies(self) -> tuple[Copy, ...]:
        """The commands, and the flow as JSON."""
        copies = [command_copy(name, command) for name, command in self.commands]
        if isinstance(self.entry, bytes):
            copies.append(Copy("the event, as JSON", as_json(self.entry)))
        return tuple(copies)

    def _lines(self) -> Iterator[Line]:
        match self.event:
            case None:
                assert isinstance(self.entry, Remark)
                yield from lines(Text(self.entry.said))
                return
            case Seen() as flow:
                yield from self._flow(flow)
            case Lost() as lost:
                yield from _lost(lost)
            case NodeStatus() as status:
                yield line(flow_row.node_words(status), ink=Ink.WARN)
                yield from _labelled("told by", status.node)
            case Other() as other:
                yield line(f"{other.kind}: {other.detail or 'no flow'}", ink=Ink.UNSEEN)
        yield from _fields(self.entry)

    def _flow(self, flow: Seen) -> Iterator[Line]:
        yield line(flow_row.verdict_piece(flow.verdict), piece(f"  {flow_row.content(flow)}", Ink.PROOF))
        yield from _labelled("from", _end(flow, is_source=True))
        yield from _labelled("to", _end(flow, is_source=False))
        yield from _labelled("when", f"{flow_row.moment(flow.time)} by the clock of the node")
        late = "; it came late, after younger ones" if flow.is_late else ""
        yield from _labelled("seen by", f"{flow.node or 'an unknown node'}{late}")
        yield from _labelled("where", _where(flow))
        if why := flow_row.reason(flow):
            yield from _labelled("dropped", piece(why, Ink.ERROR).text)
        yield BLANK
        if question_of(flow):
            yield line(
                piece("enter", Ink.KEY), " asks what decides it now, and drafts the rule that is missing"
            )
            yield BLANK
        yield from self._policies(flow)
        yield from self._why(flow)
        yield from self._by_hand()
        yield BLANK
        yield from _party("From", flow.source, flow.source_names, flow.source_service)
        yield from _party("To", flow.destination, flow.destination_names, flow.destination_service)

    def _policies(self, flow: Seen) -> Iterator[Line]:
        yield line("Policies", ink=Ink.TITLE)
        named = reasons(flow)
        for one in named:
            path = f"{one.namespace}/{one.name}" if one.namespace else one.name
            way = words.DIRECTIONS.of(one.direction).lower()
            word = piece("denied by  ", Ink.ERROR) if one.is_denial else piece("allowed by ", Ink.OK)
            yield line(word, f"{one.kind or 'policy'} {path}", piece(f"  ({way})", Ink.QUIET), indent=2)
        if named:
            return
        if self.written is None:
            yield line("Hubble names none; reading the cluster's policies...", ink=Ink.QUIET, indent=2)
        elif isinstance(self.written, Gap):
            said = f"Hubble names none, and the cluster's cannot be read: {self.written.detail}"
            yield line(said, ink=Ink.UNSEEN, indent=2)
        else:
            yield from _found(behind(flow, self.written))

    def _why(self, flow: Seen) -> Iterator[Line]:
        known = drop_reason(flow.drop_reason) if flow.drop_reason else None
        if flow.drop_reason and known is None:
            yield BLANK
            yield line(f"Drop reason {flow.drop_reason} is newer than this version.", ink=Ink.UNSEEN)
        if known is None or self.known is None:
            return
        from playbooks.engine.explaining.pages import drop_page

        yield BLANK
        yield line("Why it was dropped", ink=Ink.TITLE)
        yield from (line(said, indent=2, hang=10) for said in drop_page(known, self.known) if said)

    def _by_hand(self) -> Iterator[Line]:
        yield BLANK
        yield line("What a person would type", ink=Ink.TITLE)
        for name, command in self.commands:
            yield line(name, ink=Ink.QUIET, indent=2)
            yield from command_lines(command, 2)


def _labelled(label: str, said: str) -> Iterator[Line]:
    yield from labelled(label, said, width=_WIDTH)


def _end(flow: Seen, *, is_source: bool) -> str:
    end = flow.source if is_source else flow.destination
    address = flow.ip.source if is_source else flow.ip.destination
    port = flow.l4.source_port if is_source else flow.l4.destination_port
    shown = f"[{address}]" if ":" in address else address
    where = f"{shown}:{port}" if port else address
    name = flow_row.party(flow, is_source=is_source)
    identity = f"identity {end.identity}" if end.identity else "no identity told"
    return f"{name.removesuffix(f':{port}')}  {where}  {identity}"


def _where(flow: Seen) -> str:
    reply = {None: "it is not known whether it is a reply", True: "a reply", False: "no reply"}[flow.is_reply]
    way = flow_row.direction(flow) or "direction not told"
    point = flow_row.where(flow)
    return ", ".join((way, reply, *((point,) if point != flow_row.direction(flow) else ())))


def _party(title: str, end: Endpoint, names: Sequence[str], service: str) -> Iterator[Line]:
    yield line(title, ink=Ink.TITLE)
    yield from _labelled("pod", f"{end.namespace}/{end.pod_name}" if end.pod_name else "none told")
    owners = ", ".join(f"{one.kind} {one.name}" for one in end.workloads)
    yield from _labelled("workload", owners)
    yield from _labelled("service", service)
    yield from _labelled("names", ", ".join(names))
    yield from _labelled("endpoint", str(end.id) if end.id else "")
    yield from _labelled("cluster", end.cluster_name)
    for number, label in enumerate(end.labels):
        yield from _labelled("labels" if number == 0 else "", label)


def _found(found: Behind | None) -> Iterator[Line]:
    if found is None:
        yield line(
            "none can be told for this flow: replies and traces ask no policy", ink=Ink.QUIET, indent=2
        )
        return
    doubt = "" if found.is_complete else "; some policies cannot be read"
    yield line(
        f"Hubble names none. By the policies as they are written now: {found.decision}{doubt}",
        ink=Ink.QUIET,
        indent=2,
    )
    for ref in found.policies:
        yield line(str(ref), indent=4)
    if not found.policies:
        yield line("no policy selects this side", indent=4)


def _lost(event: Lost) -> Iterator[Line]:
    yield line(flow_row.lost_words(event), ink=Ink.WARN)
    yield from _labelled("when", flow_row.moment(event.time))
    if event.first or event.last:
        yield from _labelled("from", flow_row.moment(event.first))
        yield from _labelled("to", flow_row.moment(event.last))
    yield line("Flows of this time are missing from the list, and nobody knows which.")


def _fields(entry: Entry) -> Iterator[Line]:
    if not isinstance(entry, bytes):
        return
    yield BLANK
    yield line("Every field, as Hubble's JSON", ink=Ink.TITLE)
    if len(entry) > _LARGEST:
        yield line(f"{len(entry):,} bytes are more than are shown; copy it with c", ink=Ink.UNSEEN)
        return
    yield from lines(Text(as_json(entry)), Ink.PROOF, indent=2)


def as_json(raw: bytes) -> str:
    """An event as Hubble's JSON, laid out; what is wrong with it when it is none."""
    from google.protobuf.message import DecodeError

    from playbooks.model.hubble.jsonpb import writer_of
    from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

    try:
        return msgspec.json.format(writer_of(ExportEvent.DESCRIPTOR).text(raw), indent=2)
    except (DecodeError, ValueError) as error:
        return f"it cannot be read: {error}"


def _commands(flow: Seen) -> Iterator[tuple[str, Text]]:
    argv = ["hubble", "observe"]
    for flag, end in (("--from", flow.source), ("--to", flow.destination)):
        address = flow.ip.source if flag == "--from" else flow.ip.destination
        if end.pod_name:
            argv += [f"{flag}-pod", f"{end.namespace}/{end.pod_name}" if end.namespace else end.pod_name]
        elif address:
            argv += [f"{flag}-ip", address]
    port = flow.l4.source_port if flow.is_reply else flow.l4.destination_port
    if port:
        argv += ["--from-port" if flow.is_reply else "--to-port", str(port)]
    yield "the same traffic", Text(shlex.join((*argv, "--last", "50")))
    if flow.uuid:
        yield "this flow", Text(shlex.join(("hubble", "observe", "--uuid", flow.uuid, "-o", "jsonpb")))
    for name, end in (("the pod it comes from", flow.source), ("the pod it goes to", flow.destination)):
        if end.pod_name and end.namespace:
            yield (
                name,
                Text(shlex.join(("kubectl", "-n", end.namespace, "get", "pod", end.pod_name, "-o", "wide"))),
            )
    if asked := question_of(flow):
        yield "may it pass now", Text(asked.command())
    if flow.drop_reason:
        yield "why packets are dropped", Text(f"honeyguide explain {flow.drop_reason}")
