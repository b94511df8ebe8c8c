"""Rows of flows: only those on the screen are ever made."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.cells import cell_len

from playbooks.knowledge.drop_reasons import drop_reason
from playbooks.model.hubble.printers import words
from playbooks.model.hubble.proto import relay_pb2
from playbooks.model.hubble.seen import (
    Dns,
    Endpoint,
    Event,
    Http,
    Kafka,
    Lost,
    NodeStatus,
    Other,
    Reader,
    Seen,
)
from tui.flows.roll import Entry, Remark
from tui.ink import Ink, Line, Piece, cut, line, piece

_SECOND = 1_000_000_000
_WORD = 9
"""Columns of a verdict: most are no longer."""
_ROOMY = 100
"""Columns from which there is room for thousandths of a second."""
_TAKEN = 2 + _WORD + 1 + 3 + 2
"""Columns of verdict, blanks and arrow, and of the sign that a row goes on."""
_CONTENT = 24
"""Columns that protocol and content get at least, where they need them."""
_SHORTEST = 17
"""Columns of a name at least."""
_SIGNS = {
    "DROPPED": ("✗", Ink.ERROR),
    "ERROR": ("✗", Ink.ERROR),
    "FORWARDED": ("✓", Ink.OK),
    "REDIRECTED": ("✓", Ink.OK),
    "AUDIT": ("!", Ink.WARN),
}
_OTHER_SIGN = ("•", Ink.INFO)
_STATES = words.Names(relay_pb2.NodeState.DESCRIPTOR)
_ARROWS = {None: " → ", False: " → ", True: " ← "}


class Rows:
    """Makes rows; what repeats is decoded once."""

    def __init__(self) -> None:
        """For one stream."""
        self._reader = Reader()

    def event(self, raw: bytes) -> Event:
        """What a message says."""
        return self._reader.read(raw)

    def line(self, entry: Entry, width: int) -> Line:
        """A row for a pane of so many columns; may be longer."""
        if isinstance(entry, Remark):
            return line(piece(f"! {entry.said}", Ink.WARN if entry.is_loss else Ink.QUIET))
        event = self._reader.read(entry)
        at = Piece(f"{time_of_day(event.time, is_exact=width >= _ROOMY)} ", Ink.QUIET)
        match event:
            case Seen():
                return Line((at, *_flow(event, width - cell_len(at.text))))
            case Lost():
                return Line((at, piece(lost_words(event), Ink.WARN)))
            case NodeStatus():
                return Line((at, piece(f"! {node_words(event)}", Ink.WARN)))
            case Other():
                what = f"{event.kind}, {event.size:,} bytes" + (f": {event.detail}" if event.detail else "")
                return Line((at, piece(f"? {what}", Ink.UNSEEN)))


def time_of_day(nanoseconds: int, *, is_exact: bool = True) -> str:
    """The time of day, UTC; a flow may claim any time, also one that is none."""
    if not nanoseconds:
        return "--:--:--" + (".---" if is_exact else "")
    seconds, rest = divmod(nanoseconds, _SECOND)
    hours, of_hour = divmod(seconds % 86_400, 3600)
    text = f"{hours:02d}:{of_hour // 60:02d}:{of_hour % 60:02d}"
    return f"{text}.{rest // 1_000_000:03d}" if is_exact else text


def moment(nanoseconds: int) -> str:
    """Date and time, RFC 3339 with nanoseconds."""
    if not nanoseconds:
        return "not told"
    seconds, rest = divmod(nanoseconds, _SECOND)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
    except (ValueError, OverflowError, OSError):
        return f"{nanoseconds} ns after 1970, which is no time"


def verdict_piece(number: int, width: int = 0) -> Piece:
    """Sign and word of a verdict."""
    word = words.VERDICTS.of(number)
    sign, ink = _SIGNS.get(word, _OTHER_SIGN)
    return Piece(f"{sign} {word:<{width}}", ink)


def _flow(flow: Seen, width: int) -> tuple[Piece, ...]:
    """A flow in a row: names lose their end first, so that the reason and both sides can be read."""
    left, right = party(flow, is_source=True), party(flow, is_source=False)
    if flow.is_reply:
        left, right = right, left
    why, arrow = piece(reason(flow), Ink.ERROR), _ARROWS[flow.is_reply]
    what = piece(content(flow), Ink.PROOF)
    begin, end = piece(left).text, piece(right).text
    room = (
        width - _TAKEN - (cell_len(why.text) + 1 if why.text else 0) - min(_CONTENT, cell_len(what.text) + 1)
    )
    room = max(2 * _SHORTEST, room)
    ink = Ink.BOLD if why.text else Ink.PLAIN
    first = _short(begin, max(room // 2, room - cell_len(end)))
    pieces = [verdict_piece(flow.verdict, _WORD), Piece(" ")]
    if why.text:
        pieces += [why, Piece(" ")]
    pieces += [
        Piece(first, ink),
        Piece(arrow, Ink.QUIET),
        Piece(_short(end, room - cell_len(first)), ink),
    ]
    if what.text:
        pieces += [Piece(" "), what]
    more = " ".join(filter(None, (where(flow), flow.node)))
    return (*pieces, piece(f" {more}", Ink.QUIET)) if more else tuple(pieces)


def _short(name: str, width: int) -> str:
    """A name in at most `width` columns: its beginning and its port tell most."""
    base, colon, port = name.rpartition(":")
    if cell_len(name) <= width or not port.isdigit():
        return cut(name, width)
    return cut(base, max(1, width - len(port) - 1)) + colon + port


def party(flow: Seen, *, is_source: bool) -> str:
    """One side of a flow with its port: the port of who asked says nothing and is left out; raw."""
    end = flow.source if is_source else flow.destination
    names = flow.source_names if is_source else flow.destination_names
    address = flow.ip.source if is_source else flow.ip.destination
    service = flow.source_service if is_source else flow.destination_service
    name = _name(end) or service or (names[0] if names else "") or address or end.workload or "?"
    if not _name(end) and end.workload and name == address:
        name = f"{address} ({end.workload})"
    port = flow.l4.source_port if is_source else flow.l4.destination_port
    return f"{name}:{port}" if port and is_source is bool(flow.is_reply) else name


def _name(end: Endpoint) -> str:
    return f"{end.namespace}/{end.pod_name}" if end.pod_name and end.namespace else end.pod_name


def reason(flow: Seen) -> str:
    """Why it was dropped; empty when it was not."""
    if not flow.drop_reason:
        return ""
    known = drop_reason(flow.drop_reason)
    return known.printed if known else f"reason {flow.drop_reason}"


def content(flow: Seen) -> str:
    """Protocol, flags, and what a proxy understood; raw."""
    l7, l4 = flow.l7, flow.l4
    if l7 is not None:
        kind = words.L7_TYPES.of(l7.type).lower()
        return f"{_record(l7.record) or l7.kind or 'L7'} {kind}" + (
            f" {l7.latency_ns / 1e6:.3g} ms" if l7.latency_ns else ""
        )
    if l4.type is not None:
        return f"{l4.protocol} {l4.type}" + ("" if l4.code is None else f"/{l4.code}")
    return " ".join((l4.protocol, *l4.flag_names)).strip()


def _record(record: Dns | Http | Kafka | None) -> str:
    match record:
        case Dns():
            answer = f" {', '.join(record.ips)}" if record.ips else ""
            code = f" rcode {record.rcode}" if record.rcode else ""
            return f"DNS {','.join(record.qtypes)} {record.query}{code}{answer}"
        case Http():
            code = str(record.code) if record.code else ""
            return " ".join(filter(None, (record.protocol, record.method, record.url, code)))
        case Kafka():
            code = f" error {record.error_code}" if record.error_code else ""
            return f"Kafka {record.api_key} {record.topic}{code}"
    return ""


def where(flow: Seen) -> str:
    """At which point of the datapath it was seen, as the hubble command names it."""
    if flow.event_type == words.TRACE:
        return words.trace_point(flow.sub_type)
    if flow.event_type == words.POLICY_VERDICT:
        return f"policy-verdict:{words.policy_match(flow.policy_match_type)} {direction(flow)}".strip()
    return direction(flow)


def direction(flow: Seen) -> str:
    """`ingress` or `egress`; empty when not told."""
    return words.DIRECTIONS.of(flow.direction).lower() if flow.direction else ""


def lost_words(event: Lost) -> str:
    """What was lost, where; raw."""
    cpu = "" if event.cpu is None else f", CPU {event.cpu}"
    source = words.LOST_SOURCES.of(event.source)
    return f"! {event.count:,} events were lost on {event.node or 'an unknown node'} ({source}{cpu})"


def node_words(event: NodeStatus) -> str:
    """What became of nodes; raw."""
    state = _STATES.of(event.state).removeprefix("NODE_").lower().replace("_", " ")
    names = ", ".join(event.nodes[:5]) + (f" and {len(event.nodes) - 5} more" if len(event.nodes) > 5 else "")
    return f"{names or 'no node'}: {state}" + (f", {event.message}" if event.message else "")
