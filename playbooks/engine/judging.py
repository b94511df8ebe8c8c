"""Runs one rule over facts that are there: in slices, within a budget, crash or not."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playbooks.model.fact import Change, Fact, Fleet, OnNode
from playbooks.model.finding import CouldNotLook, Finding, NotApplicable, Verdict
from playbooks.model.rule import Rule

SLICE = 0.020
"""Seconds after which a rule lets others go on."""
BUDGET = 2.0
"""Seconds that a rule may take, plus one for each `BUDGET_OBJECTS` objects in its facts."""
BUDGET_OBJECTS = 10_000


@dataclass(slots=True)
class Judged:
    """What one call of a rule gave."""

    findings: list[Finding] = field(default_factory=list)
    """What it found."""
    doubts: list[str] = field(default_factory=list)
    """Why it could not judge."""
    not_applicable: list[str] = field(default_factory=list)
    """Why its question does not arise."""
    traceback: str = ""
    """Of a crash."""
    is_too_slow: bool = False
    """Whether it was cut off."""


async def judge(
    rule: Rule, arguments: Mapping[str, Any], clock: Callable[[], float] = time.monotonic
) -> Judged:
    """Drain a rule's generator; a crash is a result, and so is taking too long."""
    judged = Judged()
    left = BUDGET + sum(map(_objects, arguments.values())) / BUDGET_OBJECTS
    try:
        verdicts = rule.judge(**arguments)
        begin = clock()
        while _drain_slice(verdicts, judged, clock):
            # What others take while this rule lets them go on is not its own.
            left -= clock() - begin
            if left < 0:
                judged.is_too_slow = True
                break
            await asyncio.sleep(0)
            begin = clock()
    except Exception:  # noqa: BLE001  a rule's crash is an outcome, told with its traceback
        judged.traceback = traceback.format_exc()
    return judged


def _drain_slice(verdicts: Iterator[Verdict], judged: Judged, clock: Callable[[], float]) -> bool:
    end = clock() + SLICE
    for verdict in verdicts:
        match verdict:
            case Finding():
                judged.findings.append(verdict)
            case CouldNotLook():
                judged.doubts.append(verdict.why)
            case NotApplicable():
                judged.not_applicable.append(verdict.why)
        if clock() > end:
            return True
    return False


def _objects(argument: object) -> int:
    match argument:
        case OnNode():
            return _objects(argument.fact)
        case Change():
            return _objects(argument.before) + _objects(argument.after)
        case Fleet():
            return sum(map(_objects, argument.facts.values()))
        case Fact():
            return len(getattr(argument, "items", ()))
    return 0
