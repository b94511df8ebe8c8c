"""Runs the work of a command over its source: a cluster, or a recording."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Source
from tui.commands.opening import open_live, recording, way_in
from tui.commands.options import Options
from tui.commands.signals import Interrupted, Signals, foreground

Work = Callable[[Source], Coroutine[object, object, int]]
"""What a command does with a source; the exit code."""


def over_source(options: Options, work: Work) -> int:
    """Open what was asked for, do the work, close it; the exit code, also when a signal ends it."""
    if options.input:
        return foreground(_over_recording(recording(options.input).source, work))
    return foreground(_over_cluster(options, work))


def knowing_of(source: Source, options: Options) -> Knowing:
    """One look at a source, for commands that ask for facts without rules."""
    return Knowing(Asking(source, 1, Turns(options.workers)), options.choice(), lambda: source.now)


async def _over_recording(source: Source, work: Work) -> int:
    try:
        with Signals() as signals:
            return await signals.unless(work(source))
    except Interrupted as interrupted:
        return interrupted.code
    finally:
        await source.close()


async def _over_cluster(options: Options, work: Work) -> int:
    access = way_in(options)
    with Signals() as signals:
        try:
            opened = await signals.unless(open_live(access, options))
        except Interrupted as interrupted:
            return interrupted.code
        try:
            return await signals.unless(work(opened.source))
        except Interrupted as interrupted:
            return interrupted.code
        finally:
            await opened.close()
