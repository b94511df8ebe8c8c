"""The runs of a session: started, stopped, watched, and put together. Lives on the screen's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.connection import Failure
from tui.news import LookDue, RunEnded, SnapshotArrived

if TYPE_CHECKING:
    from playbooks.engine.knowing import Knowing
    from playbooks.engine.ranking import Ranked
    from playbooks.engine.run import Order, Run
    from playbooks.engine.snapshot import Snapshot
    from playbooks.engine.targets.aim import Aim
    from playbooks.engine.thread import EngineThread
    from playbooks.engine.wanting import Call
    from playbooks.model.answer import Source
    from playbooks.model.rule import Rule
    from tui.aiming import Ends

_KEPT_RUNS = 4
"""Runs whose answers can still be looked at, besides the largest."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A finding that was there and is not any more."""

    ranked: Ranked
    """As it was last seen."""
    at: datetime
    """When it was first seen to be gone."""


@dataclass(slots=True)
class _Started:
    """A run and what it is for."""

    run: Run
    future: Future[Snapshot]
    rules: tuple[Rule, ...]
    watching: str = ""
    is_ended: bool = False


@dataclass(slots=True)
class Runs:
    """Every run against one source."""

    engine: EngineThread
    """Where they run."""
    source: Source
    """Who is asked."""
    post: Callable[[Message], object]
    """Takes messages from any thread."""
    make_order: Callable[[tuple[Rule, ...]], Order]
    """What the person chose for runs."""
    interval: float
    """Seconds between two looks at a finding that is watched."""
    finished: Callable[[Snapshot], None]
    """Told of every run that came to its end, on the engine's thread."""
    is_live: bool = True
    """Whether asking again can give another answer."""
    snapshot: Snapshot | None = None
    """All that is known so far."""
    gone: dict[str, Gone] = field(default_factory=dict)
    """Findings that were there, by key."""
    watched: dict[str, Rule] = field(default_factory=dict)
    """Findings that are looked at again until they are gone, by key."""
    nodes: tuple[str, ...] | None = None
    """Globs of nodes chosen in the console."""
    targets: tuple[str, ...] = ()
    """Nodes that the guide leads to: they are asked in any case."""
    aimed_at: Ends | None = None
    """What a person aims at in the console; nothing chosen means what the command line says."""
    _started: dict[int, _Started] = field(default_factory=dict)
    _latest: dict[int, Snapshot] = field(default_factory=dict)
    _base: Snapshot | None = None
    _aim: Aim | None = None
    _aimed_since: int = 0
    _pauses: dict[str, Future[Any]] = field(default_factory=dict)
    _look: int = 1
    _number: int = 0

    @property
    def is_active(self) -> bool:
        """Whether a run is under way, or the next look at a watched finding."""
        return bool(self._pauses) or bool(self._live)

    @property
    def newest_first(self) -> tuple[Run, ...]:
        """Runs whose answers can still be looked at."""
        return tuple(self._started[number].run for number in sorted(self._started, reverse=True))

    def judging(self, rules: tuple[Rule, ...]) -> tuple[Run, ...]:
        """Runs with any of these rules, the newest first."""
        wanted = {rule.id for rule in rules}
        return tuple(
            one.run
            for _, one in sorted(self._started.items(), reverse=True)
            if any(rule.id in wanted for rule in one.rules)
        )

    def knowing(self) -> Knowing:
        """A look of its own, for what is asked besides: its answers are not older than the question."""
        from playbooks.engine.asking import Asking, Turns
        from playbooks.engine.knowing import Knowing

        order = self.make_order(())
        look, self._look = self._look, self._look + int(self.is_live)
        source = self.source
        return Knowing(Asking(source, look, Turns(order.workers)), order.choice, lambda: source.now)

    def start(self, rules: tuple[Rule, ...], watching: str = "") -> None:
        """Start a run; `SnapshotArrived` and at last `RunEnded` follow."""
        self._number += 1
        number = self._number
        order = self.make_order(rules)
        nodes = order.nodes if self.nodes is None else self.nodes
        targets = tuple(dict.fromkeys((*self.named, *self.targets)))
        order = replace(order, first_look=self._look, nodes=nodes, targets=targets, calls=self._calls(order))
        # A recording knows its own looks only.
        self._look += order.looks if self.is_live else 0

        def told(snapshot: Snapshot) -> None:
            if snapshot.is_over:
                self.finished(snapshot)
            self.post(SnapshotArrived(number, snapshot))

        run, future = self.engine.run(self.source, order, told)
        self._started[number] = _Started(run, future, rules, watching)
        self._forget()
        future.add_done_callback(lambda done: self.post(_ended(number, done)))

    def _calls(self, order: Order) -> tuple[Call, ...]:
        """Who is to call whom, as the console was told, or else the command line."""
        return order.calls if self.aimed_at is None else self.aimed_at.calls

    @property
    def named(self) -> tuple[str, ...]:
        """What the playbooks are aimed at, as typed."""
        return self.make_order(()).targets if self.aimed_at is None else self.aimed_at.words

    def aim(self, ends: Ends, found: Aim) -> None:
        """Have findings about something come first, from now on and in what is known already."""
        self.aimed_at, self._aim, self._aimed_since = ends, found, self._number
        self._put_together()

    def start_afresh(self, rules: tuple[Rule, ...]) -> None:
        """Start a run that nothing known before is mixed with."""
        self.stop()
        self._base = self.snapshot = None
        self.gone.clear()
        self.start(rules)

    def watch(self, key: str, rule: Rule) -> None:
        """Ask only what a finding needs, again and again until it is gone."""
        self.watched[key] = rule
        if pause := self._pauses.pop(key, None):
            pause.cancel()
        self.start((rule,), watching=key)

    def take(self, number: int, snapshot: Snapshot) -> None:
        """Results of a run; what comes after it was stopped is left aside."""
        started = self._started.get(number)
        if started is not None and not started.is_ended:
            self._latest[number] = snapshot
            if self._aim and number > self._aimed_since and snapshot.things:
                # Pods come and go: what a later run resolved is nearer to what is there.
                self._aim = replace(self._aim, things=snapshot.things)
            self._put_together()

    def ended(self, number: int, last: Snapshot | None, *, is_broken: bool) -> tuple[Gone, ...]:
        """A run is over: look again at what is watched; what has gone since is returned."""
        from tui.view.merged import judged_since, merged

        last = last or self._latest.get(number)
        self._latest.pop(number, None)
        started = self._started.get(number)
        if last is None or started is None or started.is_ended:
            return ()
        started.is_ended = True
        went = {key: Gone(ranked, last.taken_at) for key, ranked in judged_since(self._base, last)}
        self.gone.update(went)
        self._base = merged(self._base, last)
        self._put_together()
        if started.watching:
            self._go_on_watching(started.watching, is_broken=is_broken)
            self._ask_symptoms(went.values())
        return tuple(went.values())

    def look_again(self, key: str) -> None:
        """The time has come for the next look at a watched finding."""
        if key in self.watched:
            self.watch(key, self.watched[key])

    def stop(self) -> None:
        """Stop everything under way, at once."""
        for started in self._live:
            started.is_ended = True
            started.future.cancel()
        for pause in self._pauses.values():
            pause.cancel()
        self._pauses.clear()
        self.watched.clear()
        self._latest.clear()
        if self.snapshot and not self.snapshot.is_over:
            self.snapshot = replace(self.snapshot, is_stopped=True)
        self._base = self.snapshot

    @property
    def _live(self) -> list[_Started]:
        return [one for one in self._started.values() if not one.future.done()]

    def _forget(self) -> None:
        """Drop the runs that nobody looks at any more: watching makes one every few seconds."""
        largest = max(self._started, key=lambda number: len(self._started[number].rules))
        for number in sorted(self._started)[:-_KEPT_RUNS]:
            if number != largest and self._started[number].future.done():
                del self._started[number]

    def _put_together(self) -> None:
        from tui.view.merged import aimed, keyed, merged

        whole = self._base
        for number in sorted(self._latest):
            whole = merged(whole, self._latest[number])
        if whole is not None and self._aim is not None:
            whole = aimed(whole, self._aim)
        self.snapshot = whole
        for key in self.gone.keys() & keyed(whole).keys():
            del self.gone[key]

    def _ask_symptoms(self, went: Iterable[Gone]) -> None:
        """What followed from a cause that is gone would now stand there as if it were a cause itself."""
        rules = dict.fromkeys(rule for gone in went for rule in _below(gone.ranked))
        if rules:
            self.start(tuple(rules))

    def _go_on_watching(self, key: str, *, is_broken: bool) -> None:
        from tui import asking

        if key in self.gone or is_broken:
            self.watched.pop(key, None)
        elif key in self.watched:
            pause = self.engine.submit(asking.paused(self.source, self.interval))
            self._pauses[key] = pause
            pause.add_done_callback(lambda done: None if done.cancelled() else self.post(LookDue(key)))


def _below(ranked: Ranked) -> Iterator[Rule]:
    for symptom in ranked.symptoms:
        yield symptom.rule
        yield from _below(symptom)


def _ended(number: int, done: Future[Snapshot]) -> RunEnded:
    if done.cancelled():
        return RunEnded(number, is_stopped=True)
    error = done.exception()
    if error:
        return RunEnded(number, failure=Failure.of(error))
    return RunEnded(number, done.result())
