"""Groups of CIDRs that policies refer to by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import CIDR_GROUPS, CIDR_GROUPS_V2ALPHA1


class CidrGroupSpec(Object, frozen=True):
    """A group as asked for."""

    external_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="externalCIDRs")


class CidrGroup(Object, frozen=True):
    """A group of CIDRs."""

    metadata: Meta
    spec: CidrGroupSpec = CidrGroupSpec()


@dataclass(frozen=True, kw_only=True)
class CidrGroups(Fact):
    """All CiliumCIDRGroups."""

    items: tuple[CidrGroup, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


CidrGroups.ways = (
    objects("CIDR groups", CIDR_GROUPS, CidrGroup, CidrGroups),
    objects("CIDR groups v2alpha1", CIDR_GROUPS_V2ALPHA1, CidrGroup, CidrGroups),
)
