"""One service on one node: slices of Kubernetes, backends of the agent, slots of the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from playbooks.engine.beside.tables import (
    SILENT,
    Cell,
    Column,
    Row,
    Table,
    Verdict,
    absent,
    held,
    table,
    unseen,
)
from playbooks.model.answer import Gap
from playbooks.model.bpf.load_balancing import MapService, ServiceMap
from playbooks.model.cilium.agent.services import AgentService, AgentServices, ServiceBackend, address_of
from playbooks.model.fact import Fact
from playbooks.model.finding import Ref
from playbooks.model.kube.endpoint_slices import EndpointSlices, SliceEndpoint
from playbooks.model.kube.services import Service, ServicePort, Services
from playbooks.model.text import Text
from playbooks.model.views.services import Backends, is_internal, is_shaped

WHAT = "service map"
_IN_AGENT, _IN_MAP = "in the agent", "in the map"


@dataclass(frozen=True, slots=True)
class Sides:
    """The facts behind the table of a service."""

    services: Services | Gap
    slices: EndpointSlices | Gap
    agent: AgentServices | Gap
    entries: ServiceMap | Gap


def only(
    ref: Ref, services: Services | Gap, slices: EndpointSlices | Gap
) -> tuple[Services | Gap, EndpointSlices | Gap]:
    """What Kubernetes says of one service: for each node the others would be passed over anew."""
    if isinstance(services, Services):
        services = replace(services, items=tuple(filter(None, (services.get(ref.namespace, ref.name),))))
    if isinstance(slices, EndpointSlices):
        slices = replace(slices, items=slices.of_service(ref.namespace, ref.name))
    return services, slices


def service_table(ref: Ref, node: str, sides: Sides) -> Table | None:
    """The table of a service on a node; none for services that no map leads to."""
    service = None if isinstance(sides.services, Gap) else sides.services.get(ref.namespace, ref.name)
    if service is not None and (service.is_headless or service.spec.type == "ExternalName"):
        return None
    kube = Column.of("Kubernetes", *_kube(sides))
    columns = (kube, Column.of("agent", sides.agent), Column.of("BPF map", sides.entries))
    rows = [row for one in _frontends(ref, service, node, sides) for row in one.rows()]
    return table(Ref("Service", ref.name, ref.namespace), WHAT, node, columns, rows)


def _kube(sides: Sides) -> tuple[Fact | Gap, ...]:
    both = (sides.services, sides.slices)
    return tuple(sorted(both, key=lambda fact: isinstance(fact, Fact)))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What Kubernetes says of one frontend."""

    text: str
    backends: Backends
    pods: Mapping[str, str]
    is_compared: bool
    """Whether agents have to follow it to the letter: which other addresses they serve is up to options."""


