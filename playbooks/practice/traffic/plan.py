"""Who asks whom at this moment: the calls, with services resolved and policies asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from playbooks.practice.catalog import SERVICES
from playbooks.practice.frontends import Backend, Frontend, frontends
from playbooks.practice.naming import stable
from playbooks.practice.objects import labels_of, name_of, namespace_of
from playbooks.practice.policies.requests import DnsQuery, Request
from playbooks.practice.policies.verdicts import Verdict, verdict
from playbooks.practice.traffic import names, outside, requests
from playbooks.practice.traffic.call import Call, Scheme
from playbooks.practice.traffic.lane import SECOND, Lane, Outcome, Path, Query
from playbooks.practice.traffic.outside import NO_SERVICE, STALE
from playbooks.practice.traffic.party import INGRESS, WORLD, Party, node_party, outside_party, pod_party
from playbooks.practice.traffic.probes import probes_of

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

LOOKUP = 5_000_000
"""Nanoseconds after which a client that looked up a name begins to talk."""
_NEXT_NAME = 2_000_000
_NOTHING = Verdict(0, 0, None, None)
_DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one call of a client goes after its service was resolved."""

    ip: str
    port: int
    service: tuple[str, str] = ("", "")
    is_empty: bool = False
    is_unserved: bool = False


def lanes_of(world: World) -> tuple[Lane, ...]:
    """All lanes as the world is now."""
    return tuple(_Plan(world).lanes())


