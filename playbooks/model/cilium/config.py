"""The ConfigMap `cilium-config`: what agents and operator are told at their next start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Fact, Provenance, Scene, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import ManagedFields, Meta, Object, listing
from playbooks.model.kube.resources import CONFIG_MAPS
from playbooks.model.request import Objects, Request

NAME = "cilium-config"


class WrittenFields(Object, frozen=True):
    """Which keys of a ConfigMap a writer set."""

    data: dict[str, msgspec.Raw] | None = msgspec.field(default=None, name="f:data")


class ConfigWrite(ManagedFields, frozen=True):
    """Who wrote keys of a ConfigMap, and when."""

    fields_v1: WrittenFields | None = msgspec.field(default=None, name="fieldsV1")

    def has(self, key: str) -> bool:
        """Whether this writer set a key last."""
        written = self.fields_v1.data if self.fields_v1 else None
        return f"f:{key}" in (written or {})


class ConfigMeta(Meta, frozen=True):
    """Metadata of a ConfigMap, with what each writer wrote."""

    managed_fields: tuple[ConfigWrite, ...] | None = None

    def write_of(self, key: str) -> ManagedFields | None:
        """The write that set a key, else the newest one, as far as managedFields remembers."""
        found = [entry for entry in self.managed_fields or () if entry.time and entry.has(key)]
        return found[0] if found else self.last_change


class ConfigMap(Object, frozen=True):
    """A ConfigMap."""

    metadata: ConfigMeta
    data: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class CiliumConfig(Fact):
    """The wanted configuration; running agents may still hold an older one."""

    metadata: ConfigMeta
    """Of the ConfigMap."""
    values: Mapping[str, str]
    """By key."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("ConfigMap", self.metadata.name, self.metadata.namespace)

    def is_on(self, key: str, default: bool = False) -> bool:
        """A switch's value."""
        value = self.values.get(key, "").strip().lower()
        return value in ("true", "1", "yes", "on", "strict") if value else default

    def get(self, key: str, default: str = "") -> str:
        """A value."""
        return self.values.get(key, default)


def _ask(scene: Scene) -> Request | Gap:
    installation = scene.get(Installation)
    if isinstance(installation, Gap):
        return installation
    return Objects(CONFIG_MAPS, namespace=installation.namespace, name=NAME)


def _make(provenance: Provenance, items: tuple[ConfigMap, ...]) -> CiliumConfig:
    found = items[0]
    return CiliumConfig(provenance=provenance, metadata=found.metadata, values=found.data or {})


CiliumConfig.ways = (listing("cilium-config", _ask, ConfigMap, _make),)
