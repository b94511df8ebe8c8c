"""The question "may this call that" about a flow: its own ends, port and request."""

from __future__ import annotations

from urllib.parse import urlsplit

from playbooks.model.hubble.seen import Seen
from playbooks.model.hubble.seen.parts import Dns, Endpoint, Http
from tui.view.why_form import WhyForm

_PORTS = ("TCP", "UDP", "SCTP")


def question_of(flow: Seen) -> WhyForm | None:
    """Who called whom, and for what; nothing where the flow does not tell both ends.

    A reply names the ends the other way round: who called is its destination.
    """
    one, other = _name(flow.source, flow.ip.source), _name(flow.destination, flow.ip.destination)
    source, destination = (other, one) if flow.is_reply else (one, other)
    if not source or not destination:
        return None
    record = flow.l7.record if flow.l7 else None
    http = f"{record.method} {urlsplit(record.url).path or '/'}" if isinstance(record, Http) else ""
    dns = record.query.rstrip(".") if isinstance(record, Dns) else ""
    return WhyForm(source, destination, _port(flow), http, dns)


def _name(end: Endpoint, address: str) -> str:
    return f"{end.namespace}/{end.pod_name}" if end.pod_name and end.namespace else address


def _port(flow: Seen) -> str:
    number = flow.l4.source_port if flow.is_reply else flow.l4.destination_port
    return f"{number}/{flow.l4.protocol}" if number and flow.l4.protocol in _PORTS else ""
