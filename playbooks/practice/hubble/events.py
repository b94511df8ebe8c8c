"""Agent events: what an agent has done since it watches, as far as it still remembers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.practice.hubble.streams import Immediate
from playbooks.practice.traffic.flows import nanoseconds

if TYPE_CHECKING:
    from playbooks.practice.hubble.encoding import Encoder
    from playbooks.practice.hubble.past import Past
    from playbooks.practice.hubble.question import Range
    from playbooks.practice.world import World

_MILLISECOND = 1_000_000

Timed = tuple[int, flow_pb2.AgentEvent]
"""A moment after the beginning of the traffic, and what was done then."""


class OfAgentEvents(Immediate):
    """The answer to one question for an agent's own events."""

    def __init__(self, world: World, node: str, asked: Range, encoder: Encoder) -> None:
        """`begin` looks at the past first."""
        self._world, self._node, self._asked, self._encoder = world, node, asked, encoder
        self._at = 0

    def begin(self, past: Past) -> Iterator[bytes]:
        """What the agent remembers."""
        self._at = past.now
        if self._asked.is_from_now:
            return
        begin = past.oldest(self._node)
        if self._asked.since is not None:
            begin = max(begin, past.moment(self._asked.since))
        end = past.now if self._asked.until is None else past.moment(self._asked.until) + 1
        found = self._between(past, begin, min(end, past.now))
        if self._asked.number:
            most = min(self._asked.number, len(found))
            found = found[:most] if self._asked.counts_forward else found[len(found) - most :]
        yield from (self._told(past, one) for one in found)

    def more(self, past: Past) -> Iterator[bytes]:
        """What it has done since."""
        begin, self._at = self._at, past.now
        yield from (self._told(past, one) for one in self._between(past, begin, past.now))

    def _between(self, past: Past, begin: int, end: int) -> list[Timed]:
        found = [one for one in done(self._world, past, self._node) if begin <= one[0] < end]
        return sorted(found, key=lambda one: one[0])

    def _told(self, past: Past, one: Timed) -> bytes:
        at, event = one
        told = observer_pb2.GetAgentEventsResponse(
            agent_event=event, node_name=self._encoder.name(self._node)
        )
        told.time.FromNanoseconds(past.epoch + at)
        return told.SerializeToString()


class OfNothing(Immediate):
    """The answer of an agent that has nothing to tell, such as debug messages that are switched off."""

    def begin(self, past: Past) -> Iterator[bytes]:  # noqa: ARG002  as others are asked
        """Nothing."""
        return iter(())

    def more(self, past: Past) -> Iterator[bytes]:  # noqa: ARG002
        """Nothing."""
        return iter(())


def done(world: World, past: Past, node: str) -> Iterator[Timed]:
    """What the agent of a node has done: it started, and made endpoints of the pods that are there."""
    started = past.watched.get(node)
    if started is None:
        return
    event = flow_pb2.AgentEvent(type=flow_pb2.AgentEventType.AGENT_STARTED)
    event.agent_start.time.FromNanoseconds(past.epoch + started)
    yield started, event
    for run in list(world.runs.values()):
        endpoint = world.network.endpoints.get((run.namespace, run.name))
        if run.node != node or endpoint is None:
            continue
        at = nanoseconds(endpoint.created) - past.epoch
        if at < started:
            continue
        labels = world.policies.census.known(run).labels
        event = flow_pb2.AgentEvent(type=flow_pb2.AgentEventType.ENDPOINT_CREATED)
        created = event.endpoint_update
        created.id, created.pod_name, created.namespace = endpoint.id, run.name, run.namespace
        created.labels.extend(labels)
        yield at, event
        event = flow_pb2.AgentEvent(type=flow_pb2.AgentEventType.ENDPOINT_REGENERATE_SUCCESS)
        event.endpoint_regenerate.id = endpoint.id
        event.endpoint_regenerate.labels.extend(labels)
        yield at + 80 * _MILLISECOND, event
