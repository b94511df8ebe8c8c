"""The text of `cilium-health status --verbose`, which tells each probe; the short form tells only sums."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playbooks.model.cilium.health_response import Address, HealthResponse, Local, Peer, Probe, Target
from playbooks.model.fact import Unreadable

_ROUND = re.compile(r"^(?:Probe time:|Cluster health:\s.*\sreachable)\s+\(?([0-9T:.+Z-]{10,40})\)?")
_INTERVAL = re.compile(r"\(Probe interval: ([0-9a-zµ.]{1,40})\)")
_NODE = re.compile(r"^  (\S{1,600}?)(?P<local> \(localhost\))?:$")
_ADDRESS = re.compile(r"^    (Host|Endpoint) connectivity to (\S{1,60}?):?$")
_PROBE = re.compile(r"^      (ICMP|HTTP) to \w+:\s+(.*?)(?:\s+\(Last probed: ([0-9T:.+Z-]{10,40})\))?$")
_FINE = re.compile(r"OK\b")
_SHOWN = 80


@dataclass(slots=True)
class _Reading:
    """Nodes as their lines come."""

    timestamp: str = ""
    interval: str = ""
    local: str = ""
    peers: dict[str, dict[str, Address]] = field(default_factory=dict)
    node: str = ""
    part: str = ""

    def take(self, line: str) -> None:
        if found := _ROUND.match(line):
            self.timestamp = found[1]
            interval = _INTERVAL.search(line)
            self.interval = interval[1] if interval else ""
        elif found := _NODE.match(line):
            self.node, self.part = found[1], ""
            self.peers[self.node] = {}
            self.local = self.node if found["local"] else self.local
        elif (found := _ADDRESS.match(line)) and self.node:
            self.part = found[1]
            self.peers[self.node][self.part] = Address(ip=found[2])
        elif (found := _PROBE.match(line)) and self.part:
            self._take_probe(*found.groups(""))

    def _take_probe(self, protocol: str, said: str, probed: str) -> None:
        known = self.peers[self.node][self.part]
        probe = Probe("" if _FINE.match(said) else said.strip(), probed)
        if not probe.status and not said:
            raise Unreadable(f"a probe of {self.node[:_SHOWN]} without a result")
        icmp, http = (probe, known.http) if protocol == "ICMP" else (known.icmp, probe)
        self.peers[self.node][self.part] = Address(known.ip, icmp, http)


def read_health(text: str) -> HealthResponse:
    """What the health daemon says, without the secondary addresses. Raises `Unreadable`."""
    reading = _Reading()
    for line in text.split("\n"):
        reading.take(line.rstrip())
    if not reading.timestamp:
        raise Unreadable("no line tells when nodes were probed", 0)
    peers = (_peer(name, found) for name, found in reading.peers.items())
    return HealthResponse(Local(reading.local), tuple(peers), reading.timestamp, reading.interval)


def _peer(name: str, found: dict[str, Address]) -> Peer:
    host, endpoint = found.get("Host"), found.get("Endpoint")
    return Peer(name, Target(host) if host else None, Target(endpoint) if endpoint else None)
