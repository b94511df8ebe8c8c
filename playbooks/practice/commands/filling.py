"""How many entries the agent's maps hold, counted from what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.practice.commands import addresses, slots
from playbooks.practice.commands.balancing import backend_map, every_frontend
from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.realized import places
from playbooks.practice.commands.view import AgentView
from playbooks.practice.policies import lockdown
from playbooks.practice.traffic.tables import tracked

_SIZES = {"ct": 221_723, "ct_any": 110_861, "ipcache": 512_000, "lb": 65_536, "lxc": 65_535}
_NEWEST_POLICY = (1, 20)
_FAMILIES = (("4", "IPv4"), ("6", "IPv6"))
_UNOPENED = ("cilium_l2_responder_v4", "cilium_l2_responder_v6", "cilium_metrics", "cilium_node_map_v2",
             "cilium_policystats", "cilium_skip_lb4")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fill:
    """One map of an agent."""

    name: str
    """Its name, without `cilium_`."""
    entries: int
    """How many it holds."""
    capacity: int
    """How many fit in."""
    wanted: int = 0
    """How many there are to be in it, where that is another number."""

    @property
    def pressure(self) -> float:
        """How full it is; above 1 where more is wanted than fits in."""
        return (self.wanted or self.entries) / self.capacity


def fills(view: AgentView) -> list[Fill]:
    """The maps that the agent has open and that hold what the cluster brings."""
    return sorted(_fills(view), key=lambda one: one.name)


def text(view: AgentView) -> str:
    """The answer of `map list`."""
    lines = ["Name\tNum entries\tNum errors\tCache enabled"]
    lines += [f"cilium_{one.name}\t{one.entries}\t0\ttrue" for one in fills(view)]
    lines += [f"{name}\tunknown\t0\tfalse" for name in _UNOPENED]
    return laid_out("\n".join(lines)) + "\n"


def _fills(view: AgentView) -> Iterator[Fill]:
    yield Fill("ipcache_v2", len(addresses.ipcache_documents(view)), _SIZES["ipcache"])
    yield Fill("lxc", len(addresses.endpoint_map_documents(view)), _SIZES["lxc"])
    version = "v3" if view.world.profile.minor >= _NEWEST_POLICY else "v2"
    for place in places(view):
        rows, wanted = len(place.map(view.world).rows), len(place.held(view.world).map.rows)
        yield Fill(f"policy_{version}_{place.number:05}", rows, lockdown.room(view.config), wanted)
    connections = [(one.protocol, ":" in one.server) for one in tracked(view.world, view.node)]
    for digit, family in _FAMILIES:
        if family not in view.world.profile.families:
            continue
        is_ipv6 = family == "IPv6"
        frontends = [one for one in every_frontend(view) if (":" in one.ip) == is_ipv6]
        backends = [value for (value,) in backend_map(view).values() if (value.count(":") > 1) == is_ipv6]
        services = [key for key in slots.slot_map(view) if key.startswith("[") == is_ipv6]
        yield Fill(f"ct{digit}_global", connections.count(("TCP", is_ipv6)), _SIZES["ct"])
        yield Fill(f"ct_any{digit}_global", connections.count(("UDP", is_ipv6)), _SIZES["ct_any"])
        yield Fill(f"lb{digit}_services_v2", len(services), _SIZES["lb"])
        yield Fill(f"lb{digit}_backends_v3", len(backends), _SIZES["lb"])
        yield Fill(f"lb{digit}_reverse_nat", len(frontends), _SIZES["lb"])
        yield Fill(f"lb{digit}_source_range", 0, _SIZES["lb"])
