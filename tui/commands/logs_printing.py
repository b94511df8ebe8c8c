"""What `honeyguide logs` prints: lines for a person, or one JSON object."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from playbooks.engine.logbook import Logbook
from playbooks.engine.report import Line, Tone
from playbooks.model.answer import Gap
from playbooks.model.cilium.log_folding import Entry, Fold, folded
from playbooks.model.cilium.log_places import Place
from playbooks.model.text import Text
from tui.commands.options import Options
from tui.commands.printing import print_lines, write

SCHEMA = "honeyguide.logs/1"
_TONES = {
    "warning": Tone.WARN,
    "error": Tone.ERROR,
    "fatal": Tone.ERROR,
    "panic": Tone.ERROR,
    "debug": Tone.QUIET,
}
_NODES_SHOWN = 3
_PLACES_SHOWN = 5

Missing = Sequence[tuple[Place, Gap]]
"""Logs that were not read, with why."""


def print_logs(cluster: str, book: Logbook, missing: Missing, options: Options) -> None:
    """Print what was read and what was not."""
    told = _unfolded(book.entries) if options.no_fold else folded(book.entries)
    if options.output == "json":
        write(as_json(cluster, told, book, missing))
    else:
        print_lines(lines(told, book, missing))


def _unfolded(entries: Iterable[Entry]) -> tuple[Fold, ...]:
    return tuple(Fold(one, 1, one.at, (one.place.node,) if one.place.node else ()) for one in entries)


def lines(told: Sequence[Fold], book: Logbook, missing: Missing) -> Iterator[Line]:
    """Every line with its time, level, component and nodes; then what was not read."""
    yield from map(_line, told)
    if not told and book.read:
        yield Line(f"{book.read} logs were read; no line is as it was asked for", Tone.QUIET)
    elif not told and not missing:
        yield Line("there is no such log", Tone.QUIET)
    for places, why, remedy in _reasons(missing):
        yield Line(f"not read: {_named(places)}: {why}", Tone.UNSEEN)
        if remedy:
            yield Line(f"  to do: {remedy}")
    if book.cut:
        yield Line(f"older lines are missing: {_named(book.cut)}", Tone.UNSEEN)
        yield Line("  to do: ask for more with --tail, or for less with --since")
    if book.untimed:
        yield Line(f"lines without a time, of any age: {_named(book.untimed)}", Tone.QUIET)


def _line(fold: Fold) -> Line:
    line, place = fold.newest.line, fold.newest.place
    where = _nodes(fold.nodes) or place.name
    level = (line.level or "-")[:7]
    head = f"{_clock(fold.last)} {Text(level).shown:<7} {place.component.value} {Text(where).shown}"
    return Line(f"{head}: {Text(line.text).shown}{_repeats(fold)}", _TONES.get(line.level, Tone.PLAIN))


def _repeats(fold: Fold) -> str:
    if fold.count == 1:
        return ""
    since = f" since {_clock(fold.first)}" if fold.first else ""
    return f" [x{fold.count:,}{since}]"


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z" if moment else "(no time)"


def _nodes(nodes: Sequence[str]) -> str:
    rest = len(nodes) - _NODES_SHOWN
    return ",".join(nodes[:_NODES_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def _reasons(missing: Missing) -> Iterator[tuple[list[Place], str, str]]:
    """Equal reasons once, with the logs that they hold for."""
    groups: dict[str, list[tuple[Place, Gap]]] = defaultdict(list)
    for place, gap in missing:
        # Details name pod and node; without them equal reasons are equal.
        detail = gap.detail
        for name, word in ((place.pod, "POD"), (place.node, "NODE")):
            detail = detail.replace(name, word) if name else detail
        groups[detail].append((place, gap))
    for detail, group in groups.items():
        places, gap = [place for place, _ in group], group[0][1]
        is_alone = len({place.name for place in places}) == 1
        yield places, Text(gap.detail if is_alone else detail).shown, Text(gap.remedy).shown


def _named(places: Sequence[Place]) -> str:
    names = [Text(f"{place.name}/{place.container}").shown for place in places[:_PLACES_SHOWN]]
    rest = len(places) - _PLACES_SHOWN
    return ", ".join(names) + (f" and {rest:,} more" if rest > 0 else "")


def as_json(cluster: str, told: Sequence[Fold], book: Logbook, missing: Missing) -> str:
    """All of it as one JSON object in ASCII."""
    document = {
        "schema": SCHEMA,
        "cluster": Text(cluster).shown,
        "complete": not missing and not book.cut,
        "lines": [_entry(fold) for fold in told],
        "missing": [
            {**_place(place), "kind": gap.kind.value, "detail": Text(gap.detail).shown}
            for place, gap in missing
        ],
        "cut": [_place(place) for place in book.cut],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _entry(fold: Fold) -> dict[str, object]:
    line = fold.newest.line
    return {
        **_place(fold.newest.place),
        "time": _clock(fold.last) if fold.last else None,
        "level": Text(line.level).shown or None,
        "message": Text(line.message).shown,
        "error": Text(line.error).shown or None,
        "line": Text(line.raw).shown,
        "count": fold.count,
        "first": _clock(fold.first) if fold.first else None,
        "nodes": [Text(node).shown for node in fold.nodes],
    }


def _place(place: Place) -> dict[str, object]:
    names = {"node": place.node, "namespace": place.namespace, "pod": place.pod, "container": place.container}
    return {"component": place.component.value, **{key: Text(name).shown for key, name in names.items()}}