@dataclass(frozen=True, slots=True)
class _Frontend:
    address: str
    is_internal: bool
    has_kube: bool
    """Whether Kubernetes is known."""
    wanted: _Wanted | None
    agent: AgentService | Gap | None
    entry: MapService | Gap | None

    def rows(self) -> Iterator[Row]:
        """The frontend, then its backends: those that do not agree first."""
        cells = self._kube(), self._agent(), self._map()
        verdict, note = self._judge()
        every = sorted(self._backends(), key=lambda row: not row.verdict.is_wrong)
        if verdict is Verdict.AGREES and not every:
            note = "nobody has a backend for it: connections are refused"
        name = f"{self.address}{' internal' if self.is_internal else ''}"
        yield Row(Text(name), cells, verdict, Text(note))
        yield from every

    def _judge(self) -> tuple[Verdict, str]:
        wants = self.wanted is not None and self.wanted.is_compared
        if wants and self.agent is None:
            return Verdict.MISSING, _IN_AGENT
        if isinstance(self.agent, AgentService):
            if self.entry is None:
                return Verdict.MISSING, _IN_MAP
            if self.agent.type == "ClusterIP" and self.has_kube and not self.wanted and not self.is_internal:
                return Verdict.EXTRA, _IN_AGENT
        elif self.agent is None and isinstance(self.entry, MapService):
            return Verdict.EXTRA, _IN_MAP
        return self._doubt() or (Verdict.AGREES, "")

    def _doubt(self) -> tuple[Verdict, str] | None:
        sides = {"Kubernetes": self.has_kube}
        sides |= {"the agent": not isinstance(self.agent, Gap), "the map": not isinstance(self.entry, Gap)}
        missing = [name for name, is_seen in sides.items() if not is_seen]
        return (Verdict.UNSEEN, f"{' and '.join(missing)} not seen") if missing else None

    def _kube(self) -> Cell:
        if not self.has_kube:
            return unseen()
        return (
            held(f"{self.wanted.text}, {_count(len(self.wanted.backends.ready))}") if self.wanted else SILENT
        )

    def _agent(self) -> Cell:
        if isinstance(self.agent, Gap):
            return unseen()
        if self.agent is None:
            return absent("no frontend")
        return held(", ".join(filter(None, (self.agent.type, _count(len(self.agent.backends))))))

    def _map(self) -> Cell:
        if isinstance(self.entry, Gap):
            return unseen()
        return absent() if self.entry is None else held(_count(len(self.entry.backends)))

    def _backends(self) -> Iterator[Row]:
        known: dict[str, ServiceBackend] = {}
        if isinstance(self.agent, AgentService):
            known = {one.address.partition("/")[0]: one for one in self.agent.backends}
        slots: dict[str, int] = {}
        if isinstance(self.entry, MapService):
            slots = {address.partition("/")[0]: slot for slot, address in self.entry.backends.items()}
            for slot, number in self.entry.broken.items():
                cell = held(f"slot {slot}: backend {number}")
                why = Text("no map holds the address of that backend")
                yield Row(Text(f"slot {slot}"), (SILENT, SILENT, cell), Verdict.DIFFERS, why, 1)
        of_kube = self.wanted.backends.known if self.wanted else ()
        prefers = any(one.is_active and one.preferred for one in known.values())
        for address in sorted({*of_kube, *known, *slots}):
            yield self._backend(address, known.get(address), slots.get(address), prefers=prefers)

    def _backend(self, address: str, known: ServiceBackend | None, slot: int | None, *, prefers: bool) -> Row:
        if isinstance(self.agent, Gap):
            agent = unseen()
        else:
            agent = held(known.state or "there") if known else absent("no backend")
        if isinstance(self.entry, Gap):
            entry = unseen()
        else:
            entry = held(f"slot {slot}") if slot is not None else absent()
        cells = (self._kube_backend(address), agent, entry)
        verdict, note = self._judge_backend(address, known, slot, prefers=prefers)
        return Row(Text(f"→ {address}"), cells, verdict, Text(note), 1)

    def _kube_backend(self, address: str) -> Cell:
        if not self.has_kube:
            return unseen()
        if self.wanted is None:
            return SILENT
        backends = self.wanted.backends
        if address not in backends.known:
            return absent("no endpoint") if self.wanted.is_compared else SILENT
        state = "ready" if address in backends.ready else "not ready"
        return held(f"{state} {self.wanted.pods.get(address, '')}".strip())

    def _judge_backend(
        self, address: str, known: ServiceBackend | None, slot: int | None, *, prefers: bool
    ) -> tuple[Verdict, str]:
        wanted = self.wanted if self.wanted and self.wanted.is_compared else None
        has_agent = not isinstance(self.agent, Gap)
        if has_agent and wanted and address in wanted.backends.ready and known is None:
            return Verdict.MISSING, _IN_AGENT
        if has_agent and wanted and address not in wanted.backends.known and known and known.is_active:
            return Verdict.EXTRA, _IN_AGENT
        if has_agent and not isinstance(self.entry, Gap):
            # Where the service's affinity prefers a cluster, the map holds its backends only.
            if known and known.is_active and (known.preferred or not prefers) and slot is None:
                return Verdict.MISSING, _IN_MAP
            if known is None and slot is not None:
                return Verdict.EXTRA, _IN_MAP
        return self._doubt() or (Verdict.AGREES, "")


