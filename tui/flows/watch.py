"""The one stream of the console: asked anew for every question, drained by a timer, never waited for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.connection import Failure
from tui.flows.question import DROPS, Question, observed
from tui.flows.roll import Entry, Remark, Roll
from tui.flows.tally import Tally, span

if TYPE_CHECKING:
    from playbooks.sources.hubble.events import Event, FlowStream, State, Traffic
    from tui.flows.source import Flows

_CLOSING = 0.1
"""Seconds that leaving the console waits for a stream to end; the process takes it along."""


@dataclass(slots=True)
class _Opening:
    """A question on its way to a stream; a thread fills it in."""

    question: Question
    stream: FlowStream | None = None
    failure: Failure | None = None
    is_left: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, flows: Flows, nodes: tuple[str, ...]) -> None:
        """Open the stream, in a thread: certificates are read and kubeconfigs parsed."""
        try:
            # Loaded here so that the first flow does not make a key wait.
            from tui.view import flow_page

            del flow_page
            asked = observed(self.question, flows.now, is_live=flows.is_live)
            stream = flows.open(asked, nodes)
        except Exception as error:  # noqa: BLE001  whatever it is, it is told in the pane
            self.failure = Failure.of(error)
            return
        with self.lock:
            if not self.is_left:
                stream.__enter__()
                self.stream = stream

    def leave(self) -> threading.Thread:
        """Close the stream, in a thread: it may hang in an attempt to connect."""
        with self.lock:
            self.is_left = True
        closing = threading.Thread(target=self._close, name="closing flows", daemon=True)
        closing.start()
        return closing

    def _close(self) -> None:
        if self.stream:
            self.stream.close()


@dataclass(slots=True)
class Watch:
    """What is asked, what has come, and what is missing. Lives on the screen's thread."""

    flows: Flows
    """Where they come from."""
    question: Question = DROPS
    """What is asked."""
    roll: Roll = field(default_factory=Roll)
    """What has come."""
    tally: Tally = field(default_factory=Tally)
    """What is missing."""
    state: State | None = None
    """What the stream is doing; nothing before it says so."""
    traffic: Traffic | None = None
    """How much comes, since the last second."""
    count: int = 0
    """Flows that have come."""
    not_kept: str = ""
    """Why flows are not in the recording, if they are not."""
    _opening: _Opening | None = None

    def ask(self, question: Question, nodes: Sequence[str] = ()) -> None:
        """Ask something, from the beginning; what came before is forgotten."""
        self.stop()
        self.question, self.roll, self.tally = question, Roll(), Tally()
        self.state, self.traffic, self.count = None, None, 0
        self._opening = opening = _Opening(question)
        threading.Thread(
            target=opening.run, args=(self.flows, tuple(nodes)), name="opening flows", daemon=True
        ).start()

    @property
    def is_on(self) -> bool:
        """Whether anything may still come."""
        opening = self._opening
        if opening is None or opening.failure:
            return False
        return opening.stream is None or not opening.stream.is_over

    @property
    def was_asked(self) -> bool:
        """Whether anything was ever asked, and not stopped."""
        return self._opening is not None

    @property
    def failure(self) -> Failure | None:
        """Why there is no stream."""
        return self._opening.failure if self._opening else None

    def stop(self) -> bool:
        """End the stream; what has come stays. Whether there was one."""
        was_on, opening = self.is_on, self._opening
        self._opening = None
        if opening:
            opening.leave()
        return was_on

    def close(self) -> None:
        """End the stream, for good."""
        opening, self._opening = self._opening, None
        if opening:
            opening.leave().join(_CLOSING)

    def drain(self) -> bool:
        """Take what has come; whether anything is different."""
        stream = self._opening.stream if self._opening else None
        if stream is None:
            return False
        events = stream.drain()
        if not events:
            return False
        before = self.roll.begin
        for event in events:
            self._take(event)
        self.tally.let_go += self.roll.begin - before
        return True

    def _take(self, event: Event) -> None:
        from playbooks.sources.hubble.events import (
            Batch,
            Dropped,
            Hole,
            Lost,
            NodeStatus,
            Skew,
            State,
            Traffic,
        )

        tally = self.tally
        match event:
            case Batch(raws):
                wanted = self._wanted(raws)
                self._add(wanted)
                self.count += len(wanted)
            case Lost():
                tally.lost[event.node] = tally.lost.get(event.node, 0) + event.count
                self._add((event.raw,))
            case Dropped():
                tally.dropped += event.count
                when = span(event.since, event.until)
                self._remark(f"{event.count:,} flows came too fast and are missing, {when}: filter more")
            case Hole():
                tally.holes.append(str(event))
                self._remark(str(event))
            case NodeStatus():
                tally.nodes(event.state, event.nodes, event.message)
                self._add((event.raw,))
            case Skew():
                tally.skewed[event.node] = event.seconds
            case Traffic():
                self.traffic = event
            case State():
                self._stand(event)

    def _wanted(self, raws: Sequence[bytes]) -> Sequence[bytes]:
        from playbooks.sources.hubble.events import Rung

        if self.state is None or self.state.rung is not Rung.MONITOR or self.question.is_typed:
            return raws
        # Monitor filters nothing and names nobody: of all its verdicts the refusals are what is wanted.
        from playbooks.model.hubble.proto.flow_pb2 import DROPPED, ERROR
        from playbooks.model.hubble.proto.observer_pb2 import GetFlowsResponse

        return [raw for raw in raws if GetFlowsResponse.FromString(raw).flow.verdict in (DROPPED, ERROR)]

    def _stand(self, state: State) -> None:
        from playbooks.model.answer import GapKind

        if state.gap and state.gap.kind is GapKind.UNREADABLE:
            self.tally.unread = [state.gap.detail]
        self.state = state

    def _add(self, raws: Sequence[bytes]) -> None:
        self.roll.extend(raws)
        self.not_kept = self.flows.keep(raws)

    def _remark(self, said: str) -> None:
        entry: Entry = Remark(said)
        self.roll.extend((entry,))
