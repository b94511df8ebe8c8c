"""`honeyguide expect`: a table of who may call whom, held against what agents realized."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.verdicts import Reach, Said
from playbooks.engine.report import Line, Tone
from playbooks.engine.report.marks import Mark
from playbooks.engine.targets.resolving import Directory
from playbooks.model.answer import Source
from playbooks.model.text import Text
from tui.commands.expecting import Row, rows_of
from tui.commands.options import Options
from tui.commands.printing import print_lines, write
from tui.commands.progress import ProgressLine
from tui.commands.sourced import knowing_of, over_source
from tui.commands.why import directory, request_of, resolved

SCHEMA = "honeyguide.expect/1"
_AS_EXPECTED, _DIFFERENT, _UNSEEN = 0, 1, 4


@dataclass(frozen=True, slots=True)
class _Judged:
    row: Row
    found: Reach

    @property
    def is_as_expected(self) -> bool | None:
        """Whether the row holds; nothing where it cannot be told."""
        said = {pair.said for pair in self.found.pairs} or {Said.CANNOT_TELL}
        # Of several pods each has to do as expected: one that lets a stranger in is one too many.
        if any(
            one is not Said.CANNOT_TELL and (one is Said.ADMITTED) is not self.row.is_allowed for one in said
        ):
            return False
        return None if Said.CANNOT_TELL in said else True

    @property
    def mark(self) -> Mark:
        """At a glance."""
        return {True: Mark.OK, False: Mark.ERROR, None: Mark.NOT_CHECKED}[self.is_as_expected]


def run(options: Options) -> int:
    """Print the table; 0 when all rows hold, 1 when one differs, 4 when one cannot be told."""
    rows = rows_of(options.words[0])
    requests = [request_of(_options_of(row, options)) for row in rows]
    return over_source(options, lambda source: _judge(source, options, rows, requests))


def _options_of(row: Row, options: Options) -> Options:
    asked = Options()
    asked.namespace = options.namespace
    asked.http, asked.headers, asked.dns = row.http, list(row.headers), row.dns
    return asked


async def _judge(
    source: Source, options: Options, rows: tuple[Row, ...], requests: list[Asked | None]
) -> int:
    knowing = knowing_of(source, options)
    progress = ProgressLine(is_quiet=options.is_quiet)
    judged: list[_Judged] = []
    try:
        names = await directory(knowing)
        for number, (row, request) in enumerate(zip(rows, requests, strict=True), 1):
            progress.say(f"row {number} of {len(rows)}: {row.source} to {row.destination}")
            judged.append(await _judged(knowing, names, row, request, options))
    finally:
        await knowing.cancel()
        progress.clear()
    if options.output == "json":
        write(_as_json(judged))
    else:
        print_lines(_lines(judged))
    verdicts = {one.is_as_expected for one in judged}
    return _DIFFERENT if False in verdicts else _UNSEEN if None in verdicts else _AS_EXPECTED


async def _judged(
    knowing: Knowing, names: Directory, row: Row, request: Asked | None, options: Options
) -> _Judged:
    ends = (resolved(names, row.source, options), resolved(names, row.destination, options))
    return _Judged(row, await reach(knowing, *ends, request))


def _lines(judged: list[_Judged]) -> Iterator[Line]:
    for one in judged:
        request = " ".join(part for part in (one.row.http, *one.row.headers, one.row.dns) if part)
        call = f"{one.row.source} -> {one.row.destination}{f' {request}' if request else ''}"
        wanted = "allowed" if one.row.is_allowed else "refused"
        told = f"expected {wanted}, is {one.found.said}"
        yield Line(f"{one.mark.shown():<15} {Text(call).shown}: {told}", Tone.of(one.mark))
        if not one.is_as_expected:
            yield from (Line(f"                {text}") for text in _why(one.found, one.row.is_allowed))
    wrong = sum(one.is_as_expected is False for one in judged)
    unseen = sum(one.is_as_expected is None for one in judged)
    yield Line()
    held = len(judged) - wrong - unseen
    yield Line(f"{held} of {len(judged)} rows hold, {wrong} differ, {unseen} cannot be told", Tone.TITLE)


def _why(found: Reach, is_allowed: bool) -> Iterator[str]:
    """What decides the pairs that say so, each once."""
    told: dict[str, None] = {}
    for pair in found.pairs:
        if (pair.said is Said.ADMITTED) is not is_allowed:
            for side in (pair.egress, pair.ingress):
                if pair.said is Said.ADMITTED or side.said is not Said.ADMITTED:
                    told[f"{side.direction} of {Text(side.endpoint).shown}: {Text(side.why).shown}"] = None
    for text in found.unchecked:
        told[f"not checked: {Text(text).shown}"] = None
    return iter(list(told)[:4])


def _as_json(judged: list[_Judged]) -> str:
    rows = [
        {
            "from": Text(one.row.source).shown,
            "to": Text(one.row.destination).shown,
            "http": Text(one.row.http).shown,
            "expect": "allowed" if one.row.is_allowed else "refused",
            "said": one.found.said.value,
            "holds": one.is_as_expected,
            "why": list(_why(one.found, one.row.is_allowed)),
        }
        for one in judged
    ]
    return json.dumps({"schema": SCHEMA, "rows": rows}, indent=2) + "\n"
