"""Runs playbooks in the foreground: progress while it goes, a partial result when a signal stops it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from playbooks.engine.report import Exit, FailOn, exit_code
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Source
from tui.commands.options import Options
from tui.commands.progress import ProgressLine
from tui.commands.signals import Interrupted, Signals
from tui.commands.trouble import Trouble, told

_BEAT = 0.1
"""Seconds between two looks at the progress."""


async def run_to_the_end(
    source: Source, order: Order, options: Options, signals: Signals
) -> tuple[Snapshot, Exit]:
    """Run; the last snapshot with its exit code, partial when a signal came."""
    run = Run(source, order)
    progress = ProgressLine(is_quiet=options.is_quiet)
    beat = asyncio.create_task(_follow(run, progress))
    try:
        snapshot = await signals.unless(run.start())
    except Interrupted as interrupted:
        return replace(run.snapshot(), is_stopped=True), interrupted.code
    finally:
        beat.cancel()
        progress.clear()
    for gap in snapshot.unfound:
        told(Trouble(gap.detail, gap.command, gap.remedy))
    if snapshot.unfound and options.command == "check":
        return snapshot, Exit.USAGE
    return snapshot, exit_code(snapshot, FailOn(options.fail_on), is_strict=options.is_strict)


async def _follow(run: Run, progress: ProgressLine) -> None:
    while True:
        progress.show(run.snapshot())
        await asyncio.sleep(_BEAT)
