"""`honeyguide replay DIR`: the console on a recording; without a terminal its plain report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands.opening import recording
from tui.commands.options import Options
from tui.commands.terminal import is_interactive

if TYPE_CHECKING:
    from playbooks.engine.run import Order
    from playbooks.model.rule import Rule
    from tui.connection import Connected


def run(options: Options) -> int:
    """Open it; the exit code."""
    folder = options.words[0]
    if not is_interactive() or options.output != "text":
        from tui.commands.check import check_recording
        from tui.commands.choosing import rules_of

        return check_recording(folder, options, rules_of(()))
    recorded = recording(folder)
    source = recorded.source

    async def connect() -> Connected:
        from tui.connection import Connected
        from tui.flows.recorded import RecordedFlows

        kind = f"recording of {source.now:%Y-%m-%d %H:%M} UTC"
        flows = RecordedFlows(Path(folder), source.now)
        return Connected(source, source.name, kind=kind, server=folder, flows=flows)

    def order(rules: tuple[Rule, ...]) -> Order:
        return options.order(rules, recorded.kubectl)

    from tui.commands.console import console_options, draw

    return draw(connect, console_options(options, order))
