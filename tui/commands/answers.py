"""Answers of many agents to one command: equal ones once, each marked by the nodes that gave it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playbooks.engine.report import Line, Tone
from playbooks.model.answer import Answer, Gap
from playbooks.model.text import Text, decoded

NODES_SHOWN = 12
"""How many nodes a mark names."""


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that answered the same."""

    nodes: tuple[str, ...]
    """Their names, in order."""
    body: bytes
    """Standard output."""
    stderr: bytes = b""
    """Standard error."""
    exit_code: int = 0
    """The command's exit code."""
    is_truncated: bool = False
    """Whether bytes are missing."""
    gap: Gap | None = None
    """Why there is no answer, if there is none."""


def merged(answers: Iterable[tuple[str, Answer | Gap]]) -> tuple[Group, ...]:
    """Group equal answers, the most common one first, gaps last."""
    groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for node, result in answers:
        groups[_key(node, result)].append(node)
    made = [_group(key, tuple(sorted(nodes))) for key, nodes in groups.items()]
    return tuple(sorted(made, key=lambda group: (group.gap is not None, -len(group.nodes), group.nodes)))


def _key(node: str, result: Answer | Gap) -> tuple[object, ...]:
    if isinstance(result, Gap):
        # Details name their node; without it equal reasons are equal.
        detail = result.detail.replace(f"node {node}", "the node").replace(node, "the node")
        return (Gap(result.kind, detail, remedy=result.remedy),)
    end = result.end
    return (result.body, end.stderr, end.exit_code, end.is_truncated)


def _group(key: tuple[object, ...], nodes: tuple[str, ...]) -> Group:
    match key:
        case (Gap() as gap,):
            return Group(nodes, b"", gap=gap)
        case (bytes() as body, bytes() as stderr, int() as code, bool() as is_truncated):
            return Group(nodes, body, stderr, code, is_truncated)
    raise TypeError(f"no answer: {key!r}")


def lines(groups: tuple[Group, ...], total: int) -> Iterator[Line]:
    """The groups for a person: a mark with the nodes, then what they said."""
    for group in groups:
        yield Line(_mark(group, total), Tone.TITLE if group.gap is None else Tone.UNSEEN)
        if group.gap is not None:
            yield Line(f"  {Text(group.gap.detail).shown}", Tone.UNSEEN)
            if group.gap.remedy:
                yield Line(f"  to do: {Text(group.gap.remedy).shown}")
        yield from _output(group.body, "")
        yield from _output(group.stderr, "stderr: ")
        if group.is_truncated:
            yield Line("  (the end is missing)", Tone.UNSEEN)


def _output(data: bytes, prefix: str) -> Iterator[Line]:
    text = decoded(data)
    if text:
        yield from (Line(f"{prefix}{line}") for line in Text(text.removesuffix("\n")).lines)


def _mark(group: Group, total: int) -> str:
    names = ", ".join(Text(node).shown for node in group.nodes[:NODES_SHOWN])
    rest = len(group.nodes) - NODES_SHOWN
    more = f" and {rest:,} more" if rest > 0 else ""
    how = group.gap.kind.value.replace("_", " ") if group.gap else ""
    if not how and group.exit_code:
        how = f"exit code {group.exit_code}"
    count = f" ({len(group.nodes):,} of {total:,})" if total > 1 else ""
    return f"=== {names}{more}{count}" + (f": {how}" if how else "")
