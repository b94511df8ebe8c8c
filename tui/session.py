"""A session: the engine, the source, its runs and what is asked besides. Lives on the screen's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.aside import Aside
from tui.connection import Connect, Connected, ConsoleOptions, Failure

if TYPE_CHECKING:
    from playbooks.engine.discovery import Catalogue
    from playbooks.engine.knowing import Knowing
    from playbooks.engine.run import Order
    from playbooks.engine.snapshot import Snapshot
    from playbooks.engine.thread import EngineThread
    from playbooks.model.rule import Rule
    from tui.aiming import Ends
    from tui.asking_kept import Names, Newest
    from tui.flows.watch import Watch
    from tui.news import EngineStarted
    from tui.runs import Runs

Work = Callable[["Knowing"], Coroutine[Any, Any, Any]]
"""What is asked besides the runs, over a look of its own."""

_CLOSING = 1.0
"""Seconds that a source may take to let go."""


@dataclass(slots=True)
class Session:
    """From the start of the console to its end; every method is called on the screen's thread."""

    connect: Connect
    """How to connect."""
    options: ConsoleOptions
    """What the person chose."""
    post: Callable[[Message], object]
    """Takes messages from any thread."""
    engine: EngineThread | None = None
    """The engine, once it is loaded."""
    catalogue: Catalogue | None = None
    """The playbooks and rules, once they are loaded."""
    connected: Connected | None = None
    """The source, once there is one."""
    runs: Runs | None = None
    """The runs, once there is a source."""
    failure: Failure | None = None
    """Why there is no source, or why a run broke."""
    ends: Ends | None = None
    """What the playbooks were aimed at in the console."""
    namespace: str = ""
    """The one namespace that is shown; empty for all."""
    names: Names | None = None
    """What can be named in the cluster, once somebody began to type."""
    watch: Watch | None = None
    """The stream of flows, once the source is there and has any."""
    aside: Aside = field(default_factory=Aside)
    """What is asked for a pane alone."""
    _opening: Future[Connected] | None = None
    _asked: list[Future[Any]] = field(default_factory=list)

    def load(self) -> None:
        """Load the engine beside the screen; `EngineStarted` follows."""
        threading.Thread(target=self._load, name="loading", daemon=True).start()

    def started(self, engine: EngineThread, catalogue: Catalogue) -> None:
        """The engine is there: connect."""
        self.engine, self.catalogue = engine, catalogue
        self.open()

    def open(self) -> None:
        """Connect, or try again; `ConnectionOpened` or `ConnectionFailed` follows."""
        if self.engine is None or self._opening is not None:
            return
        self.failure = None
        self._opening = self.engine.submit(_opened(self.connect))
        self._opening.add_done_callback(self._tell_opened)

    def opened(self, connected: Connected) -> None:
        """The source is there: run what was asked for."""
        from tui.runs import Runs

        self._opening = None
        if self.engine is None:
            return
        self.connected = connected
        if connected.flows is not None:
            from tui.flows.watch import Watch

            self.watch = Watch(connected.flows)
        self.runs = Runs(
            self.engine,
            connected.source,
            self.post,
            self._order,
            self.options.interval,
            connected.finished,
            is_live=connected.is_live,
        )
        if not self.options.is_quiet:
            self.check(self.options.playbooks)

    def refused(self, failure: Failure) -> None:
        """There is no source."""
        self._opening, self.failure = None, failure

    @property
    def snapshot(self) -> Snapshot | None:
        """All that is known so far."""
        return self.runs.snapshot if self.runs else None

    @property
    def kubectl(self) -> str:
        """How a command to this cluster begins."""
        return self._order(()).kubectl

    @property
    def about(self) -> str:
        """What the playbooks are aimed at, as typed; empty when it is nothing in particular."""
        named = self.runs.named if self.runs else ()
        return self.ends.said if self.ends and named else ", ".join(named)

    @property
    def is_connecting(self) -> bool:
        """Whether the connection is being made."""
        return self._opening is not None

    @property
    def is_running(self) -> bool:
        """Whether anything is under way that can be stopped."""
        is_asking = any(not one.done() for one in self._asked)
        return self.is_connecting or is_asking or (self.runs is not None and self.runs.is_active)

    def check(self, playbooks: tuple[str, ...] = ()) -> None:
        """Run all rules of some playbooks, of all when none is named."""
        rules = self.catalogue.rules_of(playbooks) if self.catalogue else ()
        if self.runs and rules:
            self.runs.start(rules)

    def choose_nodes(self, globs: tuple[str, ...]) -> None:
        """Look at these nodes only, of all when none is named, and begin anew."""
        rules = self.catalogue.rules_of(()) if self.catalogue else ()
        if self.runs and rules:
            self.runs.nodes = globs
            self.runs.start_afresh(rules)

    def stop(self) -> bool:
        """Stop everything under way; whether there was anything."""
        self.aside.stop()
        if not self.is_running:
            return False
        if self._opening:
            self._opening.cancel()
        if self.runs:
            self.runs.stop()
        for asked in self._asked:
            asked.cancel()
        return True

    def ask_answer(self, command: str, *, may_ask: bool = False) -> None:
        """Get the raw answer behind a command; `AnswerArrived` follows. The cluster is asked if it may be."""
        from tui import asking

        runs = self.runs.newest_first if self.runs else ()
        self._submit(asking.answer_to(command, runs, may_ask=may_ask), asking.told_answer(command, self.post))

    def ask_log(self, node: str, *, is_previous: bool | None = None) -> str:
        """Get the log of the agent on a node; `AnswerArrived` follows, under the name that is returned."""
        from tui import asking

        runs = self.runs.newest_first if self.runs else ()
        name = f"log of the agent on {node}"
        self._submit(asking.log_of(node, runs, is_previous), asking.told_answer(name, self.post))
        return name

    def ask_looked(self, topic: str, rules: tuple[Rule, ...]) -> None:
        """Get what the verdicts of rules rest on; `LookedArrived` follows."""
        from tui import asking

        runs = self.runs.judging(rules) if self.runs else ()

        from tui.news import LookedArrived

        def tell(done: Future[Any]) -> None:
            if not done.cancelled():
                self.post(LookedArrived(topic, done.result()))

        self._submit(asking.looked_at(rules, runs), tell)

    def ask(self, work: Work, told: Callable[[Future[Any]], object]) -> bool:
        """Do work over a look of its own at the source; whether there is a source to ask."""
        if self.runs is None:
            return False
        self._submit(_over(self.runs.knowing(), work), told)
        return True

    def ask_kept(
        self, work: Callable[[Newest], Coroutine[Any, Any, Any]], told: Callable[[Future[Any]], object]
    ) -> bool:
        """Do work over what was read already, as far as it was; whether there is a source to ask."""
        from tui.asking_kept import Newest

        runs = self.runs.newest_first if self.runs else ()
        return self.ask(lambda knowing: work(Newest(runs, knowing)), told)

    def ask_policies(self) -> None:
        """Get the policies as they are written; `PoliciesArrived` follows."""
        from tui import asking
        from tui.news import PoliciesArrived

        def tell(done: Future[Any]) -> None:
            if not done.cancelled():
                self.post(PoliciesArrived(done.result()))

        self._submit(asking.policies(self.runs.newest_first if self.runs else ()), tell)

    def close(self) -> None:
        """Stop, let go of the source, end the engine's thread."""
        self.stop()
        if self.watch:
            self.watch.close()
        if self.engine is None:
            return
        engine, self.engine = self.engine, None
        if self.connected:
            _wait(engine.submit(self.connected.source.close()))
        engine.close()

    def _order(self, rules: tuple[Rule, ...]) -> Order:
        from playbooks.engine.run import Order

        return self.options.order(rules) if self.options.order else Order(rules)

    def _submit(self, work: Coroutine[Any, Any, Any], told: Callable[[Future[Any]], object]) -> None:
        if self.engine is None:
            work.close()
        else:
            self._asked = [one for one in self._asked if not one.done()]
            self._asked.append(self.engine.submit(work))
            self._asked[-1].add_done_callback(told)

    def _load(self) -> None:
        from tui.news import ConnectionFailed

        try:
            self.post(_loaded())
        except Exception as error:  # noqa: BLE001  a rule that cannot be loaded is told on the screen
            self.post(ConnectionFailed(Failure.of(error)))

    def _tell_opened(self, done: Future[Connected]) -> None:
        from tui.news import ConnectionFailed, ConnectionOpened

        if done.cancelled():
            self.post(ConnectionFailed(Failure("connecting was stopped", "", "press r to connect")))
        elif error := done.exception():
            self.post(ConnectionFailed(Failure.of(error)))
        else:
            self.post(ConnectionOpened(done.result()))


async def _over(knowing: Knowing, work: Work) -> object:
    try:
        return await work(knowing)
    finally:
        await knowing.cancel()


def _loaded() -> EngineStarted:
    from playbooks.engine.discovery import catalogue
    from playbooks.engine.thread import EngineThread
    from tui import asking, runs
    from tui.news import EngineStarted
    from tui.view import desk

    # Loaded here so that the first snapshot does not make a key wait for imports.
    del asking, desk, runs
    return EngineStarted(EngineThread(), catalogue())


async def _opened(connect: Connect) -> Connected:
    try:
        return await connect()
    except (SystemExit, KeyboardInterrupt) as error:
        # Either would end the engine's loop, and with it every later try.
        raise ConnectionError(f"connecting ended with {error!r}") from error


def _wait(closing: Future[None]) -> None:
    import logging
    from concurrent.futures import CancelledError

    try:
        closing.result(_CLOSING)
    except (TimeoutError, CancelledError):
        logging.getLogger(__name__).warning("the source did not close within %s s", _CLOSING)
    except Exception:
        logging.getLogger(__name__).exception("the source did not close well")
