"""Streams of flows: what an agent answers to one request, and what Relay makes of many agents' answers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from playbooks.model.hubble.proto import flow_pb2, observer_pb2, relay_pb2
from playbooks.practice.hubble.past import CAPACITY, Past

if TYPE_CHECKING:
    from playbooks.practice.hubble.encoding import Encoder
    from playbooks.practice.hubble.question import Question
    from playbooks.practice.hubble.state import Loss
    from playbooks.practice.traffic.flows import Telling, WorldFlow
    from playbooks.practice.traffic.sight import Sight

MOST_PER_SECOND = 5000
"""Flows that one stream is sent at most; what is above it is lost, and said to be."""
_BURST = 1000
_SLACK = 100
_GLANCE = 8 * 1_000_000_000
_SECOND = 1_000_000_000
_BROKEN = "rpc error: code = Unavailable desc = error reading from server: EOF"

Timed = tuple[int, bytes]
"""A time in nanoseconds after 1970, and a serialized GetFlowsResponse."""


class Stream(Protocol):
    """The answer to one request."""

    def greet(self, past: Past) -> Iterator[bytes]:
        """What is said before anything is looked for."""

    def delay(self, past: Past) -> float:
        """Seconds that are needed to look for it."""

    def begin(self, past: Past) -> Iterator[bytes]:
        """What there was until now."""

    def more(self, past: Past) -> Iterator[bytes]:
        """What has come since."""


class Immediate:
    """A stream that begins at once."""

    def greet(self, past: Past) -> Iterator[bytes]:  # noqa: ARG002
        """Nothing."""
        return iter(())

    def delay(self, past: Past) -> float:  # noqa: ARG002
        """None."""
        return 0.0


def kept(past: Past, node: str, question: Question, encoder: Encoder) -> list[Timed]:
    """What the agent of a node remembers of what is asked for."""
    asked = question.range
    begin, end = past.oldest(node), past.now
    if asked.since is not None:
        begin = max(begin, past.moment(asked.since))
    if asked.until is not None:
        end = min(end, past.moment(asked.until) + 1)
    flows = _chosen(past, node, question, encoder, begin, end)
    told = [_told(one, question, encoder) for one in flows]
    if asked.number and told:
        # Losses beyond the flows that are counted are not told.
        if asked.counts_forward:
            end = min(end, told[-1][0] - past.epoch + 1)
        else:
            begin = told[0][0] - past.epoch
    lost = [one for one in past.losses if one.node == node and begin <= one.at < end]
    return list(merge(told, (_lost(past, one, encoder) for one in lost), key=lambda one: one[0]))


def _chosen(
    past: Past, node: str, question: Question, encoder: Encoder, begin: int, end: int
) -> list[WorldFlow]:
    """The flows in a range that match, as many as are asked for."""
    asked, is_wanted = question.range, question.wanted(encoder)
    most = min(asked.number, CAPACITY) if asked.number else CAPACITY
    if asked.number and asked.counts_forward:
        flows = question.chosen(past.flows(node, begin, end, is_wanted), encoder)
        return list(islice(flows, most))
    if question.is_open and end == past.now and most < CAPACITY:
        # Of those that began since then some may have come before.
        begin = max(begin, past.oldest(node, 2 * most + _SLACK))
    span = end if question.is_by_kind else _GLANCE
    while True:
        # Where each flow has to be looked at, no more than is needed: back from the end, ever farther.
        first = max(begin, end - span)
        found = deque(question.chosen(past.flows(node, first, end, is_wanted), encoder), maxlen=most)
        if first == begin or len(found) == most:
            return list(found)
        span *= 8


class OfAgent(Immediate):
    """What one agent answers."""

    def __init__(self, node: str, question: Question, encoder: Encoder) -> None:
        """`begin` looks at the past first."""
        self._node, self._question, self._encoder = node, question, encoder
        self._live: _Live | None = None

    def begin(self, past: Past) -> Iterator[bytes]:
        """What the agent remembers."""
        self._live = _Live(past, (self._node,), self._question, self._encoder)
        if not self._question.range.is_from_now:
            yield from (raw for _, raw in kept(past, self._node, self._question, self._encoder))

    def more(self, past: Past) -> Iterator[bytes]:
        """What it has seen since."""
        assert self._live is not None
        yield from (raw for _, raw in self._live.more(past))


class OfRelay:
    """What Relay answers: the nodes' states first, then their events by time."""

    def __init__(self, reporter: str, question: Question, encoder: Encoder) -> None:
        """`reporter` is what Relay calls itself."""
        self._reporter, self._question, self._encoder = reporter, question, encoder
        self._live: dict[float, _Live] = {}
        self._connected: set[str] = set()

    def greet(self, past: Past) -> Iterator[bytes]:
        """Who is connected, and who is not."""
        nodes = sorted(past.watched)
        if nodes:
            yield self._status(past, relay_pb2.NODE_CONNECTED, nodes)
        if past.away:
            yield self._status(past, relay_pb2.NODE_UNAVAILABLE, past.away)

    def delay(self, past: Past) -> float:
        """As long as the slowest agent takes."""
        return max((past.slow.get(node, 0.0) for node in past.watched), default=0.0)

    def begin(self, past: Past) -> Iterator[bytes]:
        """What the agents remember."""
        self._connected = set(past.watched)
        self._follow(past)
        yield from self._remembered(past, self._connected)

    def more(self, past: Past) -> Iterator[bytes]:
        """Nodes that came and went, and what was seen since."""
        came, went = past.watched.keys() - self._connected, self._connected - past.watched.keys()
        told = [one for live in self._live.values() for one in live.more(past)]
        if went:
            yield from self._farewells(past, sorted(went))
        if came:
            yield self._status(past, relay_pb2.NODE_CONNECTED, sorted(came))
        if came or went:
            self._connected = set(past.watched)
            self._follow(past)
            # Relay asks a node that is back the very same question once more.
            yield from self._remembered(past, sorted(came))
        yield from (raw for _, raw in sorted(told, key=lambda one: one[0]))

    def _remembered(self, past: Past, nodes: Iterable[str]) -> Iterator[bytes]:
        if self._question.range.is_from_now:
            return
        found = [one for node in nodes for one in kept(past, node, self._question, self._encoder)]
        yield from (raw for _, raw in sorted(found, key=lambda one: one[0]))

    def _follow(self, past: Past) -> None:
        """Follow each connected node; slow ones tell later what they see."""
        groups: dict[float, list[str]] = {}
        for node in self._connected:
            groups.setdefault(past.slow.get(node, 0.0), []).append(node)
        before, self._live = self._live, {}
        for delay, nodes in groups.items():
            live = self._live[delay] = _Live(past, nodes, self._question, self._encoder, delay)
            if delay in before:
                live.go_on(before[delay], past)

    def _farewells(self, past: Past, nodes: Sequence[str]) -> Iterator[bytes]:
        gone = [node for node in nodes if node not in past.away]
        broken = [node for node in nodes if node in past.away]
        if broken:
            yield self._status(past, relay_pb2.NODE_ERROR, broken, _BROKEN)
        if gone:
            yield self._status(past, relay_pb2.NODE_GONE, gone)

    def _status(
        self, past: Past, state: relay_pb2.NodeState.ValueType, nodes: Iterable[str], message: str = ""
    ) -> bytes:
        names = [self._encoder.name(node) for node in nodes]
        event = relay_pb2.NodeStatusEvent(state_change=state, node_names=names, message=message)
        told = observer_pb2.GetFlowsResponse(node_status=event, node_name=self._reporter)
        told.time.FromNanoseconds(past.epoch + past.now)
        return told.SerializeToString()


