"""What kind of event a flow is: where it was seen, why it was dropped, which policy, which protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.printers import words
from playbooks.model.hubble.printers.flow import ShallowFlow
from playbooks.model.hubble.proto import flow_pb2


class Event(NamedTuple):
    """The type of an event."""

    type: int
    """As monitor counts them."""
    text: str
    """What its sub-type means; empty where that says nothing."""


class Kinds:
    """Tells kinds of events in the words of the hubble command."""

    def __init__(self, part: Callable[[str], str]) -> None:
        """`part` makes a string of a flow fit for where it goes."""
        self._part = part
        self.events = Memory(event)
        """The type of an event, by the bytes of it."""
        self._l7 = Memory(self._make_l7)

    def text(self, flow: ShallowFlow, event: Event) -> str:
        """The kind in words."""
        l7 = flow.l7
        if l7 or flow.HasField("l7"):
            return self._l7[l7]
        if event.text:
            return event.text
        if event.type == words.POLICY_VERDICT:
            match, direction = words.policy_match(flow.policy_match_type), flow.traffic_direction
            return f"policy-verdict:{match} {words.DIRECTIONS.of(direction)}"
        if event.type == words.CAPTURE:
            return words.capture_point(flow.debug_capture_point)
        if event.type == words.TRACE_SOCK:
            return words.socket_point(flow.sock_xlate_point)
        return "UNKNOWN"

    def _make_l7(self, raw: bytes) -> str:
        l7 = flow_pb2.Layer7.FromString(raw)
        kind = words.L7_TYPES.of(l7.type).lower()
        record = l7.WhichOneof("record")
        if record == "dns":
            return f"dns-{kind} {self._part(l7.dns.observation_source)}"
        return f"{'http' if record == 'http' else 'l7'}-{kind}"


def event(raw: bytes) -> Event:
    """The type of an event, from a serialized CiliumEventType."""
    made = flow_pb2.CiliumEventType.FromString(raw)
    if made.type == words.TRACE:
        return Event(made.type, words.trace_point(made.sub_type))
    if made.type == words.DROP:
        return Event(made.type, words.drop_text(made.sub_type))
    return Event(made.type, "")
