"""What is printed about taking kube-proxy away: the verdict, each node, and what to compare."""

from __future__ import annotations

import json
from collections.abc import Iterator

from playbooks.engine.removing.verdicts import Break, May, OnOneNode, Removal
from playbooks.engine.report import Line, Tone
from playbooks.engine.report.marks import Mark
from playbooks.model.text import Text

SCHEMA = "honeyguide.removing-kube-proxy/1"
_MARKS = {May.GO: Mark.OK, May.WOULD_BREAK: Mark.ERROR, May.CANNOT_TELL: Mark.NOT_CHECKED}
_HEADS = {
    May.GO: "kube-proxy may go",
    May.WOULD_BREAK: "kube-proxy may not go yet",
    May.CANNOT_TELL: "cannot tell whether kube-proxy may go",
}
_NAMES_SHOWN = 5


def lines(found: Removal) -> Iterator[Line]:
    """The answer for a person."""
    mark = _MARKS[found.may]
    told = f"it runs on {found.proxies} nodes" if found.proxies else "no pod of it is seen"
    yield Line(f"{mark.glyph} {_HEADS[found.may]}: {told}", Tone.of(mark))
    if found.breaks:
        yield Line()
        yield Line("Everywhere", Tone.TITLE)
        for one in found.breaks:
            yield from _break(one)
    yield Line()
    yield Line("Node by node", Tone.TITLE)
    for alike in _folded(found.nodes):
        yield from _node(alike)
    yield from _listed("To know before", found.notes)
    yield from _listed("What could not be checked", found.unchecked, Tone.UNSEEN)
    yield Line()
    yield Line("Compare before and after", Tone.TITLE)
    for text, command in found.compare:
        yield Line(f"  {text}")
        if command:
            yield Line(f"    $ {command}", Tone.COMMAND)


def _folded(nodes: tuple[OnOneNode, ...]) -> Iterator[list[OnOneNode]]:
    """Nodes of which the same is said, one list each."""
    found: dict[object, list[OnOneNode]] = {}
    for one in nodes:
        said = tuple((each.what, each.fix) for each in one.breaks)
        found.setdefault((said, one.unchecked, one.notes), []).append(one)
    return iter(found.values())


def _node(alike: list[OnOneNode]) -> Iterator[Line]:
    first = alike[0]
    names = ", ".join(Text(one.node).shown for one in alike[:_NAMES_SHOWN])
    more = f" and {len(alike) - _NAMES_SHOWN} more" if len(alike) > _NAMES_SHOWN else ""
    mark = _MARKS[first.may]
    yield Line(f"  {mark.glyph} {first.may}: {names}{more}", Tone.of(mark))
    for one in first.breaks:
        yield from _break(one, "    ")
    for text in first.unchecked:
        yield Line(f"      ? {Text(text).shown}", Tone.UNSEEN)
    for text in first.notes:
        yield Line(f"      {Text(text).shown}", Tone.QUIET)


def _break(one: Break, indent: str = "") -> Iterator[Line]:
    yield Line(f"{indent}  {Mark.ERROR.glyph} {Text(one.what).shown}", Tone.ERROR)
    yield Line(f"{indent}    to do: {Text(one.fix).shown}")
    for proof in one.evidence[:2]:
        yield Line(f"{indent}    $ {proof.command.shown}", Tone.COMMAND)
        yield Line(f"{indent}      {proof.excerpt.shown}", Tone.PROOF)


def _listed(title: str, texts: tuple[str, ...], tone: Tone = Tone.PLAIN) -> Iterator[Line]:
    if texts:
        yield Line()
        yield Line(title, Tone.TITLE)
    for text in texts:
        yield Line(f"  {Text(text).shown}", tone)


def as_json(found: Removal) -> str:
    """The answer for a program."""
    document = {
        "schema": SCHEMA,
        "may": found.may.value,
        "proxies": found.proxies,
        "breaks": [_break_json(one) for one in found.breaks],
        "nodes": [
            {
                "node": Text(one.node).shown,
                "may": one.may.value,
                "breaks": [_break_json(each) for each in one.breaks],
                "unchecked": [Text(text).shown for text in one.unchecked],
                "notes": [Text(text).shown for text in one.notes],
            }
            for one in found.nodes
        ],
        "unchecked": [Text(text).shown for text in found.unchecked],
        "notes": [Text(text).shown for text in found.notes],
        "compare": [{"what": text, "command": command} for text, command in found.compare],
    }
    return json.dumps(document, indent=2) + "\n"


def _break_json(one: Break) -> dict[str, object]:
    return {
        "what": Text(one.what).shown,
        "fix": Text(one.fix).shown,
        "evidence": [{"command": e.command.shown, "excerpt": e.excerpt.shown} for e in one.evidence],
    }