class _Plan:
    """One reading of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._frontends: dict[str, list[Frontend]] = {}
        self._inner: dict[str, dict[tuple[str, int, str], Frontend]] = {}
        self._verdicts: dict[tuple[str, str, int, str, Request | None], Verdict] = {}

    def lanes(self) -> Iterator[Lane]:
        for call in self.world.traffic.calls:
            if call.is_from_outside:
                yield from self._from_outside(call)
                continue
            for run in self._clients.get((call.namespace, call.app), ()):
                client = pod_party(self.world, run)
                if client is not None:
                    yield from self._of_client(call, client)
        yield from probes_of(self.world)

    @cached_property
    def _clients(self) -> dict[tuple[str, str], list[PodRun]]:
        wanted = {(call.namespace, call.app) for call in self.world.traffic.calls}
        namespaces = {namespace for namespace, _ in wanted}
        found: dict[tuple[str, str], list[PodRun]] = {}
        for run in self.world.runs.values():
            if run.namespace in namespaces and run.ips and _is_running(run):
                key = run.namespace, labels_of(run.pod).get("app", "")
                if key in wanted:
                    found.setdefault(key, []).append(run)
        return found

    def _run_at(self, ip: str) -> PodRun | None:
        """The pod with an endpoint at an address."""
        census = self.world.policies.census
        end = census.ends.get(ip)
        return census.run_of(end.pod) if end is not None and end.pod[1] else None

    def _from_outside(self, call: Call) -> Iterator[Lane]:
        """The calls of somebody outside, who comes to one node after the other."""
        every = max(round(call.every * SECOND), 1)
        ways = [
            (door, place)
            for door in outside.doors(self.world, call)
            for place in (
                self._proxied(call, door) if call.through else outside.places(self._frontends_of(door), call)
            )
        ]
        for turn, (door, place) in enumerate(ways):
            first = stable(f"{call.app}>{call.url}", 0, every - 1) + turn * every
            client = outside.stranger(self.world, call, door)
            lane = self._base(call, client, first, every * len(ways), None)
            yield self._entering(replace(lane, stride=len(ways), turn=turn, entry=door), place)

    def _proxied(self, call: Call, door: str) -> Iterator[outside.Entrance]:
        """Where the proxy of Ingress on a node passes requests on to."""
        for ip in names.addresses(self.world, call.host)[:1]:
            proxy = Party(ip, INGRESS, (), door)
            for place in self._places(proxy, ip, call.port, call.protocol):
                if not place.is_empty and not place.is_unserved:
                    yield outside.Entrance(place.ip, place.port, place.service)

    def _entering(self, lane: Lane, place: outside.Entrance) -> Lane:
        """What becomes of a packet from outside that a node took in."""
        lane = replace(lane, port=place.port, service=place.service)
        server = self._party(place.ip, lane.entry, ())
        if place.drop_reason:
            lane = replace(lane, server=server, outcome=Outcome.DROPPED)
            return replace(lane, drop_reason=place.drop_reason, drops_at=lane.entry)
        asks_as = lane.client.ip
        if server.node != lane.entry:
            path = self._path(lane.entry, server)
            lane = replace(lane, path=path)
            if not lane.call.through:
                asks_as, client = outside.forwarded(self.world, lane.client, lane.entry, path)
                lane = replace(lane, client=client)
        request = requests.asked(lane.call)
        decided = verdict(self.world, asks_as, place.ip, place.port, lane.protocol, request)
        if (side := decided.ingress) is not None:
            labels = self.world.policies.universe(side.node).labels[side.peer]
            lane = replace(lane, client=replace(lane.client, identity=side.peer, labels=labels))
        lane = replace(lane, server=server, verdict=replace(decided, egress=None))
        if (refusing := lane.verdict.refusing) is not None:
            reason = refusing.drop_reason
            return replace(lane, outcome=Outcome.DROPPED, drop_reason=reason, drops_at=refusing.node)
        return replace(lane, outcome=self._outcome(lane))

    def _of_client(self, call: Call, client: Party) -> Iterator[Lane]:
        every = max(round(call.every * SECOND), 1)
        first = stable(f"{client.namespace}/{client.pod}>{call.url}", 0, every - 1)
        if names.is_address(call.host):
            yield from self._calling(call, client, call.host, first, every)
            return
        lookups = list(self._looking_up(call, client, first, every))
        yield from lookups
        if call.scheme is Scheme.DNS:
            return
        ips = {ip for lane in lookups if lane.outcome is Outcome.ANSWERED for ip in _found(lane)}
        family = self.world.profile.families[0]
        ordered = sorted(ips, key=lambda ip: ((":" in ip) != (family == "IPv6"), ip))
        if not ordered:
            server = outside_party(self.world, "", ())
            is_heard = any(lane.outcome is not Outcome.DROPPED for lane in lookups)
            why = Outcome.UNKNOWN_NAME if is_heard else Outcome.NO_NAME_SERVER
            yield Lane(call, client, server, call.port, why, _NOTHING, Path.LOCAL, first, every)
            return
        sides = (lane.verdict.egress for lane in lookups)
        is_told = any(side is not None and side.proxy for side in sides)
        known = names.names_of(self.world, ordered[0]) if is_told else ()
        yield from self._calling(call, client, ordered[0], first + LOOKUP, every, known)

    def _looking_up(self, call: Call, client: Party, first: int, every: int) -> Iterator[Lane]:
        name = call.host
        found = names.addresses(self.world, name)
        servers = self._places(client, self._name_server, _DNS_PORT, "UDP")
        tried = [name]
        if not found:
            tried += [
                f"{name}.{domain}" for domain in (f"{client.namespace}.{names.SEARCH[0]}", *names.SEARCH)
            ]
        for number, one in enumerate(tried):
            for type_ in ("A", "AAAA"):
                ips = tuple(ip for ip in found if (":" in ip) == (type_ == "AAAA"))
                query = Query(f"{one}.", type_, ips, bool(found))
                base = self._base(call, client, first + number * _NEXT_NAME, every, query)
                yield from self._spread(base, servers, DnsQuery(one))

    @cached_property
    def _name_server(self) -> str:
        for service in self.world.store.all(SERVICES, "kube-system"):
            if labels_of(service).get("k8s-app") == "kube-dns" or name_of(service) == "kube-dns":
                return str((service["spec"].get("clusterIPs") or [""])[0])
        return ""

    def _calling(
        self, call: Call, client: Party, ip: str, first: int, every: int, known: tuple[str, ...] = ()
    ) -> Iterator[Lane]:
        places = self._places(client, ip, call.port, call.protocol)
        if call.keeps:
            places = _connected(self.world, call, client, places)
        base = self._base(call, client, first, every, None)
        yield from self._spread(base, places, requests.asked(call), known)

    def _base(self, call: Call, client: Party, first: int, every: int, query: Query | None) -> Lane:
        return Lane(
            call, client, client, 0, Outcome.ANSWERED, _NOTHING, Path.LOCAL, first, every, query=query
        )

    def _spread(
        self, base: Lane, places: list[_Place], request: Request | None, known: tuple[str, ...] = ()
    ) -> Iterator[Lane]:
        every, count = base.period, len(places)
        for turn, place in enumerate(places):
            lane = replace(
                base,
                port=place.port,
                first=base.first + turn * every,
                period=every * count,
                stride=count,
                turn=turn,
                service=place.service,
            )
            yield self._placed(lane, place, request, known)

    def _placed(self, lane: Lane, place: _Place, request: Request | None, known: tuple[str, ...]) -> Lane:
        client = lane.client
        server = self._party(place.ip, client.node, known)
        if place.is_empty and not self._is_seen_by_datapath(client.node):
            return replace(lane, server=server, outcome=Outcome.UNREACHABLE)
        path = self._path(client.node, server)
        if place.is_empty or place.is_unserved:
            lane = replace(lane, server=server, path=path, outcome=Outcome.DROPPED)
            return replace(lane, drop_reason=NO_SERVICE, drops_at=client.node)
        decided = self._verdict(client, place, lane.protocol, request)
        if server.is_outside and decided.egress is not None:
            known_as = self.world.policies.universe(client.node).labels
            number = decided.egress.peer
            server = replace(server, identity=number, labels=known_as.get(number, server.labels))
        if not _is_known(self.world, client.node, server):
            number = decided.egress.peer if decided.egress else WORLD
            labels = self.world.policies.universe(client.node).labels.get(number, ())
            server, path = Party(server.ip, number, labels), Path.NETWORK
        lane = replace(lane, server=server, path=path, verdict=decided)
        refusing = decided.refusing
        if refusing is not None:
            return replace(
                lane, outcome=Outcome.DROPPED, drop_reason=refusing.drop_reason, drops_at=refusing.node
            )
        if _is_stale(self.world, place.ip):
            nobody = replace(server, identity=0, labels=("reserved:unknown",))
            lane = replace(lane, server=nobody, outcome=Outcome.DROPPED)
            return replace(lane, drop_reason=STALE, drops_at=client.node)
        if _is_lost(self.world, lane):
            return replace(lane, outcome=Outcome.DROPPED)
        return replace(lane, outcome=self._outcome(lane), masquerade=self._masquerade(client, server))

    def _outcome(self, lane: Lane) -> Outcome:
        if lane.verdict.is_request_refused:
            return Outcome.FORBIDDEN
        run = self._run_at(lane.server.ip)
        is_deaf = lane.server.is_endpoint and run is not None and not _listens(run, lane.port)
        return Outcome.RESET if is_deaf and lane.protocol == "TCP" else Outcome.ANSWERED

    def _verdict(self, client: Party, place: _Place, protocol: str, request: Request | None) -> Verdict:
        key = (client.ip, place.ip, place.port, protocol, request)
        if key not in self._verdicts:
            source = f"{client.namespace}/{client.pod}"
            self._verdicts[key] = verdict(self.world, source, place.ip, place.port, protocol, request)
        return self._verdicts[key]

    def _places(self, client: Party, ip: str, port: int, protocol: str) -> list[_Place]:
        if client.node not in self._inner:
            # Where a service has a list of its own for clients inside, it comes behind the other one.
            every = self._frontends_of(client.node)
            self._inner[client.node] = {(one.ip, one.port, one.protocol): one for one in every}
        table = self._inner[client.node]
        one = table.get((ip, port, protocol))
        if one is None:
            is_service = any(key[0] == ip and front.type == "ClusterIP" for key, front in table.items())
            return [_Place(ip, port, is_unserved=is_service)]
        service = (namespace_of(one.service), name_of(one.service))
        chosen = _chosen(one, client)
        if not chosen:
            return [_Place(ip, port, service, is_empty=True)]
        return [_Place(backend.ip, backend.port, service) for backend in chosen]

    def _frontends_of(self, node: str) -> list[Frontend]:
        if node not in self._frontends:
            self._frontends[node] = frontends(self.world, node)
        return self._frontends[node]

    def _party(self, ip: str, viewer: str, known: tuple[str, ...]) -> Party:
        end, run = self.world.policies.census.ends.get(ip), self._run_at(ip)
        if end is not None and end.node and run is None:
            return node_party(self.world, end.node, ip, viewer)
        found = pod_party(self.world, run, ip) if run is not None else self._remote(ip)
        return found or outside_party(self.world, ip, known)

    def _remote(self, ip: str) -> Party | None:
        """The pod of another cluster of the mesh at an address."""
        for peer in self.world.peers:
            end = peer.policies.census.ends.get(ip)
            if end is not None and end.pod[1]:
                found = pod_party(peer, peer.policies.census.run_of(end.pod), ip)
                return replace(found, cluster=peer.cluster) if found is not None else None
        return None

    def _path(self, node: str, server: Party) -> Path:
        if node == server.node:
            return Path.LOCAL
        is_tunnel = self._setting(node, "routing-mode", "tunnel") == "tunnel"
        return Path.OVERLAY if is_tunnel and server.is_endpoint else Path.NETWORK

    def _masquerade(self, client: Party, server: Party) -> str:
        """The node's address, where the datapath itself puts it on packets that leave the cluster."""
        family = "ipv6" if ":" in server.ip else "ipv4"
        is_on = self._setting(client.node, f"enable-{family}-masquerade", "true") == "true"
        is_bpf = self._setting(client.node, "enable-bpf-masquerade", "false") == "true"
        if not (server.is_outside and is_on and is_bpf):
            return ""
        own = self.world.network.nodes[client.node].addresses
        return own.ipv6 if family == "ipv6" else own.ipv4

    def _is_seen_by_datapath(self, node: str) -> bool:
        """Whether pods' packets to services reach the datapath; else their sockets are turned before."""
        return self._setting(node, "bpf-lb-sock-hostns-only", "false") == "true"

    def _setting(self, node: str, key: str, default: str) -> str:
        run = self.world.agents.get(node)
        return run.config.get(key, default) if run is not None else default


