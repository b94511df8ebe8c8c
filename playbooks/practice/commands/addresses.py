"""Who is behind an address: identities, the agent's and the map's table of addresses, nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playbooks.practice import mesh
from playbooks.practice.catalog import NODES
from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.view import AgentView, LocalEndpoint
from playbooks.practice.naming import stable
from playbooks.practice.network import NodeNetwork
from playbooks.practice.objects import Json, name_of
from playbooks.practice.policies.census import serves_api
from playbooks.practice.policies.universe import API_SERVER, HEALTH, HOST, INGRESS, REMOTE_NODE, WORLD

_MESH = "clustermesh"
"""Where what belongs to other clusters is known from."""


@dataclass(frozen=True, slots=True)
class Known:
    """One address or range with its identity."""

    prefix: str
    """The range."""
    identity: int
    """The identity behind it."""
    labels: tuple[str, ...]
    """The identity's labels."""
    host: str = ""
    """The first address of the node it is on."""
    pod: tuple[str, str] = ("", "")
    """Namespace and name, for a pod."""
    is_behind_node: bool = False
    """Whether it is reached through its node."""
    source: str = ""
    """Where a pod's address is known from."""


def identity_documents(view: AgentView) -> list[Json]:
    """The answer of `identity list -o json`."""
    return [{"id": number, "labels": list(labels)} for number, labels in _identities(view).items()]


def identity_text(view: AgentView) -> str:
    """The answer of `identity list`."""
    lines = ["ID\tLABELS\t"]
    for number, labels in _identities(view).items():
        lines += [f"{number if label is labels[0] else ''}\t{label}\t" for label in labels]
    return laid_out("\n".join(lines)) + "\n"


def node_number_documents(view: AgentView) -> list[Json]:
    """The answer of `nodeid list -o json`."""
    return [
        {
            "id": stable(f"{view.boot}{name}", 1, 0xFFFF),
            "ips": [*network.addresses.every, *network.routers.every],
        }
        for name, network in [
            *_nodes(view).items(),
            *((one.full_name, one.network) for one in _remote_nodes(view)),
        ]
    ]


def node_number_text(view: AgentView) -> str:
    """The answer of `nodeid list`."""
    lines = ["NODE ID\tIP ADDRESSES\tSPI"]
    for row in node_number_documents(view):
        first, *others = row["ips"]
        lines.append(f"{row['id']:#x}\t{first}\t")
        lines += [f"\t{ip}\t" for ip in others]
    return laid_out("\n".join(lines)) + "\n"


def ip_documents(view: AgentView) -> list[Json]:
    """The answer of `ip list -o json`."""
    found = []
    for one in _known(view):
        row: Json = {"cidr": one.prefix}
        if one.pod[1]:
            row["hostIP"] = one.host
        row["identity"] = one.identity
        if one.pod[1]:
            row["metadata"] = {"name": one.pod[1], "namespace": one.pod[0], "source": one.source}
        found.append(row)
    return found


def ip_text(view: AgentView) -> str:
    """The answer of `ip list`."""
    lines = ["IP\tIDENTITY\tSOURCE"]
    for one in _known(view):
        first, *others = one.labels
        lines.append(f"{one.prefix}\t{first}\t{one.source}")
        lines += [f"\t{label}\t" for label in others]
    return laid_out("\n".join(lines)) + "\n"


