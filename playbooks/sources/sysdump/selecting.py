"""Picks objects of a list as an API server would: by namespace, name, labels and fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playbooks.model.request import Objects
from playbooks.sources.sysdump.document import Json

_SET = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s+(?P<how>in|notin)\s+\((?P<values>[^)]*)\)\s*")
_PAIR = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s*(?P<how>!=|==|=)\s*(?P<value>[^\s!=,()]*)\s*")
_HAS = re.compile(r"\s*(?P<how>!?)\s*(?P<key>[^\s!=,()]+)\s*")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_BETWEEN = re.compile(r",(?![^()]*\))")

Item = dict[str, Json]
Test = Callable[[Item], bool]


class BadSelector(ValueError):
    """A selector that no API server takes."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects are wanted."""

    namespace: str = ""
    """Only of this namespace; empty for all."""
    name: str = ""
    """Only this one; empty for all."""
    labels: str = ""
    """Label selector."""
    fields: str = ""
    """Field selector."""

    @classmethod
    def of(cls, request: Objects) -> Selection:
        """What a request wants. Raises `BadSelector`."""
        found = cls(request.namespace, request.name, request.labels, request.fields)
        found.test()
        return found

    @property
    def needles(self) -> tuple[bytes, ...]:
        """Words without which an object's text cannot be a wanted one; none needs an escape in YAML."""
        pairs = (_PAIR.fullmatch(part) for part in (*_parts(self.labels), *_parts(self.fields)))
        values = (pair["value"] for pair in pairs if pair and pair["how"] != "!=")
        words = (self.namespace, self.name, *values)
        return tuple(word.encode() for word in words if _PLAIN.fullmatch(word))

    def test(self) -> Test:
        """Says whether an object is wanted. Raises `BadSelector`."""
        tests = [_field("metadata.namespace", self.namespace)] if self.namespace else []
        tests += [_field("metadata.name", self.name)] if self.name else []
        tests += [_label_test(part) for part in _parts(self.labels)]
        tests += [_field_test(part) for part in _parts(self.fields)]
        return lambda item: all(test(item) for test in tests)


def _parts(selector: str) -> Iterator[str]:
    return (part for part in _BETWEEN.split(selector) if part.strip())


def _label_test(part: str) -> Test:
    if match := _SET.fullmatch(part):
        key, how, listed = match.groups()
        values = {value.strip() for value in listed.split(",")}
        return lambda item: (_labels(item).get(key) in values) == (how == "in")
    if match := _PAIR.fullmatch(part):
        key, how, value = match.groups()
        return lambda item: (_labels(item).get(key) == value) == (how != "!=")
    if match := _HAS.fullmatch(part):
        how, key = match.groups()
        return lambda item: (key in _labels(item)) != bool(how)
    raise BadSelector(f"no label selector: {part}")


def _labels(item: Item) -> Item:
    metadata = item.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return labels if isinstance(labels, dict) else {}


def _field_test(part: str) -> Test:
    match = _PAIR.fullmatch(part)
    if match is None:
        raise BadSelector(f"no field selector: {part}")
    is_equal = match["how"] != "!="
    same = _field(match["key"], match["value"])
    return lambda item: same(item) == is_equal


def _field(path: str, wanted: str) -> Test:
    keys = path.split(".")
    return lambda item: _text(item, keys) == wanted


def _text(item: Item, keys: list[str]) -> str:
    """A field as selectors compare it: an absent one is empty."""
    value: Json = item
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
