"""Label and field selectors, as an API server reads them."""

from __future__ import annotations

import re
from collections.abc import Callable

from playbooks.practice.catalog import Kind
from playbooks.practice.objects import Json, labels_of

Test = Callable[[Json], bool]
"""Says whether an object is selected."""

_SET = re.compile(r"^\s*([^\s!=,()]+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_EVERY_KIND = {"metadata.name", "metadata.namespace"}
_FIELDS: dict[str, frozenset[str]] = {
    "pods": frozenset(
        {
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "status.phase", "status.podIP",
        }
    ),
    "events": frozenset(
        {
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
            "reason", "reportingComponent", "source", "type",
        }
    ),
    "nodes": frozenset({"spec.unschedulable"}),
    "namespaces": frozenset({"status.phase"}),
    "secrets": frozenset({"type"}),
    "replicasets": frozenset({"status.replicas"}),
    "services": frozenset({"spec.clusterIP", "spec.type"}),
    "jobs": frozenset({"status.successful"}),
}  # fmt: skip


class BadSelector(Exception):
    """A selector that the server does not accept; its text is the message."""


def label_test(text: str) -> Test:
    """The test behind a label selector. Raises `BadSelector`."""
    tests = [_label_requirement(part) for part in _parts(text)]
    return lambda item: all(test(labels_of(item)) for test in tests)


def field_test(text: str, kind: Kind) -> Test:
    """The test behind a field selector. Raises `BadSelector`."""
    tests = [_field_requirement(part, kind) for part in text.split(",") if part.strip()]
    return lambda item: all(test(item) for test in tests)


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _label_requirement(part: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.match(part):
        key, operator, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    word = part.strip()
    for operator in ("!=", "==", "="):
        if operator in word:
            key, _, value = (side.strip() for side in word.partition(operator))
            if operator == "!=":
                return lambda labels: labels.get(key) != value
            return lambda labels: labels.get(key) == value
    if word.startswith("!"):
        return lambda labels: word[1:].strip() not in labels
    if re.fullmatch(r"[A-Za-z0-9._/-]+", word):
        return lambda labels: word in labels
    raise BadSelector(f"unable to parse requirement: found '{word}', expected: identifier")


def _field_requirement(part: str, kind: Kind) -> Test:
    for operator in ("!=", "==", "="):
        if operator in part:
            path, _, value = (side.strip() for side in part.partition(operator))
            break
    else:
        raise BadSelector(f"invalid selector: '{part}'; can't understand '{part}'")
    if path not in _EVERY_KIND | _FIELDS.get(kind.plural, frozenset()):
        raise BadSelector(f"field label not supported: {path}")
    keys = path.split(".")
    if operator == "!=":
        return lambda item: _field(item, keys) != value
    return lambda item: _field(item, keys) == value


def _field(item: Json, keys: list[str]) -> str:
    value: object = item
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if keys == ["source"] and isinstance(value, dict):
        value = value.get("component")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
