"""Who set which field and when: `managedFields`."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.practice.objects import Json

_UNOWNED = frozenset(
    {
        "managedFields",
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "generation",
        "name",
        "namespace",
        "generateName",
    }
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes."""

    manager: str
    """Name of the field manager, such as `kubectl-edit`."""
    operation: str = "Update"
    """`Update` or `Apply`."""
    subresource: str = ""
    """`status` or `scale` when it is not the object itself."""


def claim(before: Json | None, after: Json, writer: Writer, time: str) -> list[Json]:
    """The managed fields after a write: the writer owns what it changed, and others no longer do."""
    old = list((before or {}).get("metadata", {}).get("managedFields") or ())
    changed = _changed(_fields(before), _fields(after))
    if not changed:
        return old
    kept = []
    mine: Json = {}
    for entry in old:
        if _is(entry, writer):
            mine = entry["fieldsV1"]
            continue
        rest = _without(entry["fieldsV1"], changed)
        if rest:
            kept.append({**entry, "fieldsV1": rest})
    entry = {
        "apiVersion": after["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": _merged(mine, changed),
        "manager": writer.manager,
        "operation": writer.operation,
        "time": time,
    }
    if writer.subresource:
        entry["subresource"] = writer.subresource
    return [*kept, entry]


def _is(entry: Json, writer: Writer) -> bool:
    identity = (entry["manager"], entry["operation"], entry.get("subresource", ""))
    return identity == (writer.manager, writer.operation, writer.subresource)


def _fields(item: Json | None) -> Json:
    if item is None:
        return {}
    fields = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata")}
    metadata = {key: value for key, value in item["metadata"].items() if key not in _UNOWNED}
    return {"metadata": metadata, **fields} if metadata else fields


def _changed(before: object, after: Json) -> Json:
    """The paths of `after` that differ, in the form of `fieldsV1`; lists are owned whole."""
    old = before if isinstance(before, dict) else {}
    paths: Json = {}
    for key, value in after.items():
        if key in old and old[key] == value:
            continue
        inner = _changed(old.get(key), value) if isinstance(value, dict) and value else {}
        paths[f"f:{key}"] = inner
    return paths


def _without(mine: Json, taken: Json) -> Json:
    left: Json = {}
    for key, inner in mine.items():
        if key not in taken:
            left[key] = inner
        elif inner and taken[key]:
            rest = _without(inner, taken[key])
            if rest:
                left[key] = rest
    return left


def _merged(mine: Json, more: Json) -> Json:
    result = dict(mine)
    for key, inner in more.items():
        result[key] = _merged(result.get(key, {}), inner)
    return result
