"""`honeyguide check`: runs playbooks once and prints the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playbooks.engine.run import Order
from playbooks.model.answer import Source
from playbooks.model.rule import Rule
from tui.commands.choosing import rules_of
from tui.commands.keeping import keep
from tui.commands.opening import open_live, recording, way_in
from tui.commands.options import Options
from tui.commands.printing import print_report
from tui.commands.progress import ProgressLine
from tui.commands.removal import run as before_removal
from tui.commands.running import run_to_the_end
from tui.commands.signals import Interrupted, Signals, foreground
from tui.commands.trouble import Trouble

if TYPE_CHECKING:
    from playbooks.sources.access import Access


def run(options: Options) -> int:
    """Check a cluster or a recording; the exit code."""
    if options.is_before_removal:
        return before_removal(options)
    rules = rules_of(options.words, options.symptom)
    if not options.input:
        return check_live(way_in(options), options, rules)
    if options.record:
        raise Trouble("--record is of no use with --input", "", "copy the folder instead")
    return check_recording(options.input, options, rules)


def check_recording(folder: str, options: Options, rules: tuple[Rule, ...]) -> int:
    """Run rules against a recording and print the report; the exit code."""
    recorded = recording(folder)
    return foreground(_check_recording(recorded.source, options, options.order(rules, recorded.kubectl)))


def check_live(access: Access, options: Options, rules: tuple[Rule, ...]) -> int:
    """Run rules against a live cluster and print the report; the exit code."""
    return foreground(_check_live(access, options, rules))


async def _check_recording(source: Source, options: Options, order: Order) -> int:
    try:
        with Signals() as signals:
            snapshot, code = await run_to_the_end(source, order, options, signals)
    finally:
        await source.close()
    print_report(snapshot, code, options.output)
    return code


async def _check_live(access: Access, options: Options, rules: tuple[Rule, ...]) -> int:
    with Signals() as signals:
        progress = ProgressLine(is_quiet=options.is_quiet)
        progress.say(f"connecting to {access.name} ({access.server})")
        try:
            opened = await signals.unless(open_live(access, options))
        except Interrupted as interrupted:
            return interrupted.code
        finally:
            progress.clear()
        try:
            if options.record:
                opened = opened.recorded_in(Path(options.record), access)
            order = options.order(rules, access.command_prefix)
            snapshot, code = await run_to_the_end(opened.source, order, options, signals)
            if opened.journal:
                keep(opened.journal, snapshot, code)
            # Printed before anything is closed: after a signal the person waits for this, not for the disk.
            print_report(snapshot, code, options.output)
        finally:
            await opened.close()
    if opened.journal and opened.journal.stopped:
        raise Trouble(opened.journal.stopped, options.record, "the report above is whole", code)
    return code
