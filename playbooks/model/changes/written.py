"""What metadata tells of an object's past: when it was made, who wrote it since, whether it goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.changes.record import ChangeKind, ChangeRecord
from playbooks.model.cilium.config import ConfigMeta, ConfigWrite
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import ManagedFields, Meta

_ROUTINE = frozenset({"kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager"})
"""Who writes objects all the time without anybody having asked for a change."""
_AT_BIRTH = timedelta(seconds=1)
"""Writes that are not later than this after an object was made belong to its making."""
_KEYS_SHOWN = 6


def written(ref: Ref, meta: Meta) -> Iterator[ChangeRecord]:
    """How an object came to be as it is."""
    made = meta.creation_timestamp
    writes = [entry for entry in meta.managed_fields or () if entry.time and not _is_routine(entry)]
    if made:
        first = next((entry for entry in writes if entry.time and entry.time - made <= _AT_BIRTH), None)
        who = first.manager if first else ""
        yield ChangeRecord(made, ref, ChangeKind.CREATED, _named(who, meta), f"{ref} was created")
    later = [entry for entry in writes if not (made and entry.time and entry.time - made <= _AT_BIRTH)]
    for entry in later:
        words = f"{ref} was written{_generation(meta)}"
        yield ChangeRecord(entry.time, ref, ChangeKind.WRITTEN, _named(entry.manager, meta), words)
    if not later and meta.generation > 1:
        words = f"{ref} was written{_generation(meta)}, when is not told"
        yield ChangeRecord(None, ref, ChangeKind.WRITTEN, meta.managed_by, words)
    if meta.deletion_timestamp:
        yield ChangeRecord(meta.deletion_timestamp, ref, ChangeKind.DELETING, "", f"{ref} is being deleted")


def config_written(ref: Ref, meta: ConfigMeta) -> Iterator[ChangeRecord]:
    """How a ConfigMap came to be as it is, with the keys that each writer set."""
    if meta.creation_timestamp:
        yield ChangeRecord(
            meta.creation_timestamp, ref, ChangeKind.CREATED, meta.managed_by, f"{ref} was created"
        )
    for entry in meta.managed_fields or ():
        if entry.time is None or entry.time == meta.creation_timestamp:
            continue
        words = f"{ref} was written{_keys(entry)}"
        yield ChangeRecord(entry.time, ref, ChangeKind.WRITTEN, _named(entry.manager, meta), words)


def _is_routine(entry: ManagedFields) -> bool:
    return bool(entry.subresource) or entry.manager in _ROUTINE


def _named(manager: str, meta: Meta) -> str:
    """The writer, with the Helm release and its chart where Helm wrote."""
    if manager != "helm":
        return manager
    chart = meta.label("helm.sh/chart")
    release = (meta.annotations or {}).get("meta.helm.sh/release-name", "")
    told = ", ".join(part for part in (release and f"release {release}", chart and f"chart {chart}") if part)
    return f"helm ({told})" if told else manager


def _generation(meta: Meta) -> str:
    return f" (generation {meta.generation} now)" if meta.generation > 1 else ""


def _keys(entry: ConfigWrite) -> str:
    data = entry.fields_v1.data if entry.fields_v1 else None
    keys = sorted(key.removeprefix("f:") for key in data or () if key.startswith("f:"))
    if not keys:
        return ""
    rest = len(keys) - _KEYS_SHOWN
    return f": {', '.join(keys[:_KEYS_SHOWN])}" + (f" and {rest} more keys" if rest > 0 else "")
