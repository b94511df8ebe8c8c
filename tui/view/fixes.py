"""Fixes as lines, and their commands as copies."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.finding import Finding, Fix, Risk, Step
from tui.ink import BLANK, Ink, Line, line, piece
from tui.view.topic import Copy, command_copy, command_lines, labelled

_RISKS = {Risk.LOW: Ink.OK, Risk.MEDIUM: Ink.WARN, Risk.HIGH: Ink.ERROR}
_CHANGES = {"+": Ink.OK, "-": Ink.ERROR, "@": Ink.QUIET}
_MEANING = {
    Risk.LOW: "changes nothing that works",
    Risk.MEDIUM: "restarts or opens something",
    Risk.HIGH: "interrupts traffic",
}


def fix_title(fix: Fix, number: int, total: int) -> Line:
    """Number, kind, risk and title in one line."""
    return line(
        piece(f"Fix {number} of {total} · {fix.kind.value} · ", Ink.TITLE),
        piece(f"{fix.risk.value} risk", _RISKS[fix.risk]),
        ": ",
        fix.title,
    )


def fix_lines(found: Finding) -> Iterator[Line]:
    """Every fix of a finding, in full."""
    for number, fix in enumerate(found.fixes, 1):
        if number > 1:
            yield BLANK
        yield from _fix(fix, number, len(found.fixes))


def _fix(fix: Fix, number: int, total: int) -> Iterator[Line]:
    yield line(
        piece(f"Fix {number} of {total} · {fix.kind.value} · ", Ink.TITLE),
        piece(f"{fix.risk.value} risk", _RISKS[fix.risk]),
        piece(f" ({_MEANING[fix.risk]})", Ink.QUIET),
    )
    yield line(piece(fix.title, Ink.BOLD))
    if fix.why.raw:
        yield line(fix.why)
    for position, step in enumerate(fix.steps, 1):
        yield from _step(step, position)
    yield from labelled("undo", *fix.undo.lines)
    yield from labelled("verify", *fix.verify.lines)


def _step(step: Step, position: int) -> Iterator[Line]:
    first = (piece("save first: ", Ink.WARN),) if step.is_capture else ()
    yield line(piece(f"{position:>2}. ", Ink.QUIET), *first, step.text, hang=4)
    if step.command is not None:
        is_safe = step.command.is_safe_to_run
        yield from command_lines(step.command, 4) if step.language == "sh" or not is_safe else _written(step)


def _written(step: Step) -> Iterator[Line]:
    """What is to be written, not run: a manifest, or how one changes."""
    for shown in step.command.lines if step.command else ():
        ink = _CHANGES.get(shown[:1], Ink.COMMAND) if step.language == "diff" else Ink.COMMAND
        yield line(piece(shown, ink), indent=4)


def fix_copies(found: Finding) -> Iterator[Copy]:
    """Every command of every fix."""
    for number, fix in enumerate(found.fixes, 1):
        for position, step in enumerate(fix.steps, 1):
            if step.command is not None:
                yield command_copy(f"fix {number}, step {position}: {step.text.shown}", step.command)
