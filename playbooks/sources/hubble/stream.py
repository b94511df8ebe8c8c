"""A stream that goes on: from the best that answers, again after a break, with all that was missed stated."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from playbooks.model.answer import Gap, GapKind
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.events import Event, Left, Phase, Rung, State, Traffic
from playbooks.sources.hubble.feed import Feed
from playbooks.sources.hubble.inbox import Inbox
from playbooks.sources.hubble.seen import RECENT_SIZE, Seen
from playbooks.sources.hubble.threaded import ThreadedStream
from playbooks.sources.hubble.wish import SECOND, Wish

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
TRIES = 4
"""Failures in a row after which a rung is left and the ladder is climbed from the top again."""
FAST = 2000
"""Messages a second above which not every one is looked at, but one in `SAMPLE`."""
SAMPLE = 64
CLIMB_AFTER = 300.0
"""Seconds on a lower rung after which the better ones are tried again."""
_FLOW = b"\n"
"""How a response begins that holds a flow: its first field is written first by every known server."""


class Clock(Protocol):
    """Time, so that tests need none."""

    def now(self) -> int:
        """Nanoseconds since 1970."""

    def pause(self, seconds: float, stop: threading.Event) -> None:
        """Wait, but no longer than until `stop`."""


class WallClock:
    """The machine's."""

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns()

    def pause(self, seconds: float, stop: threading.Event) -> None:
        """Wait, but no longer than until `stop`."""
        stop.wait(seconds)


class Step(Protocol):
    """One rung that can be tried."""

    @property
    def rung(self) -> Rung:
        """Which one."""

    @property
    def is_dear(self) -> bool:
        """Whether all of it goes through the API server, so that a full stream has a budget."""

    def open(self, wish: Wish, stop: threading.Event) -> Feed:
        """Connect, until it is sure that somebody answers. Raises `Broken`."""

    def close(self) -> None:
        """Let go of what is kept between connections."""


