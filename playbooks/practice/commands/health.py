"""`cilium-health`: who reaches whom."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from playbooks.practice import agents, mesh
from playbooks.practice.commands.columns import duration, laid_out
from playbooks.practice.commands.view import AgentView
from playbooks.practice.naming import stable
from playbooks.practice.network import Addresses
from playbooks.practice.objects import Json, stamp
from playbooks.practice.traffic.probes import probing_interval

if TYPE_CHECKING:
    from playbooks.practice.world import World

_PARTS = ("host", "health-endpoint")


def interval(view: AgentView) -> float:
    """Seconds between two rounds of probes; more nodes, longer rounds."""
    return probing_interval(view.world)


def document(view: AgentView) -> Json:
    """The answer of `cilium-health status`."""
    if view.uptime < 10:
        return {
            "local": {"name": view.name},
            "nodes": None,
            "probeInterval": "0s",
            "timestamp": stamp(view.started),
        }
    last, _ = view.last(interval(view), "health")
    nodes = [(view.world, node) for node in sorted(view.world.network.nodes)]
    nodes += [(one.world, one.name) for peer in view.world.peers for one in mesh.nodes(peer)]
    return {
        "local": {"name": view.name},
        "nodes": [_node(view, *node) for node in nodes],
        "probeInterval": duration(interval(view)),
        "timestamp": stamp(last),
    }


def is_reachable(node: Json) -> bool:
    """Whether every probe of a node succeeded."""
    return not any(
        node[part]["primary-address"][protocol].get("status")
        for part in _PARTS
        if part in node
        for protocol in ("icmp", "http")
    )


def header(document: Json) -> str:
    """The line that counts."""
    nodes = document["nodes"] or []
    good = sum(map(is_reachable, nodes))
    return (
        f"Cluster health:\t{good}/{len(nodes)} reachable\t({document['timestamp']})"
        f"\t(Probe interval: {document['probeInterval']})"
    )


def rows(document: Json, *, only_failing: bool) -> str:
    """One line a node."""
    lines = ["Name\tIP\tNode\tEndpoints"]
    for node in _local_first(document):
        if only_failing and is_reachable(node):
            continue
        local = " (localhost)" if node["name"] == document["local"]["name"] else ""
        host, endpoint = (_count(node.get(part)) for part in _PARTS)
        lines.append(f"  {node['name']}{local}\t{node['host']['primary-address']['ip']}\t{host}\t{endpoint}")
    return "\n".join(lines)


def details(document: Json) -> str:
    """Every probe of every node."""
    lines = ["Name\tIP\tNode\tEndpoints"]
    for node in _local_first(document):
        local = " (localhost)" if node["name"] == document["local"]["name"] else ""
        lines.append(f"  {node['name']}{local}:")
        for title, part in (("Host", "host"), ("Endpoint", "health-endpoint")):
            if part not in node:
                continue
            address = node[part]["primary-address"]
            lines.append(f"    {title} connectivity to {address['ip']}:")
            for name, protocol in (("ICMP to stack", "icmp"), ("HTTP to agent", "http")):
                probe = address[protocol]
                state = probe.get("status") or f"OK, RTT={duration(probe['latency'] / 1e9)}"
                lines.append(f"      {name}:\t{state}\t(Last probed: {probe['lastProbed']})")
    return "\n".join(lines)


def text(view: AgentView, *, is_verbose: bool) -> str:
    """The answer as text."""
    answer = document(view)
    body = details(answer) if is_verbose else rows(answer, only_failing=False)
    return laid_out(f"{header(answer)}\n{body}\n")


def _local_first(document: Json) -> list[Json]:
    local = document["local"]["name"]
    return sorted(document["nodes"] or [], key=lambda node: (node["name"] != local, node["name"]))


def _count(part: Json | None) -> str:
    if part is None:
        return "0/0"
    address = part["primary-address"]
    return "0/1" if address["icmp"].get("status") or address["http"].get("status") else "1/1"


def _node(view: AgentView, world: World, node: str) -> Json:
    network = world.network.nodes[node]
    is_up = agents.is_up(world, node)
    answer: Json = {
        "host": _addresses(view, node, network.addresses, is_up),
        "name": f"{world.cluster}/{node}",
    }
    if network.health is not None:
        probed = _addresses(view, node, network.health.addresses, is_up)
        first = probed["primary-address"]
        answer["endpoint"] = {key: first[key] for key in ("http", "icmp", "ip")}
        answer["health-endpoint"] = probed
    return dict(sorted(answer.items()))


def _addresses(view: AgentView, node: str, addresses: Addresses, is_up: bool) -> Json:
    first, *others = (_address(view, node, ip, is_up) for ip in addresses.every)
    return {"primary-address": first, "secondary-addresses": others}


def _address(view: AgentView, node: str, ip: str, is_up: bool) -> Json:
    last, number = view.last(interval(view), "health")
    probed = stamp(max(last - timedelta(seconds=stable(f"{node}{ip}", 0, 30)), view.started))
    http: Json = {"lastProbed": probed, "latency": stable(f"{view.boot}{ip}{number}http", 250_000, 900_000)}
    if not is_up:
        place = f"[{ip}]" if ":" in ip else ip
        # The process behind port 4240 is the agent's; the host itself still answers pings.
        http = {
            "lastProbed": probed,
            "status": f'Get "http://{place}:4240/hello": dial tcp {place}:4240: connect: connection refused',
        }
    return {
        "http": http,
        "icmp": {"lastProbed": probed, "latency": stable(f"{view.boot}{ip}{number}icmp", 60_000, 400_000)},
        "ip": ip,
    }
