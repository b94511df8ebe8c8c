"""What was seen of each node: where to go on after a break, what came twice, and of what nothing is known.

Nothing here reads a clock. Times are nanoseconds: of nodes where they come from messages, ours where they are
arrivals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import DecodeError

from playbooks.model.hubble.proto import observer_pb2, relay_pb2
from playbooks.sources.hubble.clocks import Clocks
from playbooks.sources.hubble.events import Event, Hole, Lost, NodeStatus
from playbooks.sources.hubble.wish import SECOND, Call

OVERLAP = 2 * SECOND
"""How much is asked for again after a break: flows of one node come in the order of its CPUs, not of time."""
RECENT = 32_768
"""Messages kept to tell what came twice."""
RECENT_SIZE = 4096
"""Of larger messages only the key is kept."""
LARGE = 1024
"""How many such keys."""
PATIENCE = 30 * SECOND
"""How long after a reconnect repetitions are looked for on nodes that stay silent."""
SETTLED = 10 * SECOND
"""How long after the beginning events may be old ones."""
_RESPONSE = {
    Call.FLOWS: observer_pb2.GetFlowsResponse,
    Call.AGENT_EVENTS: observer_pb2.GetAgentEventsResponse,
    Call.DEBUG_EVENTS: observer_pb2.GetDebugEventsResponse,
}
_AWAY = (relay_pb2.NODE_UNAVAILABLE, relay_pb2.NODE_ERROR)


@dataclass(slots=True)
class _Node:
    """One node."""

    last: int
    """Time of its newest event."""
    arrived: int
    """When that arrived."""
    away_since: int = 0
    """Since when nothing of it can come; 0 while something can."""
    reason: str = ""
    """Why not."""


@dataclass(frozen=True, slots=True)
class _Again:
    """What may come twice of one node."""

    mark: int
    """All until then has been seen."""
    floor: int
    """What is older was seen for certain; from there on single events are told apart."""


class Seen:
    """The memory of one stream."""

    def __init__(self, call: Call) -> None:
        """Nothing was seen yet."""
        self._response = _RESPONSE[call]
        self._nodes: dict[str, _Node] = {}
        self._recent: deque[bytes] = deque(maxlen=RECENT)
        self._large: deque[object] = deque(maxlen=LARGE)
        self._keys: set[object] = set()
        self._earliest: dict[str, int] = {}
        self._clocks = Clocks()
        self._clocks_from = 0
        self._again: dict[str, _Again] = {}
        self._unproven: dict[str, int] = {}
        self._again_until = 0
        self._arrived = 0
        self.keep = self._recent.append
        """Remember a message, unparsed; the caller keeps out those over `RECENT_SIZE`."""

    def remember(self, raw: bytes) -> None:
        """Remember a message of any size."""
        if len(raw) <= RECENT_SIZE:
            self.keep(raw)
        elif message := self._parsed(raw):
            self._large.append(self._key(message, raw))

    @property
    def is_overlapping(self) -> bool:
        """Whether messages may be repetitions, so that each has to go through `judged`."""
        return bool(self._again or self._unproven)

    def opened(self, now: int, *, is_live: bool) -> None:
        """A connection was opened; `is_live` when it will tell what happens, not only what has happened."""
        self._clocks_from = now + SETTLED if is_live else 0

    def arrival(self, now: int) -> None:
        """Something arrived."""
        self._arrived = now
        if self._again and now > self._again_until:
            self._again.clear()
            self._keys.clear()

    def note(self, raw: bytes, now: int) -> list[Event]:
        """Remember whose message it is and when: some of many, each of few. What that tells."""
        self.arrival(now)
        message = self._parsed(raw)
        if message is None or not message.node_name:
            return []
        name, at = message.node_name, message.time.ToNanoseconds()
        self._note(name, at, now)
        # What is old when it arrives says nothing of a clock, and first comes what happened before.
        is_fresh = 0 < self._clocks_from <= now
        skews = self._clocks.note(name, at, now) if is_fresh else ()
        return [*self._back(name, at, OVERLAP), *skews]

    def _note(self, name: str, at: int, now: int) -> None:
        if not name or at <= 0:
            return
        node = self._nodes.get(name)
        if node is None:
            self._nodes[name] = _Node(at, now)
        elif at > node.last:
            node.last, node.arrived = at, now

    def _parsed(self, raw: bytes) -> observer_pb2.GetFlowsResponse | None:
        try:
            message: observer_pb2.GetFlowsResponse = self._response.FromString(raw)  # type: ignore[attr-defined]
        except DecodeError:
            return None
        return message

    def control(self, raw: bytes, now: int) -> Iterator[Event]:
        """What a message tells that is no flow: nodes and losses; nothing for anything else."""
        self.arrival(now)
        message = self._parsed(raw)
        if not isinstance(message, observer_pb2.GetFlowsResponse):
            return
        if message.HasField("node_status"):
            status = message.node_status
            nodes = tuple(status.node_names)
            yield NodeStatus(raw, int(status.state_change), nodes, status.message, message.node_name)
            yield from self._changed(message, now)
        elif message.HasField("lost_events"):
            lost = message.lost_events
            yield Lost(raw, message.node_name, int(lost.source), lost.num_events_lost)

    def _changed(self, message: observer_pb2.GetFlowsResponse, now: int) -> Iterator[Hole]:
        """Holes that open and close with a change of nodes."""
        state, told = message.node_status.state_change, message.node_status.message
        at = message.time.ToNanoseconds() or now
        for name in map(self._known, message.node_status.node_names):
            if state == relay_pb2.NODE_GONE:
                self._nodes.pop(name, None)
                self._unproven.pop(name, None)
                continue
            node = self._nodes.get(name)
            if state in _AWAY and (node is None or not node.away_since):
                since = self._mark(node) if node else at
                reason = told or "the node is unavailable"
                if node is None:
                    node = self._nodes[name] = _Node(0, now)
                node.away_since, node.reason = since, reason
                yield Hole(name, moment(since), None, reason)
            elif state == relay_pb2.NODE_CONNECTED and node and node.away_since:
                yield Hole(name, moment(node.away_since), moment(max(at, node.away_since)), node.reason)
                node.away_since, node.reason, node.arrived = 0, "", now

    def _known(self, name: str) -> str:
        """The name under which flows come: Relay's list may or may not say the cluster."""
        if name in self._nodes:
            return name
        short = name.rpartition("/")[2]
        return next((known for known in self._nodes if known.rpartition("/")[2] == short), name)

    def _mark(self, node: _Node) -> int:
        """Until when all of a node was seen, by its clock.

        A node that is quiet while others are heard is not behind: its clock went on as long as ours did.
        """
        return node.last + max(0, self._arrived - node.arrived)

    def broke(self) -> int | None:
        """The stream broke: the time from which to ask again; nothing when nothing was seen yet.

        Relay takes one time for all nodes, so that it is the one of the node furthest behind.
        """
        self._gather()
        heard = {name: node for name, node in self._nodes.items() if node.last}
        # A break within the overlap of the break before it: what was not proven then is not proven now.
        marks = {name: self._mark(node) if not node.away_since else node.last for name, node in heard.items()}
        self._again = {
            name: _Again(mark, max(mark - OVERLAP, self._earliest.get(name, 0)))
            for name, mark in marks.items()
        }
        return min(marks.values()) - OVERLAP if marks else None

    def _gather(self) -> None:
        """Take from the last messages what tells them apart, and the last time of each node."""
        first: dict[str, int] = {}
        newest = dict.fromkeys(self._nodes, 0)
        keys: set[object] = set(self._large)
        for raw in self._recent:
            message = self._parsed(raw)
            if message is None:
                continue
            name, at = message.node_name, message.time.ToNanoseconds()
            keys.add(self._key(message, raw))
            first.setdefault(name, at)
            newest[name] = max(at, newest.get(name, 0))
        for name, at in newest.items():
            if at:
                self._note(name, at, self._arrived)
        self._keys = keys
        # Where the memory was too small, what is older than it was seen all the same.
        self._earliest = first if len(self._recent) == RECENT else {}

    @staticmethod
    def _key(message: observer_pb2.GetFlowsResponse, raw: bytes) -> object:
        if isinstance(message, observer_pb2.GetFlowsResponse) and message.flow.uuid:
            return message.flow.uuid
        return hash(raw)

    def resumed(self, oldest: Mapping[str, int] | None, now: int) -> list[Hole]:
        """The stream goes on: holes that are certain; others are told when the node's next event comes.

        `oldest` is the time of the oldest flow that each node still has, where it could be asked.
        """
        self._again_until = now + PATIENCE
        self.arrival(now)
        holes = []
        for name, again in self._again.items():
            node = self._nodes[name]
            if node.away_since:
                continue
            if oldest is None:
                self._unproven[name] = again.mark
            elif name not in oldest:
                node.away_since, node.reason = again.mark, "it did not come back after the connection broke"
                holes.append(Hole(name, moment(again.mark), None, node.reason))
            elif oldest[name] > again.mark:
                reason = "the node no longer has the flows of that time"
                holes.append(Hole(name, moment(again.mark), moment(oldest[name]), reason))
        return holes

    def judged(self, raw: bytes, now: int) -> tuple[bool, list[Hole]]:
        """Whether a message is new, and the holes that it proves."""
        message = self._parsed(raw)
        if message is None:
            return True, []
        name, at = message.node_name, message.time.ToNanoseconds()
        holes = list(self._proven(name, at))
        again = self._again.get(name)
        is_new = again is None or at > again.mark or (at >= again.floor and self._is_unheard(message, raw))
        if again is not None and at > again.mark + OVERLAP:
            del self._again[name]
        if is_new:
            self._note(name, at, now)
        return is_new, holes

    def _back(self, name: str, at: int, slack: int) -> Iterator[Hole]:
        """The end of a hole, when an event of the node proves it."""
        node = self._nodes.get(name)
        if node and node.away_since and at > node.away_since + slack:
            yield Hole(name, moment(node.away_since), moment(at), node.reason)
            node.away_since, node.reason = 0, ""

    def _is_unheard(self, message: observer_pb2.GetFlowsResponse, raw: bytes) -> bool:
        key = self._key(message, raw)
        if key in self._keys:
            return False
        self._keys.add(key)
        return True

    def _proven(self, name: str, at: int) -> Iterator[Hole]:
        mark = self._unproven.pop(name, None)
        if mark is not None and at > mark:
            reason = "the connection broke, and no flow from before came again"
            yield Hole(name, moment(mark), moment(at), reason)


def moment(nanoseconds: int) -> datetime:
    """A time for people; the nearest there is for one that no calendar has."""
    try:
        return datetime.fromtimestamp(nanoseconds / SECOND, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.min.replace(tzinfo=UTC) if nanoseconds < 0 else datetime.max.replace(tzinfo=UTC)
