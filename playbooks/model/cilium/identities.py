"""CiliumIdentities: the number of each set of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import CILIUM_IDENTITIES


class CiliumIdentity(Object, frozen=True):
    """An identity as an object of the API."""

    metadata: Meta
    security_labels: dict[str, str] | None = msgspec.field(default=None, name="security-labels")

    @property
    def number(self) -> int | None:
        """The identity's number; none where the name is no number."""
        return number_of(self.metadata.name)


@dataclass(frozen=True, kw_only=True)
class CiliumIdentities(Fact):
    """All CiliumIdentities; empty in kvstore mode, which keeps them elsewhere."""

    items: tuple[CiliumIdentity, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


CiliumIdentities.ways = (objects("identities", CILIUM_IDENTITIES, CiliumIdentity, CiliumIdentities),)