def _chosen(one: Frontend, client: Party) -> tuple[Backend, ...]:
    # A client of the world calls within its cluster as long as somebody answers there.
    active = tuple(backend for backend in one.active if not backend.cluster) or one.active
    if one.affinity and active:
        return (active[stable(f"{client.ip}{one.address}", 0, len(active) - 1)],)
    return active


def _found(lane: Lane) -> tuple[str, ...]:
    return lane.query.addresses if lane.query is not None else ()


def _is_running(run: PodRun) -> bool:
    mains = [container for container in run.containers.values() if not container.is_init]
    return bool(mains) and all(container.is_running for container in mains)


def _listens(run: PodRun, port: int) -> bool:
    """Whether a program in the pod listens on a port, as far as its ports and arguments tell."""
    for container in run.pod["spec"]["containers"]:
        if any(entry["containerPort"] == port for entry in container.get("ports") or ()):
            return True
        if str(port) in (container.get("args") or ()):
            return True
    return False


def _is_known(world: World, node: str, server: Party) -> bool:
    pod = (server.namespace, server.pod)
    return not server.pod or server.node == node or world.tampered.knows(world, node, pod)


def _is_stale(world: World, ip: str) -> bool:
    """Whether an address is of the range of a node, and nobody's."""
    return ip not in world.policies.census.ends and world.network.is_of_pods(ip)


def _is_lost(world: World, lane: Lane) -> bool:
    """Whether packets go where nobody gets them."""
    egress, node = lane.verdict.egress, lane.client.node
    if lane.query is not None and egress is not None and egress.proxy:
        return bool(world.tampered.leads_astray(world, node))
    return not lane.server.node and world.network.is_of_pods(lane.server.ip)


def _connected(world: World, call: Call, client: Party, places: list[_Place]) -> list[_Place]:
    """Where a socket leads that was connected once."""
    endpoint = world.network.endpoints[client.namespace, client.pod]
    socket = world.traffic.sockets.setdefault((endpoint.attachment, call.url), (places[0].ip, places[0].port))
    found = next((one for one in places if (one.ip, one.port) == socket), None)
    return [found or _Place(*socket)]