class _Live:
    """What some nodes see from a moment on, not faster than a stream takes it."""

    def __init__(
        self,
        past: Past,
        nodes: Iterable[str],
        question: Question,
        encoder: Encoder,
        delay: float = 0.0,
    ) -> None:
        self._nodes, self._question, self._encoder = frozenset(nodes), question, encoder
        self._delay = round(delay * _SECOND)
        is_wanted = question.wanted(encoder)
        self._is_wanted: Callable[[Sight], bool] = lambda sight: (
            sight.node in self._nodes and is_wanted(sight)
        )
        self._telling: Telling = past.telling(self._is_wanted, past.now)
        self._at = past.now
        self._starts = dict.fromkeys(self._nodes, past.now)

    def go_on(self, before: _Live, past: Past) -> None:
        """Begin where another was, for the nodes that it had too: a slow node has yet to tell something."""
        self._telling = past.telling(self._is_wanted, before._at)
        self._at = before._at
        self._starts |= {node: at for node, at in before._starts.items() if node in self._nodes}

    def more(self, past: Past) -> list[Timed]:
        """What has come since the last time, in order."""
        end = past.now - self._delay
        if end <= self._at:
            return []
        begin, self._at = self._at, end
        flows = list(self._question.chosen(self._telling.more(past.periods(begin, end), end), self._encoder))
        flows = [
            one
            for one in flows
            if one.time - past.epoch >= max(past.watched.get(one.node, past.now), self._starts[one.node])
        ]
        # Who reads slowly finds written over what no longer fits in the agents' memory.
        most = min(MOST_PER_SECOND * (end - begin) // _SECOND + _BURST, CAPACITY * len(self._nodes))
        surplus, flows = flows[: len(flows) - most if len(flows) > most else 0], flows[-most:]
        found = [*_overflow(surplus, self._encoder)]
        found += [_told(one, self._question, self._encoder) for one in flows]
        found += [
            _lost(past, one, self._encoder)
            for one in past.losses
            if one.node in self._nodes and begin <= one.at < end
        ]
        found.sort(key=lambda one: one[0])
        return found


def _told(one: WorldFlow, question: Question, encoder: Encoder) -> Timed:
    return one.time, question.told(one, encoder)


def _lost(past: Past, loss: Loss, encoder: Encoder) -> Timed:
    event = flow_pb2.LostEvent(source=flow_pb2.LostEventSource.Value(loss.source), num_events_lost=loss.count)
    if loss.cpu is not None:
        event.cpu.value = loss.cpu
    return _of_loss(past.epoch + loss.at, loss.node, event, encoder)


def _overflow(flows: Sequence[WorldFlow], encoder: Encoder) -> Iterator[Timed]:
    """What is said of flows that were written over before they could be sent."""
    for node, count in Counter(one.node for one in flows).items():
        times = [one.time for one in flows if one.node == node]
        event = flow_pb2.LostEvent(source=flow_pb2.LostEventSource.HUBBLE_RING_BUFFER, num_events_lost=count)
        event.first.FromNanoseconds(times[0])
        event.last.FromNanoseconds(times[-1])
        yield _of_loss(times[-1], node, event, encoder)


def _of_loss(time: int, node: str, event: flow_pb2.LostEvent, encoder: Encoder) -> Timed:
    told = observer_pb2.GetFlowsResponse(lost_events=event, node_name=encoder.name(node))
    told.time.FromNanoseconds(time)
    return time, told.SerializeToString()