def _frontends(ref: Ref, service: Service | None, node: str, sides: Sides) -> list[_Frontend]:
    """Every address that leads to the service, by any side."""
    agents = _of_agent(ref, service, sides.agent)
    entries = {} if isinstance(sides.entries, Gap) else sides.entries.by_address
    # A version writes all of them in one way.
    told = [*(one.address for one in agents), *(address for address, _ in islice(entries, 1))]
    has_protocols = all("/" in address for address in told)
    by_key = {(_bare(one.address, has_protocols), is_internal(one)): one for one in agents}
    in_map: Mapping[tuple[str, bool], MapService] = entries
    if not has_protocols:
        in_map = {(_bare(address, False), internal): one for (address, internal), one in entries.items()}
    has_kube = not any(isinstance(fact, Gap) for fact in (sides.services, sides.slices))
    wanted: dict[tuple[str, bool], _Wanted] = {}
    if service is not None and isinstance(sides.slices, EndpointSlices):
        wanted = dict(_wanted(service, sides.slices, node, by_key, has_protocols))
    ports = _addresses(service, has_protocols) if service else {}
    keys = dict.fromkeys(
        [*wanted, *by_key, *((address, False) for address in ports if (address, False) in in_map)]
    )
    return [
        _Frontend(
            *key,
            has_kube,
            wanted.get(key),
            sides.agent if isinstance(sides.agent, Gap) else by_key.get(key),
            sides.entries if isinstance(sides.entries, Gap) else in_map.get(key),
        )
        for key in keys
    ]


def _of_agent(ref: Ref, service: Service | None, agent: AgentServices | Gap) -> list[AgentService]:
    if isinstance(agent, Gap):
        return []
    named = list(agent.of(ref.namespace, ref.name))
    if named or service is None:
        return named
    # Text tells no names: then the addresses tell whose it is.
    mine = {address.partition("/")[0] for address in _addresses(service, has_protocols=False)}
    return [one for one in agent.items if not one.name and one.address.partition("/")[0] in mine]


def _addresses(service: Service, has_protocols: bool) -> dict[str, tuple[str, ServicePort]]:
    """Each address that the service asks for with its IP and port."""
    return {
        _bare(address_of(ip, port.port, port.protocol), has_protocols): (ip, port)
        for ip in service.addresses
        for port in service.spec.ports or ()
    }


def _wanted(
    service: Service,
    slices: EndpointSlices,
    node: str,
    agents: Mapping[tuple[str, bool], AgentService],
    has_protocols: bool,
) -> Iterator[tuple[tuple[str, bool], _Wanted]]:
    addresses = _addresses(service, has_protocols)
    cluster = service.spec.cluster_ips or (service.spec.cluster_ip,)
    for address, (ip, port) in addresses.items():
        key, is_cluster = (address, False), ip in cluster
        if is_cluster or key in agents:
            shaped = key in agents and is_shaped(service, agents[key])
            yield key, _wants(service, slices, port, ":" in ip, node, is_compared=is_cluster and not shaped)
    for key, one in agents.items():
        frontend = one.spec.frontend_address
        number = frontend.port if frontend else None
        named = [each for each in service.spec.ports or () if number and each.node_port == number]
        if named and key[0] not in addresses and not key[1]:
            yield key, _wants(service, slices, named[0], "[" in key[0], node, is_compared=False)


def _wants(
    service: Service, slices: EndpointSlices, port: ServicePort, is_v6: bool, node: str, *, is_compared: bool
) -> _Wanted:
    target = port.target_port if port.target_port is not None else port.port
    named = f"{port.name} " if port.name else ""
    pods: dict[str, str] = {}
    for one in slices.of_service(service.metadata.namespace, service.metadata.name):
        numbers = [item.port for item in one.ports or () if (item.name or "") == port.name]
        for endpoint in one.endpoints or ():
            said = _said(endpoint)
            pods |= {
                address_of(ip, number, ""): said for ip in endpoint.addresses or () for number in numbers
            }
    backends = Backends.of(service, slices, port.name, is_v6, node)
    return _Wanted(f"{named}{port.port} → {target}", backends, pods, is_compared)


def _said(endpoint: SliceEndpoint) -> str:
    return endpoint.target_ref.name if endpoint.target_ref else ""


def _bare(address: str, has_protocols: bool) -> str:
    return address if has_protocols else address.partition("/")[0]


def _count(number: int) -> str:
    return "no backend" if not number else f"{number} backend{'s' if number > 1 else ''}"
