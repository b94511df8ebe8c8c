"""`honeyguide check`: runs playbooks once and prints the report."""

from __future__ import annotations

from playbooks.model.answer import Source
from playbooks.model.rule import Rule
from tui.commands.choosing import rules_of
from tui.commands.opening import recording
from tui.commands.options import Options
from tui.commands.printing import print_report
from tui.commands.running import run_to_the_end
from tui.commands.signals import Signals, foreground
from tui.commands.trouble import Trouble


def run(options: Options) -> int:
    """Check a cluster or a recording; the exit code."""
    rules = rules_of(options.words)
    if options.input:
        if options.record:
            raise Trouble("--record is of no use with --input", "", "copy the folder instead")
        return foreground(report_on(recording(options.input), options, rules))
    return 0


async def report_on(source: Source, options: Options, rules: tuple[Rule, ...]) -> int:
    """Run the rules against an open source, print the report, close the source; the exit code."""
    try:
        with Signals() as signals:
            snapshot, code = await run_to_the_end(source, options.order(rules), options, signals)
            print_report(snapshot, code, options.output)
        return code
    finally:
        await source.close()
