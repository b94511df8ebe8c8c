"""The lower rungs: `hubble` in the Relay pod, `hubble` in agents, and their monitors where Hubble is off."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

from playbooks.model.answer import Gap, GapKind
from playbooks.model.hubble.jsonpb import Reader, Unreadable
from playbooks.model.hubble.monitor import Monitor
from playbooks.model.hubble.proto import observer_pb2
from playbooks.model.hubble.seen.order import Merge
from playbooks.model.request import AgentCommand
from playbooks.model.text import decoded
from playbooks.sources.hubble.api import Api
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.commands import MONITOR, STATUS, observe
from playbooks.sources.hubble.crowd import Crowd, Message
from playbooks.sources.hubble.events import Rung
from playbooks.sources.hubble.feed import Feed
from playbooks.sources.hubble.places import AgentPlace, Choice, agents, relays
from playbooks.sources.hubble.wish import Call, Wish
from playbooks.sources.live.exec import Exit, command
from playbooks.sources.live.status import NoAnswer, Refused, no_answer

MOST = 10
"""Agents that are followed at once: each costs a process in the agent's container and a connection."""
ENABLE = "set the Helm values hubble.enabled and hubble.relay.enabled to true, or run `cilium hubble enable`"


class _Hubble:
    """Lines of `hubble observe -o jsonpb`."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._reader = Reader()

    def argv(self, wish: Wish) -> tuple[str, ...]:
        return observe(wish)

    def message(self, place: AgentPlace, line: bytes) -> Message | None:
        if not line.startswith(b"{"):
            return None
        try:
            event = self._reader.event(line)
        except Unreadable:
            return None
        if not event.node_name:
            event.node_name = place.node
        name, at = event.node_name, event.time
        if self._call is Call.AGENT_EVENTS:
            return observer_pb2.GetAgentEventsResponse(agent_event=event.agent_event, node_name=name, time=at)
        if self._call is Call.DEBUG_EVENTS:
            return observer_pb2.GetDebugEventsResponse(debug_event=event.debug_event, node_name=name, time=at)
        return observer_pb2.GetFlowsResponse.FromString(event.SerializeToString())


class _Monitors:
    """Lines of `cilium-dbg monitor -j`."""

    def __init__(self) -> None:
        self._monitors: dict[AgentPlace, Monitor] = {}

    def argv(self, wish: Wish) -> tuple[str, ...]:  # noqa: ARG002
        return MONITOR

    def message(self, place: AgentPlace, line: bytes) -> Message | None:
        monitor = self._monitors.setdefault(place, Monitor(place.node))
        return monitor.read(line, time.time_ns())


class _InPods:
    """Commands in pods, over one connection to the API server."""

    is_dear = True

    def __init__(self, api: Api, choice: Choice | None = None, merge: Merge | None = None) -> None:
        """`merge` orders the events of the nodes."""
        self._api = api
        self._choice = choice or Choice()
        self._merge = merge

    def close(self) -> None:
        """End the connection to the API server."""
        self._api.close()


class InAgents(_InPods):
    """`hubble observe` in agents."""

    rung = Rung.AGENTS

    def open(self, wish: Wish, stop: threading.Event) -> Feed:  # noqa: ARG002
        """See in which agents Hubble answers, and follow it there. Raises `Broken`."""
        found = self._api.run(lambda: agents(self._api, self._choice))
        chosen = nearest(found, wish)
        good = self._api.run(lambda: _answering(self._api, chosen))
        feed = Crowd(self._api, good, _Hubble(wish.call), wish, self._merge)
        feed.detail = _scope(len(good), len(found))
        feed.start()
        return feed


class InRelay(_InPods):
    """`hubble observe` in the Relay pod, where it has the command, as on GKE."""

    rung = Rung.RELAY_EXEC

    def open(self, wish: Wish, stop: threading.Event) -> Feed:  # noqa: ARG002
        """Find a pod with the command, and follow it. Raises `Broken`."""
        places = self._api.run(lambda: relays(self._api, self._choice))
        able = [AgentPlace(one.node, one.namespace, one.pod, one.hubble) for one in places if one.hubble]
        if not able:
            what = f"the pod {places[0].namespace}/{places[0].pod} has no container with the hubble command"
            raise Broken(Gap(GapKind.NOT_FOUND, what), is_final=True)
        good = self._api.run(lambda: _answering(self._api, able[:1]))
        feed = Crowd(self._api, good, _Hubble(wish.call), wish, self._merge)
        feed.start()
        return feed


class InMonitors(_InPods):
    """`cilium-dbg monitor` in agents: drops and policy verdicts, and no names."""

    rung = Rung.MONITOR

    def open(self, wish: Wish, stop: threading.Event) -> Feed:  # noqa: ARG002
        """Follow the monitors. Raises `Broken`."""
        if wish.call is not Call.FLOWS or not wish.is_followed:
            what = "a monitor shows only what happens from now on, and only flows"
            raise Broken(Gap(GapKind.NOT_FOUND, what, remedy=ENABLE), is_final=True)
        found = self._api.run(lambda: agents(self._api, self._choice))
        chosen = nearest(found, wish)
        feed = Crowd(self._api, chosen, _Monitors(), wish, self._merge)
        scope = _scope(len(chosen), len(found))
        feed.detail = f"drops and policy verdicts only, of {scope}, without names of pods; {ENABLE}"
        feed.start()
        return feed


def nearest(found: Sequence[AgentPlace], wish: Wish) -> list[AgentPlace]:
    """As many agents as are asked, those of the target first."""
    ranks = {node: rank for rank, node in enumerate(wish.first_nodes)}
    return sorted(found, key=lambda place: ranks.get(place.node, len(ranks)))[:MOST]


def _scope(asked: int, there: int) -> str:
    return f"{asked} of {there:,} nodes"


async def _answering(api: Api, places: Sequence[AgentPlace]) -> list[AgentPlace]:
    """Where Hubble's server answers. Raises `NoAnswer` when it does nowhere."""
    told = await asyncio.gather(*(_greeted(api, place) for place in places))
    good = [place for place, error in zip(places, told, strict=True) if error is None]
    first = next((error for error in told if error is not None), None)
    if not good and first is not None:
        more = f" (and {len(places) - 1} more nodes)" if len(places) > 1 else ""
        raise NoAnswer(first.kind, f"{first.detail}{more}", first.remedy)
    return good


async def _greeted(api: Api, place: AgentPlace) -> NoAnswer | None:
    request = AgentCommand(place.node, place.namespace, place.pod, place.container, STATUS)
    try:
        async for piece in command(api.transport, api.images, request):
            if isinstance(piece, Exit) and piece.code:
                words = " ".join(decoded(piece.stderr[-2000:]).split())[-300:]
                return NoAnswer(
                    GapKind.NOT_RUNNING, f"Hubble does not answer on node {place.node}: {words}", ENABLE
                )
    except Refused as refused:
        return no_answer(request, refused)
    except NoAnswer as error:
        return error
    return None
