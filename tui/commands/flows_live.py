"""Flows of a running cluster for `honeyguide flows`: from a named server, or from whoever can tell them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.filters.flag import Kind
from playbooks.sources.access import Access, CannotConnect
from playbooks.sources.hubble.events import (
    Batch,
    Dropped,
    Event,
    Hole,
    Lost,
    NodeStatus,
    Phase,
    Rung,
    Skew,
    State,
)
from playbooks.sources.hubble.ladder import BUDGET, ladder
from playbooks.sources.hubble.places import Choice
from playbooks.sources.hubble.settings import settings_from
from playbooks.sources.hubble.stream import Step, Stream
from playbooks.sources.hubble.wish import Wish
from tui.commands.flows_output import Output
from tui.commands.flows_trouble import Unavailable
from tui.commands.options import Options
from tui.commands.trouble import Trouble

_EXPECTED = (Rung.SERVER, Rung.RELAY)
"""Rungs that tell all there is to tell: nothing has to be said of them."""


class Live:
    """Events as a server sends them; what is missing is said on standard error."""

    is_prompt = True
    is_selected = True
    """The server sends only what was asked for."""

    def __init__(self, asked: Observe, output: Output, options: Options) -> None:
        """Nothing is opened yet. Raises `Unavailable`."""
        self._output = output
        self._steps = _steps(asked, options)
        self._wish = _wish(asked)

    def batches(self) -> Iterator[Sequence[bytes]]:
        """The messages that came together. Raises `Unavailable`."""
        with Stream(self._steps, self._wish, budget=BUDGET) as stream:
            for events in stream.events():
                # One by one: an event that ends the stream must not take along what came with it.
                for event in events:
                    if raws := self._raws(event):
                        yield raws

    def _raws(self, event: Event) -> Sequence[bytes]:
        match event:
            case Batch():
                return event.raws
            case NodeStatus() | Lost():
                return (event.raw,)
            case State():
                self._tell_state(event)
            case Hole():
                self._output.note(str(event))
            case Dropped():
                self._output.note(
                    f"{event.count:,} events came faster than they could be printed, and are missing"
                )
            case Skew():
                self._output.note(f"the clock of {event.node} is {event.seconds:+.1f} s from ours")
        return ()

    def _tell_state(self, state: State) -> None:
        if state.phase is Phase.ENDED and state.gap:
            raise Unavailable(_why(state.detail or state.gap.detail, "", state.gap.remedy))
        if state.phase is Phase.STOPPED:
            raise Unavailable(state.detail)
        if state.phase is Phase.WAITING:
            self._output.note(f"{state.detail}; the next try is in {state.pause:g} s")
        if state.phase is Phase.LIVE and state.rung not in _EXPECTED:
            for left in state.left:
                self._output.note(f"not from {left.rung.value}: {left.gap.detail}")
            self._output.note(f"flows come from {state.rung.value}")


def _steps(asked: Observe, options: Options) -> list[Step]:
    flags = {name: ",".join(values) for name, values in asked.server.items()}
    try:
        settings = settings_from(flags, os.environ)
        if settings.server:
            return ladder(settings, None)
        options.kubeconfig, options.context = flags.get("kubeconfig", ""), flags.get("kube-context", "")
        choice = Choice(namespace=flags.get("kube-namespace", ""))
        return ladder(settings, _access(options), choice)
    except CannotConnect as error:
        raise Unavailable(_why(error.what, error.where, error.remedy)) from None


def _access(options: Options) -> Access:
    from tui.commands.opening import way_in

    try:
        return way_in(options)
    except Trouble as trouble:
        remedy = f"{trouble.remedy}; or name a Hubble server with --server"
        raise Unavailable(_why(trouble.what, trouble.where, remedy)) from None


def _wish(asked: Observe) -> Wish:
    if asked.kind is Kind.AGENT_EVENTS:
        return Wish(asked.agent_events_request())
    if asked.kind is Kind.DEBUG_EVENTS:
        return Wish(asked.debug_events_request())
    return Wish(asked.request(), is_full=not (asked.allowlist or asked.denylist))


def _why(what: str, where: str, remedy: str) -> str:
    lines = (what, f"  where: {where}" if where else "", f"  to do: {remedy}" if remedy else "")
    return "\n".join(line for line in lines if line)
