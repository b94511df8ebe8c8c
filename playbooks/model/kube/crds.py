"""CRDs: which kinds of Cilium's API group the API server serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.fact import Fact, Provenance, Unreadable, Way, decoding
from playbooks.model.request import ApiPath

GROUP = "cilium.io"


class _Served(msgspec.Struct, frozen=True):
    name: str = ""


class _Kinds(msgspec.Struct, frozen=True):
    kind: str
    resources: tuple[_Served, ...] | None = None


class _Group(msgspec.Struct, frozen=True):
    name: str = ""


class _Groups(msgspec.Struct, frozen=True):
    kind: str
    groups: tuple[_Group, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class CiliumKinds(Fact):
    """The kinds of group cilium.io that the API server serves."""

    plurals: frozenset[str] | None
    """Names in URLs, such as `ciliumnodes`; None where only the group is known to exist."""

    ways: ClassVar[tuple[Way, ...]]

    def lacks(self, *plurals: str) -> tuple[str, ...]:
        """Which of these are certainly not served."""
        if self.plurals is None:
            return ()
        return tuple(plural for plural in plurals if plural not in self.plurals)


def _of_version(told: Answer) -> CiliumKinds:
    try:
        kinds = msgspec.json.decode(told.body, type=_Kinds)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"not a list of resources: {error}") from error
    if kinds.kind != "APIResourceList":
        raise Unreadable(f"not a list of resources but {kinds.kind or 'nothing'}")
    names = frozenset(one.name for one in kinds.resources or () if "/" not in one.name)
    return CiliumKinds(provenance=Provenance.of(told.request, told.end), plurals=names)


def _of_groups(told: Answer) -> CiliumKinds:
    try:
        groups = msgspec.json.decode(told.body, type=_Groups)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"not a list of API groups: {error}") from error
    if groups.kind != "APIGroupList":
        raise Unreadable(f"not a list of API groups but {groups.kind or 'nothing'}")
    is_there = any(group.name == GROUP for group in groups.groups or ())
    provenance = Provenance.of(told.request, told.end)
    return CiliumKinds(provenance=provenance, plurals=None if is_there else frozenset())


CiliumKinds.ways = (
    # Discovery is open to everyone and small; the CRDs themselves carry megabytes of schemas.
    decoding("discovery of cilium.io", lambda scene: ApiPath(f"/apis/{GROUP}/v2"), _of_version),
    decoding("API groups", lambda scene: ApiPath("/apis"), _of_groups),
)
