"""Runs playbooks in the foreground: progress while it goes, a partial result when a signal stops it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from playbooks.engine.report import Exit, FailOn, exit_code
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap, Source
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pods
from tui.commands.near import near
from tui.commands.options import Options
from tui.commands.progress import ProgressLine
from tui.commands.signals import Interrupted, Signals
from tui.commands.trouble import Trouble, told

_NEAR = 3
"""Names that are offered for one that is unknown."""
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
    if order.target:
        await _tell_unknown(run, order)
    return snapshot, exit_code(snapshot, FailOn(options.fail_on), is_strict=options.is_strict)


async def _tell_unknown(run: Run, order: Order) -> None:
    """Say which targets are neither a pod nor a node; silent where pods or nodes could not be read."""
    pods, nodes = await run.know(Pods), await run.know(Nodes)
    if isinstance(pods, Gap) or isinstance(nodes, Gap):
        return
    known = {pod.metadata.name for pod in pods.items} | {node.name for node in nodes.items}
    for target in sorted(order.target - known):
        begun = sorted(name for name in known if name.startswith(f"{target}-"))[:_NEAR]
        close = begun or near(target, known)
        remedy = f"did you mean {' or '.join(close)}?" if close else f"{order.kubectl} get pods -A names them"
        told(Trouble(f"no pod or node is named {target!r}: no finding comes first", "", remedy))


async def _follow(run: Run, progress: ProgressLine) -> None:
    while True:
        progress.show(run.snapshot())
        await asyncio.sleep(_BEAT)
