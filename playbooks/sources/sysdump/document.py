"""One Kubernetes object: from YAML as the collector writes it to JSON as the API server would.

Read event by event, so that a hostile file is stopped at its depth, its size or its first alias, and so that
plain words become what the writer meant: times stay strings, as they are in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import yaml

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.trouble import Damaged

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""What JSON can hold."""

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{0,40}([eE][-+]?[0-9]{1,3})?|[eE][-+]?[0-9]{1,3})")
_REMEDY = "look at the file: it is not what `cilium sysdump` writes"


class _Events(Protocol):
    """What reads YAML event by event."""

    def get_event(self) -> yaml.Event:
        """The next event."""


_events: Callable[[bytes], _Events] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there; the reader in Python is ten times slower."""


def object_of(text: bytes, *, is_item: bool) -> dict[str, Json]:
    """An object, or an item of a list (written with its dash). Raises `Damaged`."""
    try:
        value = _Reading(_events(without_managed_fields(text) if is_item else text)).document()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Damaged(f"an object in it is no YAML ({_brief(error)})", _REMEDY) from error
    if is_item and isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise Damaged("an object in it is none", _REMEDY)
    return value


def without_managed_fields(item: bytes) -> bytes:
    """An item without the lists of fields that each manager wrote: half of most objects, and never read.

    Only lines below `metadata`, `managedFields`, an entry, `fieldsV1` are left out. A text of several lines
    that looks like them stands below another key, or is indented further.
    """
    dash = b" " * (len(item) - len(item.lstrip(b" ")))
    key = dash + b"    managedFields:"
    if key not in item:
        return item
    fields, deeper, within = dash + b"      fieldsV1:", dash + b" " * 7, (dash + b"      ", dash + b"    - ")
    kept: list[bytes] = []
    is_metadata = is_managed = is_dropping = False
    for line in item.split(b"\n"):
        if is_dropping and line.startswith(deeper):
            continue
        is_dropping = is_managed and line == fields
        if is_dropping:
            continue
        if line[len(dash) + 2 : len(dash) + 3] not in (b" ", b"-", b""):
            is_metadata = line[len(dash) + 2 :] == b"metadata:"
        is_managed = is_metadata and (line == key or (is_managed and line.startswith(within)))
        kept.append(line)
    return b"\n".join(kept)


@dataclass(slots=True)
class _Reading:
    """Events of one document on their way to a value."""

    events: _Events
    count: int = 0
    depth: int = 0

    def document(self) -> Json:
        self._next(yaml.StreamStartEvent)
        self._next(yaml.DocumentStartEvent)
        value = self._value(self.events.get_event())
        self._next(yaml.DocumentEndEvent)
        self._next(yaml.StreamEndEvent)
        return value

    def _next(self, kind: type[yaml.Event]) -> None:
        if not isinstance(self.events.get_event(), kind):
            raise ValueError("not one document")

    def _value(self, event: yaml.Event) -> Json:
        self.count += 1
        if self.count > limits.NODES:
            raise ValueError(f"more than {limits.NODES:,} values")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        self.depth += 1
        if self.depth > limits.DEPTH:
            raise ValueError(f"more than {limits.DEPTH} levels")
        value: Json
        if isinstance(event, yaml.MappingStartEvent):
            value = self._mapping()
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence()
        else:
            raise ValueError("aliases, which no object has")
        self.depth -= 1
        return value

    def _mapping(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        get_event = self.events.get_event
        while not isinstance(event := get_event(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise ValueError("a key that is no word")
            found[event.value] = self._value(get_event())
        return found

    def _sequence(self) -> list[Json]:
        found: list[Json] = []
        get_event = self.events.get_event
        while not isinstance(event := get_event(), yaml.SequenceEndEvent):
            found.append(self._value(event))
        return found


def _scalar(event: yaml.ScalarEvent) -> Json:
    value: str = event.value
    if not event.implicit[0]:
        return value
    if value in _WORDS:
        return _WORDS[value]
    if value[0] in "-0123456789":
        if _INTEGER.fullmatch(value):
            return int(value)
        if _FLOAT.fullmatch(value) and isfinite(number := float(value)):
            return number
    return value


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
