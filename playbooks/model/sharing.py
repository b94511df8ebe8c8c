"""Equal words once: what 200 agents tell alike takes the memory of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import cast

import msgspec
from msgspec.structs import force_setattr

LONG = 200
"""Characters of a word beyond which it is hardly told twice."""
KEPT = 65_536
"""Words that are known again."""
DEEP = 40
"""Levels below which nothing is looked at; no fact is so deep."""

_Set = Callable[[object, str, object], None]


class Words:
    """Words that were told, and lists of them."""

    def __init__(self, limit: int = KEPT) -> None:
        """None yet."""
        self._limit = limit
        self._known: dict[object, object] = {}

    def share(self, thing: object, depth: int = 0) -> object:
        """The same thing, its words and lists of words replaced by equal ones that were told before.

        Structs, dataclasses and dicts stay what they are and are changed within: whoever calls this must be
        the only one who has them. What is replaced is equal to what replaces it.
        """
        kind = type(thing)
        if kind is str:
            return self._one(thing) if len(cast("str", thing)) <= LONG else thing
        if depth > DEEP:
            return thing
        if kind is tuple:
            return self._tuple(cast("tuple[object, ...]", thing), depth)
        if kind is dict:
            told = cast("dict[object, object]", thing)
            for key, value in told.items():
                # A key that is there already takes a new value without a change of the dict's size.
                told[key] = self.share(value, depth + 1)
            return thing
        names, replace = _parts_of(kind)
        for name in names:
            old = getattr(thing, name)
            new = self.share(old, depth + 1)
            if new is not old:
                replace(thing, name, new)
        return thing

    def _tuple(self, thing: tuple[object, ...], depth: int) -> tuple[object, ...]:
        shared = tuple([self.share(one, depth + 1) for one in thing])
        # Other things may be equal without being the same, such as 1 and True.
        if all(type(one) is str for one in shared) and len(shared) <= LONG:
            return cast("tuple[object, ...]", self._one(shared))
        return shared

    def _one(self, thing: object) -> object:
        if len(self._known) >= self._limit:
            self._known.clear()
        return self._known.setdefault(thing, thing)


_parts: dict[object, tuple[tuple[str, ...], _Set]] = {}


def _parts_of(kind: type) -> tuple[tuple[str, ...], _Set]:
    """The fields that may hold words, and how one is replaced in something frozen."""
    known = _parts.get(kind)
    if known is None:
        known = _parts[kind] = _looked_up(kind)
    return known


def _looked_up(kind: type) -> tuple[tuple[str, ...], _Set]:
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__, cast("_Set", force_setattr)
    names = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    return names, object.__setattr__
