"""`honeyguide`: the console on a live cluster; without a terminal its plain report."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands.keeping import keep
from tui.commands.near import near
from tui.commands.opening import contexts_of, open_live, usual_folder, way_in
from tui.commands.options import Options
from tui.commands.terminal import is_interactive
from tui.commands.trouble import Trouble

if TYPE_CHECKING:
    from playbooks.engine.run import Order
    from playbooks.engine.snapshot import Snapshot
    from playbooks.model.rule import Rule
    from playbooks.sources.access import Access
    from playbooks.sources.careful import Careful
    from playbooks.sources.journal import Journal
    from tui.connection import Connect, Connected, ConsoleOptions, Contexts
    from tui.flows.keeping import FlowKeeper
    from tui.flows.source import Flows


def run(options: Options) -> int:
    """Open the console; the exit code."""
    _refuse_typing_errors(options)
    if not is_interactive():
        from tui.commands.check import check_live
        from tui.commands.choosing import rules_of

        return check_live(way_in(options), options, rules_of(()))
    return LiveConsole(options).run()


def _refuse_typing_errors(options: Options) -> None:
    from tui.commands.parsing import COMMANDS

    for word in options.words:
        close = near(word, COMMANDS) if "/" not in word else ()
        if close:
            remedy = f"did you mean honeyguide {close[0]}? A target of this name comes after --"
            raise Trouble(f"there is no command {word!r}", "", remedy)


class LiveConsole:
    """The console on a cluster that is reached after the first paint; every session is recorded."""

    def __init__(self, options: Options, prepare: Callable[[], None] | None = None) -> None:
        """`prepare` is called before connecting, in a thread: it starts the practice cluster."""
        self._options = options
        self._prepare = prepare
        self._kubectl = "kubectl"
        self._context = ""
        self._next = ""
        self._journal: Journal | None = None
        self._keeper: FlowKeeper | None = None

    def run(self) -> int:
        """Draw until the person leaves; the exit code. Another context is another console."""
        code = self._run_once()
        while self._next:
            self._options = self._options.in_context(self._next)
            self._next, self._journal, self._keeper = "", None, None
            code = self._run_once()
        return code

    def _run_once(self) -> int:
        try:
            return draw(self.connect, console_options(self._options, self._order, self.contexts))
        finally:
            if self._keeper:
                self._keeper.close()
            if self._journal:
                asyncio.run(self._journal.close())

    def contexts(self) -> Contexts:
        """The contexts of the kubeconfig, and how another one is opened."""
        from tui.connection import Contexts

        def reopen(name: str) -> None:
            self._next = name

        if self._prepare:
            refusal = "this is the practice cluster; another fault: honeyguide practice SCENARIO"
            return Contexts((), "", reopen, refusal)
        names, refusal = contexts_of(self._options)
        if self._options.record and not refusal:
            refusal = (
                f"this session is kept in {self._options.record}; another one: honeyguide --context NAME"
            )
        return Contexts(names, self._context, reopen, refusal)

    async def connect(self) -> Connected:
        """Reach the cluster. Runs on the engine's thread."""
        from tui.connection import Connected

        access = await asyncio.to_thread(self._way_in)
        self._kubectl, self._context = access.command_prefix, access.name
        folder = Path(self._options.record) if self._options.record else usual_folder(access.name)
        opened = await open_live(access, self._options)
        try:
            opened = opened.recorded_in(folder, access)
            recording = partial(_recording, opened.journal, folder)
        except Trouble as trouble:
            # A full or read-only home must not keep anybody from diagnosing; a wrong --record must.
            if self._options.record:
                await opened.close()
                raise
            recording = partial(str, f"not recorded: {trouble.what}")
        self._journal = opened.journal
        return Connected(
            opened.source,
            access.name,
            server=access.server,
            is_insecure=access.is_insecure,
            is_practice=self._prepare is not None,
            recording=recording,
            load=partial(_load, opened.cluster.source),
            flows=self._flows(access, folder),
            finished=self._keep,
        )

    def _flows(self, access: Access, folder: Path) -> Flows:
        from playbooks.sources.hubble.places import Choice
        from tui.flows.keeping import FlowKeeper
        from tui.flows.live import LiveFlows

        options = self._options
        choice = Choice(options.cilium_namespace, options.agent_selector, options.agent_container)
        flows = LiveFlows(access, choice, uses_environment=self._prepare is None)
        if self._journal is None:
            return flows
        self._keeper = FlowKeeper(folder)
        return replace(flows, kept=self._keeper.put)

    def _keep(self, snapshot: Snapshot) -> None:
        if self._journal:
            keep(self._journal, snapshot)

    def _way_in(self) -> Access:
        if self._prepare:
            self._prepare()
        return way_in(self._options)

    def _order(self, rules: tuple[Rule, ...]) -> Order:
        return self._options.order(rules, self._kubectl)


has_drawn = False
"""Whether a console was drawn in this process."""


def draw(connect: Connect, options: ConsoleOptions) -> int:
    """Draw the console until the person leaves; the exit code."""
    global has_drawn
    has_drawn = True
    # Loading makes a hundred thousand objects and no garbage; the console looks for it once it is drawn.
    gc.disable()
    from tui.app import run_console

    return run_console(connect, options)


def _recording(journal: Journal | None, folder: Path) -> str:
    stopped = journal.stopped if journal else ""
    return stopped or f"recorded in {folder}"


def _load(careful: Careful) -> str:
    state = careful.state
    return f"{state.workers} of {state.maximum} at once: {state.reason}" if state.reason else ""


def console_options(
    options: Options,
    order: Callable[[tuple[Rule, ...]], Order] | None = None,
    contexts: Callable[[], Contexts] | None = None,
) -> ConsoleOptions:
    """What the console needs of the command line."""
    from tui.connection import ConsoleOptions

    return ConsoleOptions(
        order or options.order,
        is_quiet=options.is_quiet,
        theme=options.theme,
        is_ascii=True if options.is_ascii else None,
        is_slow=options.is_slow,
        has_mouse=not options.no_mouse,
        contexts=contexts,
    )