class Stream(ThreadedStream):
    """A `FlowStream` over a ladder of steps."""

    def __init__(
        self,
        steps: Sequence[Step],
        wish: Wish,
        *,
        budget: int = 0,
        is_patient: bool = False,
        climb_after: float = CLIMB_AFTER,
        clock: Clock | None = None,
        inbox: Inbox | None = None,
    ) -> None:
        """Starts nothing yet.

        `budget` bytes end a full stream through the API server, 0 for no limit; `is_patient` goes on trying
        where nobody answers at first; `climb_after` so many seconds better rungs are tried again.
        """
        super().__init__("flows", State(Phase.CONNECTING, steps[0].rung if steps else Rung.NONE))
        self._steps = steps
        self._wish = wish
        self._budget = budget
        self._is_patient = is_patient
        self._climb_after = climb_after
        self._is_climbing = False
        self._clock = clock or WallClock()
        # What has happened can wait for who reads it; what happens cannot.
        self._inbox = inbox or Inbox(self._today, is_waiting=not wish.is_followed)
        self._seen = Seen(wish.call)
        self._feed: Feed | None = None
        self._left: list[Left] = []
        self._total = 0
        self._was_live = False

    def drain(self) -> Sequence[Event]:
        """All that has come since the last time."""
        return self._inbox.take()

    def close(self) -> None:
        """Stop and let go of everything."""
        self._stop.set()
        self._inbox.release()
        if feed := self._feed:
            feed.stop()
        if self._thread.is_alive():
            self._thread.join(1.0)
        if self._thread.is_alive():
            # It hangs in an attempt to connect: take away what it connects through.
            for step in self._steps:
                step.close()
            self._thread.join(1.0)

    def _wait(self) -> None:
        self._inbox.wait()

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / SECOND, UTC)

    def _run(self) -> None:
        """The thread."""
        try:
            self._climb()
        except Exception as error:  # noqa: BLE001  whatever it is, who waits has to learn that nothing comes
            gap = Gap(
                GapKind.FAILED, f"the stream failed: {type(error).__name__}: {error}", remedy="report this"
            )
            self._tell(Phase.ENDED, self._state.rung, gap.detail, gap)
        finally:
            for step in self._steps:
                step.close()
            if self._state.phase not in (Phase.ENDED, Phase.STOPPED):
                self._tell(Phase.STOPPED, self._state.rung, "it was closed")
            self._over.set()
            self._inbox.tell()

    def _climb(self) -> None:
        """Try one rung after the other, from the top again when one breaks for good."""
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            self._left = []
            was_live = False
            for step in self._steps:
                error, lived = self._stay(step)
                if self._is_climbing and not self._stop.is_set():
                    was_live = True
                    break
                if error is None or self._stop.is_set():
                    return
                was_live = was_live or lived
                if error.is_our_fault:
                    self._tell(Phase.ENDED, step.rung, error.gap.detail, error.gap)
                    return
                self._left.append(Left(step.rung, error.gap))
                if lived and not error.is_final:
                    break
            if self._is_climbing:
                self._is_climbing = False
                continue
            pause = FIRST_PAUSE if was_live else min(2 * pause, LONGEST_PAUSE)
            gap = (
                self._left[-1].gap
                if self._left
                else Gap(GapKind.NOT_FOUND, "there is nobody to ask for flows")
            )
            is_given_up = (
                not self._steps or not self._wish.is_followed or not (self._is_patient or self._was_live)
            )
            if is_given_up:
                self._tell(Phase.ENDED, Rung.NONE, gap.detail, gap)
                return
            self._tell(Phase.WAITING, Rung.NONE, gap.detail, gap, pause)
            self._clock.pause(pause, self._stop)

    def _stay(self, step: Step) -> tuple[Broken | None, bool]:
        """Use one rung for as long as it can be used: why it cannot, and whether it ever could.

        No reason when the stream is over: it came to its end, or was stopped.
        """
        failures, pause, lived = 0, FIRST_PAUSE, False
        while True:
            self._tell(Phase.CONNECTING, step.rung)
            count = self._total
            try:
                self._follow(step)
                error = None
            except Broken as broken:
                error = broken
            if self._stop.is_set() or self._is_climbing or self._state.phase is Phase.STOPPED:
                return None, lived
            if error and error.is_final and self._total == count:
                # Somebody was there, but not for this.
                return error, lived
            if self._state.phase is Phase.LIVE:
                lived = self._was_live = True
                failures = 0 if self._total > count else failures
                if not self._wish.is_followed:
                    self._end(step, error)
                    return None, lived
            error = error or Broken(Gap(GapKind.UNREACHABLE, "the server ended the stream"))
            failures += 1
            if error.is_final or not lived or failures > TRIES:
                return error, lived
            self._tell(Phase.WAITING, step.rung, error.gap.detail, error.gap, pause)
            self._clock.pause(pause, self._stop)
            pause = FIRST_PAUSE if failures <= 1 else min(2 * pause, LONGEST_PAUSE)

    def _end(self, step: Step, error: Broken | None) -> None:
        """The end of a stream that is not followed."""
        if error is None:
            self._tell(Phase.ENDED, step.rung)
        else:
            self._tell(Phase.ENDED, step.rung, f"it is not complete: {error.gap.detail}", error.gap)

    def _follow(self, step: Step) -> None:
        """One connection, from its opening to its end. Raises `Broken`."""
        since = self._seen.broke()
        is_resumed = since is not None and self._wish.is_followed
        wish = self._wish.since(since) if since is not None and is_resumed else self._wish
        feed = step.open(wish, self._stop)
        self._feed = feed
        timer = threading.Timer(self._climb_after, self._climb_again, (feed,))
        timer.daemon = True
        try:
            if self._stop.is_set():
                return
            if self._left and self._wish.is_followed:
                timer.start()
            self._tell(Phase.LIVE, step.rung, feed.detail)
            self._seen.opened(self._clock.now(), is_live=self._wish.is_followed)
            if is_resumed:
                holes = self._seen.resumed(feed.oldest(), self._clock.now())
                self._inbox.tell(*holes)
            self._read(feed, step)
        finally:
            timer.cancel()
            self._feed = None
            feed.close()

    def _climb_again(self, feed: Feed) -> None:
        """End a connection of a lower rung, so that the better ones are tried."""
        self._is_climbing = True
        feed.stop()

    def _read(self, feed: Feed, step: Step) -> None:
        """Take what comes. Raises `Broken`."""
        seen, put, keep = self._seen, self._inbox.put, self._seen.keep
        budget = self._budget if step.is_dear and self._wish.is_full else 0
        meter = _Meter(self._clock.now(), self._total, budget)
        total, tick, is_overlapping = self._total, 0, seen.is_overlapping
        for raw in feed:
            size = len(raw)
            total += size
            tick -= 1
            if tick <= 0 or is_overlapping or raw[:1] != _FLOW or size > RECENT_SIZE:
                self._total = total
                is_overlapping = self._look(raw)
                if tick <= 0:
                    tick = self._measured(meter)
            else:
                keep(raw)
                put(raw)
            if budget and total >= budget:
                self._over_budget(step, budget)
                return
        self._total = total

    def _look(self, raw: bytes) -> bool:
        """Take one message with care; whether the next needs as much."""
        seen, inbox, now = self._seen, self._inbox, self._clock.now()
        if raw[:1] != _FLOW and (told := list(seen.control(raw, now))):
            inbox.tell(*told)
            return seen.is_overlapping
        is_new = True
        if seen.is_overlapping:
            is_new, holes = seen.judged(raw, now)
            inbox.tell(*holes)
        if is_new:
            inbox.tell(*seen.note(raw, now))
            seen.remember(raw)
            inbox.put(raw)
        return seen.is_overlapping

    def _measured(self, meter: _Meter) -> int:
        """Tell the traffic when it is time; how many messages to wait for the next look at the clock."""
        traffic = meter.measured(self._clock.now(), self._total)
        if traffic:
            self._inbox.tell(traffic)
        return meter.tick

    def _over_budget(self, step: Step, budget: int) -> None:
        what = (
            f"the full stream has used its {budget / 1024 / 1024:g} MiB through the API server: "
            "filter more, raise the budget, or dial Hubble itself"
        )
        self._tell(Phase.STOPPED, step.rung, what)

    def _tell(
        self, phase: Phase, rung: Rung, detail: str = "", gap: Gap | None = None, pause: float = 0.0
    ) -> None:
        self._state = State(phase, rung, detail, gap, tuple(self._left), pause)
        self._inbox.tell(self._state)


class _Meter:
    """How much comes."""

    def __init__(self, now: int, total: int, budget: int) -> None:
        self._since = now
        self._total = total
        self._budget = budget
        self._count = 0
        self.tick = 1

    def measured(self, now: int, total: int) -> Traffic | None:
        """The traffic, when a second is over."""
        self._count += self.tick
        seconds = (now - self._since) / SECOND
        if seconds < 1.0:
            # Before the first second is over nobody knows how fast it is.
            if self._count > FAST:
                self.tick = SAMPLE
            return None
        rate = self._count / seconds
        told = Traffic((total - self._total) / seconds, rate, total, self._budget)
        self._since, self._total, self._count = now, total, 0
        self.tick = SAMPLE if rate > FAST else 1
        return told