def ipcache_documents(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf ipcache list -o json`."""
    return {one.prefix: [_held(view, one)] for one in _known(view)}


def ipcache_text(view: AgentView) -> str:
    """The answer of `bpf ipcache list`."""
    rows = [f"{one.prefix}\t{_held(view, one)}\t" for one in _known(view)]
    return laid_out("\n".join(["IP PREFIX/ADDRESS\tIDENTITY\t", *rows])) + "\n"


def endpoint_map_documents(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf endpoint list -o json`."""
    return {address: [said] for address, said in sorted(_endpoint_map(view))}


def endpoint_map_text(view: AgentView) -> str:
    """The answer of `bpf endpoint list`."""
    rows = [f"{address}\t{said}\t" for address, said in sorted(_endpoint_map(view))]
    return laid_out("\n".join(["IP ADDRESS\tLOCAL ENDPOINT INFO\t", *rows])) + "\n"


def node_documents(view: AgentView) -> list[Json]:
    """The answer of `node list -o json`."""
    return [_node(*row) for row in _meshed(view)]


def node_text(view: AgentView) -> str:
    """The answer of `node list`."""
    lines = ["Name\tIPv4 Address\tEndpoint CIDR\tIPv6 Address\tEndpoint CIDR\tSource"]
    for name, network, source in _meshed(view):
        own, ranges = network.addresses, network.ranges
        cells = (name, own.ipv4, ranges.ipv4, own.ipv6, ranges.ipv6, source)
        lines.append("\t".join(cells))
    return laid_out("\n".join(lines)) + "\n"


def _identities(view: AgentView) -> Mapping[int, tuple[str, ...]]:
    own = view.world.policies.universe(view.node).labels
    remote = {number: labels for peer in view.world.peers for number, labels in mesh.identities(peer).items()}
    return dict(sorted({**own, **remote}.items())) if remote else own


def _known(view: AgentView) -> list[Known]:
    every = [*_worlds(view), *_of_outside(view), *_of_nodes(view), *_of_pods(view), *_of_peers(view)]
    return sorted(every, key=lambda one: (one.prefix.endswith("/0") is False, _sortable(one.prefix)))


def _sortable(prefix: str) -> tuple[bool, tuple[int, ...] | tuple[str, ...]]:
    ip = prefix.partition("/")[0]
    return (True, (ip,)) if ":" in ip else (False, tuple(map(int, ip.split("."))))


def _worlds(view: AgentView) -> Iterator[Known]:
    families = view.world.profile.families
    both = len(families) > 1
    for family, prefix, number in (("IPv4", "0.0.0.0/0", 9), ("IPv6", "::/0", 10)):
        if family in families:
            name = f"world-{family.lower()}" if both else "world"
            yield Known(prefix, number if both else WORLD, (f"reserved:{name}",))


def _of_outside(view: AgentView) -> Iterator[Known]:
    outside = view.world.policies.universe(view.node).outside
    for prefix, labels in outside.labels.items():
        yield Known(prefix, outside.number(prefix), labels)


def _of_nodes(view: AgentView) -> Iterator[Known]:
    for node, network in _nodes(view).items():
        is_here, serves = node == view.node, serves_api(view.world, node)
        for ip in (*network.addresses.every, *network.routers.every):
            is_router = ip in network.routers.every
            yield _of_node(ip, network.node_ip, is_here=is_here, is_router=is_router, serves=serves)
        for ip in network.ingress.every:
            labels = ("reserved:ingress",)
            yield Known(_whole(ip), INGRESS, labels, network.node_ip, is_behind_node=not is_here)
        if network.health is not None:
            for ip in network.health.addresses.every:
                labels = ("reserved:health",)
                yield Known(_whole(ip), HEALTH, labels, network.node_ip, is_behind_node=not is_here)


def _of_node(ip: str, host: str, *, is_here: bool, is_router: bool, serves: bool) -> Known:
    extra = ("reserved:kube-apiserver",) if serves and not is_router else ()
    if is_here:
        return Known(_whole(ip), HOST, ("reserved:host", *extra), host)
    number = API_SERVER if extra else REMOTE_NODE
    return Known(_whole(ip), number, (*extra, "reserved:remote-node"), host, is_behind_node=is_router)


def _of_pods(view: AgentView) -> Iterator[Known]:
    world = view.world
    for run in world.runs.values():
        endpoint = world.network.endpoints.get((run.namespace, run.name))
        is_there = run.node == view.node or world.tampered.knows(world, view.node, (run.namespace, run.name))
        if endpoint is None or not is_there:
            continue
        known = world.policies.census.known(run)
        for ip in endpoint.addresses.every:
            yield Known(
                _whole(ip),
                known.identity,
                known.labels,
                world.network.nodes[run.node].node_ip,
                (run.namespace, run.name),
                run.node != view.node,
                _source(view),
            )


def _of_peers(view: AgentView) -> Iterator[Known]:
    """Nodes and pods of the other clusters of the mesh."""
    for node in _remote_nodes(view):
        network = node.network
        for ip in (*network.addresses.every, *network.routers.every):
            is_router = ip in network.routers.every
            yield _of_node(ip, network.node_ip, is_here=False, is_router=is_router, serves=False)
        for ip in network.health.addresses.every if network.health else ():
            yield Known(_whole(ip), HEALTH, ("reserved:health",), network.node_ip, is_behind_node=True)
    for pod in (pod for peer in view.world.peers for pod in mesh.pods(peer)):
        place = (pod.run.namespace, pod.run.name)
        for ip in pod.ips:
            yield Known(_whole(ip), pod.identity, pod.labels, pod.node_ip, place, True, _MESH)


def _whole(ip: str) -> str:
    return f"{ip}/128" if ":" in ip else f"{ip}/32"


def _source(view: AgentView) -> str:
    is_crd = view.config.get("identity-allocation-mode", "crd") == "crd"
    return "custom-resource" if is_crd else "kvstore"


def _held(view: AgentView, one: Known) -> str:
    is_tunnel = view.config.get("routing-mode", "tunnel") == "tunnel"
    nowhere = "0.0.0.0" if "IPv4" in view.world.profile.families else "::"
    where = one.host if one.is_behind_node and is_tunnel else nowhere
    flags = "hastunnel" if where != nowhere else "<none>"
    return f"identity={one.identity} encryptkey=0 tunnelendpoint={where} flags={flags}"


def _endpoint_map(view: AgentView) -> Iterator[tuple[str, str]]:
    for ip in (*view.network.addresses.every, *view.network.routers.every):
        yield f"{ip}:0", "(localhost)"
    for entry in view.endpoints:
        endpoint = entry.endpoint
        for ip in endpoint.addresses.every if endpoint else ():
            yield f"{ip}:0", _endpoint_value(entry)


def _endpoint_value(entry: LocalEndpoint) -> str:
    endpoint = entry.endpoint
    assert endpoint is not None
    macs = f"mac={endpoint.mac.upper()} nodemac={endpoint.host_mac.upper()}"
    numbers = f"id={entry.id:<5} sec_id={entry.identity:<5} flags=0x0000 ifindex={endpoint.index:<3}"
    return f"{numbers} {macs} parent_ifindex=0   rt_info:0"


def _nodes(view: AgentView) -> dict[str, NodeNetwork]:
    """The nodes that have joined the mesh."""
    present = {name_of(node) for node in view.world.store.all(NODES)}
    return {name: network for name, network in view.world.network.nodes.items() if name in present}


def _remote_nodes(view: AgentView) -> list[mesh.RemoteNode]:
    return [one for peer in view.world.peers for one in mesh.nodes(peer)]


def _meshed(view: AgentView) -> list[tuple[str, NodeNetwork, str]]:
    """All nodes of the mesh: their names in it, their addresses, and where they are known from."""
    own = [
        (f"{view.world.cluster}/{name}", network, _origin(view, name))
        for name, network in _nodes(view).items()
    ]
    remote = [(one.full_name, one.network, _MESH) for one in _remote_nodes(view)]
    return sorted([*own, *remote], key=lambda row: row[0])


def _origin(view: AgentView, node: str) -> str:
    return "local" if node == view.node else _source(view)


def _node(name: str, network: NodeNetwork, source: str) -> Json:
    own, ranges = network.addresses.keyed(), network.ranges.keyed()
    primary: Json = {"ipv4": {}, "ipv6": {}}
    for family, ip in own.items():
        given = {"alloc-range": ranges[family]} if family in ranges else {}
        primary[family] = {**given, "enabled": True, "ip": ip}
    row: Json = {}
    if network.health is not None:
        found = network.health.addresses.keyed()
        row["health-endpoint-address"] = {
            family: {"enabled": True, "ip": found[family]} if family in found else {}
            for family in ("ipv4", "ipv6")
        }
    return row | {
        "name": name,
        "primary-address": primary,
        "secondary-addresses": [{"ip": ip} for ip in network.routers.every],
        "source": source,
    }
