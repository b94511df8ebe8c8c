"""The ways a patch changes an object: JSON patch, merge patch, strategic merge and apply."""

from __future__ import annotations

import copy
from typing import Any

from playbooks.practice.objects import Json

# The key that tells two entries of a list apart; lists that are not here are replaced whole.
_MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "conditions": ("type",),
    "taints": ("key",),
    "addresses": ("type",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
}


class BadPatch(Exception):
    """A patch that cannot be applied; its text is the message."""


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target: Json, operations: list[Json]) -> Json:
    """RFC 6902, as far as people use it. Raises `BadPatch`."""
    result = copy.deepcopy(target)
    for operation in operations:
        verb, path = (
            operation.get("op"),
            [_unescaped(part) for part in str(operation.get("path", "")).split("/")[1:]],
        )
        if not path:
            raise BadPatch("the whole object cannot be replaced")
        if verb in ("add", "replace"):
            _place(result, path, copy.deepcopy(operation.get("value")), is_new=verb == "add")
        elif verb == "remove":
            _take(result, path)
        elif verb == "test":
            if _at(result, path) != operation.get("value"):
                raise BadPatch(f"testing value {operation.get('path')} failed")
        elif verb in ("copy", "move"):
            source = [_unescaped(part) for part in str(operation.get("from", "")).split("/")[1:]]
            value = copy.deepcopy(_at(result, source))
            if verb == "move":
                _take(result, source)
            _place(result, path, value, is_new=True)
        else:
            raise BadPatch(f"unexpected operation {verb!r}")
    return result


def strategic_merge(target: Any, patch: Any, field: str = "") -> Any:
    """A merge that knows lists by their entries' keys, with the `$` directives that kubectl sends."""
    if isinstance(patch, dict):
        return _strategic_object(target, patch)
    if isinstance(patch, list):
        return _strategic_list(target, patch, field)
    return patch


def apply_patch(target: Any, patch: Any, field: str = "") -> Any:
    """Server-side apply without conflicts: what is stated is set, everything else stays."""
    return strategic_merge(target, patch, field)


def _strategic_object(target: Any, patch: Json) -> Json:
    directive = patch.get("$patch")
    result = {} if directive == "replace" or not isinstance(target, dict) else dict(target)
    kept = patch.get("$retainKeys")
    if isinstance(kept, list):
        result = {key: value for key, value in result.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [entry for entry in result.get(name) or [] if entry not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = strategic_merge(result.get(key), value, key)
    return result


def _strategic_list(target: Any, patch: list[Any], field: str) -> list[Any]:
    keys = _MERGE_KEYS.get(field)
    if (
        keys is None
        or not isinstance(target, list)
        or not all(isinstance(entry, dict) for entry in [*target, *patch])
    ):
        return [
            copy.deepcopy(entry) for entry in patch if not (isinstance(entry, dict) and "$patch" in entry)
        ]
    if any(entry.get("$patch") == "replace" for entry in patch):
        return [copy.deepcopy(entry) for entry in patch if "$patch" not in entry]
    result = list(target)
    for entry in patch:
        key = next((name for name in keys if name in entry), None)
        index = next((i for i, old in enumerate(result) if key and old.get(key) == entry[key]), None)
        if entry.get("$patch") == "delete":
            if index is not None:
                del result[index]
        elif index is None:
            result.append(strategic_merge({}, entry))
        else:
            result[index] = strategic_merge(result[index], entry)
    return result


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _at(value: Any, path: list[str]) -> Any:
    for part in path:
        value = _step(value, part)
    return value


def _step(value: Any, part: str) -> Any:
    try:
        return value[int(part)] if isinstance(value, list) else value[part]
    except (KeyError, IndexError, ValueError, TypeError):
        raise BadPatch(f"there is nothing at {part!r}") from None


def _place(root: Json, path: list[str], value: Any, *, is_new: bool) -> None:
    parent = _at(root, path[:-1])
    last = path[-1]
    if isinstance(parent, list):
        if last == "-":
            parent.append(value)
        elif is_new and last.isdigit():
            parent.insert(int(last), value)
        else:
            _step(parent, last)
            parent[int(last)] = value
    elif isinstance(parent, dict):
        if not is_new:
            _step(parent, last)
        parent[last] = value
    else:
        raise BadPatch(f"there is nothing at {last!r}")


def _take(root: Json, path: list[str]) -> None:
    parent = _at(root, path[:-1])
    _step(parent, path[-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]
