"""The ipcache map: which identity the datapath gives to an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from playbooks.model.bpf.dumps import Rows, dumped, number_in, pairs_in, prefix_in
from playbooks.model.cilium.agent.commands import of_few_pods
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way
from playbooks.model.kube.pods import Pods

_NONE = ("", "<none>")


@dataclass(frozen=True, slots=True)
class MapAddress:
    """One prefix in the map."""

    cidr: str
    """The prefix, such as `10.244.0.14/32`."""
    cluster: int | None
    """The cluster that it belongs to, where addresses of clusters overlap."""
    identity: int
    """Its identity."""
    tunnel: str
    """The node through which it is reached; empty for none."""
    encrypt_key: int | None
    """The key for traffic to it, 0 for none; nothing when not told."""
    flags: tuple[str, ...] | None
    """`skiptunnel`, `hastunnel` …; nothing before 1.16."""


@dataclass(frozen=True, kw_only=True)
class IpcacheMap(Fact):
    """`cilium-dbg bpf ipcache list` of one node."""

    items: tuple[MapAddress, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, Pods)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_cidr(self) -> Mapping[str, MapAddress]:
        """By prefix, without addresses of overlapping clusters."""
        return {item.cidr: item for item in self.items if not item.cluster}


def _make(provenance: Provenance, rows: Rows) -> IpcacheMap:
    return IpcacheMap(provenance=provenance, items=tuple(map(_address, rows, rows.values())))


def _address(key: str, lines: tuple[str, ...]) -> MapAddress:
    prefix, mark, cluster = key.partition("@")
    told = pairs_in(lines[0]) if len(lines) == 1 else {}
    if "identity" not in told:
        raise Unreadable(f"not an entry of the ipcache map: {key[:80]!r}")
    tunnel = told.get("tunnelendpoint", "")
    flags = told.get("flags")
    return MapAddress(
        prefix_in(prefix),
        number_in(cluster) if mark else None,
        number_in(told["identity"]),
        "" if tunnel in ("0.0.0.0", "::", "<nil>") else tunnel,
        number_in(told["encryptkey"]) if "encryptkey" in told else None,
        None if flags is None else tuple(flag for flag in flags.split(",") if flag not in _NONE),
    )


IpcacheMap.ways = dumped(
    "ipcache map",
    ("cilium-dbg", "bpf", "ipcache", "list"),
    ("IP PREFIX/ADDRESS", "IDENTITY"),
    _make,
    where=of_few_pods,
)
