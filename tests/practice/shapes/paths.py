"""The shape of JSON: which keys there are, whatever their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# Maps whose keys are data, not structure.
_DATA = frozenset(
    {
        "labels",
        "annotations",
        "matchLabels",
        "data",
        "nodeSelector",
        "security-labels",
        "allocations",
        "selector",
        "rules-by-selector",
    }
)
_ADDRESS = re.compile(r"^[0-9a-f.:]+\.[0-9a-f.:]+$")


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Every path to a key; `[]` stands for the elements of a list, `*` for a key that is data."""
    if isinstance(value, dict):
        is_data = prefix.rpartition(".")[2] in _DATA
        for key, inner in value.items():
            name = "*" if is_data or _ADDRESS.match(key) else key
            path = f"{prefix}.{name}" if prefix else name
            yield path
            if key != "managedFields":
                yield from paths(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{prefix}[]")


def documents(text: str) -> Iterator[Any]:
    """JSON documents one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := _next(text, at)) < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document


def shape(text: str) -> set[str]:
    """The paths of all documents in a text."""
    return {path for document in documents(text) for path in paths(document)}


def heads(text: str) -> list[str]:
    """The labels that begin the unindented lines of a text, in order."""
    return [found.group(1) for line in text.splitlines() if (found := re.match(r"([A-Z][^:\t]*):", line))]


def tree(found: set[str]) -> dict[str, Any]:
    """Paths as a tree, which is shorter to write."""
    root: dict[str, Any] = {}
    for path in sorted(found):
        branch = root
        for part in path.split("."):
            branch = branch.setdefault(part, {})
    return root


def leaves(branch: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The paths of a tree."""
    for part, inner in branch.items():
        path = f"{prefix}.{part}" if prefix else part
        if not part.endswith("[]"):
            yield path
        yield from leaves(inner, path)


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
