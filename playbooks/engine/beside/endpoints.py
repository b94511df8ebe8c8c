"""One pod on its node: what is published of it, its endpoint in the agent, its rows in the maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from playbooks.model.bpf.endpoints import EndpointMap, MapEndpoint
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.ceps import ClusterEndpoints, PublishedEndpoint
from playbooks.model.finding import Ref
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.text import Text
from playbooks.model.views.endpoints import needs_entry

WHAT = "endpoint"


@dataclass(frozen=True, slots=True)
class Sides:
    """The facts behind the table of a pod."""

    pods: Pods | Gap
    published: ClusterEndpoints | Gap
    agent: AgentEndpoints | Gap
    entries: EndpointMap | Gap


@dataclass(frozen=True, slots=True)
class Found:
    """A pod and its endpoint, as far as each is there."""

    ref: Ref
    """The pod, by the best name that is known."""
    node: str
    """Where it is."""
    pod: Pod | None
    """The pod, if it is there."""
    endpoint: Endpoint | None
    """Its endpoint, if its agent has one."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses, by pod and agent."""
        of_pod = (self.pod.status.pod_ip,) if self.pod and self.pod.status.pod_ip else ()
        return tuple(dict.fromkeys((*of_pod, *(self.endpoint.addresses if self.endpoint else ()))))


def found(ref: Ref, node: str, pods: Pods | Gap, agent: AgentEndpoints | Gap) -> Found:
    """The pod and the endpoint that a subject means: by name, or by number where no pod is known."""
    pod = pod_of(ref, pods)
    endpoint = None
    if isinstance(agent, AgentEndpoints):
        if pod is not None and pod.status.pod_ip:
            endpoint = agent.at(pod.status.pod_ip)
        elif pod is None and ref.name.isdecimal():
            endpoint = agent.get(int(ref.name))
    return Found(pod.ref if pod else ref, node, pod, endpoint)


def pod_of(ref: Ref, pods: Pods | Gap) -> Pod | None:
    """The pod of a subject, by name."""
    key = (ref.namespace, ref.name)
    every = () if isinstance(pods, Gap) else pods.items
    return next((one for one in every if (one.metadata.namespace, one.metadata.name) == key), None)


def endpoint_table(one: Found, sides: Sides) -> Table | None:
    """The table of a pod; none for pods that need no endpoint."""
    if one.pod is not None and (one.pod.spec.host_network or one.pod.is_going):
        return None
    if one.pod is None and (one.endpoint is None or not one.endpoint.namespace):
        return None
    kube = Column.of("Kubernetes", sides.published, sides.pods)
    columns = (kube, Column.of("agent", sides.agent), Column.of("BPF map", sides.entries))
    return table(Ref("Pod", one.ref.name, one.ref.namespace), WHAT, one.node, columns, _rows(one, sides))


def _rows(one: Found, sides: Sides) -> Iterator[Row]:
    published = _published(one, sides.published)
    entry = _entry(one, sides.entries)
    yield _endpoint(one, published, entry, sides)
    if one.endpoint is not None or isinstance(published, PublishedEndpoint):
        yield _identity(one, published, entry, sides)
    if entry is not None and one.endpoint is not None:
        yield _device(one.endpoint, entry)


def _published(one: Found, published: ClusterEndpoints | Gap) -> PublishedEndpoint | Gap | None:
    if isinstance(published, Gap):
        return published
    key = (one.ref.namespace, one.ref.name)
    return next((item for item in published.items if (item.namespace, item.name) == key), None)


def _entry(one: Found, entries: EndpointMap | Gap) -> MapEndpoint | Gap | None:
    if isinstance(entries, Gap):
        return entries
    return next((entries.by_address[at] for at in one.addresses if at in entries.by_address), None)


def _endpoint(
    one: Found, published: PublishedEndpoint | Gap | None, entry: MapEndpoint | Gap | None, sides: Sides
) -> Row:
    address = ", ".join(one.addresses)
    if isinstance(published, Gap):
        kube = unseen()
    elif published is None:
        kube = absent("no CiliumEndpoint")
    else:
        number = "" if published.id is None else str(published.id)
        kube = held(f"{number} {published.state}".strip() or "published")
    said = f"{one.endpoint.id} {one.endpoint.state}" if one.endpoint else None
    agent = _told(sides.agent, said, "no endpoint")
    in_map = unseen()
    if not isinstance(entry, Gap):
        in_map = held("of the host" if entry.is_host else str(entry.id)) if entry else absent()
    cells = (kube, agent, in_map)
    verdict, note = _judge_endpoint(one, published, entry, cells)
    return Row(Text(f"endpoint of {address}" if address else "endpoint"), cells, verdict, Text(note))


def _judge_endpoint(
    one: Found,
    published: PublishedEndpoint | Gap | None,
    entry: MapEndpoint | Gap | None,
    cells: tuple[Cell, Cell, Cell],
) -> tuple[Verdict, str]:
    kube, agent, in_map = (cell.kind.value for cell in cells)
    if one.pod is not None and agent == "absent":
        return Verdict.MISSING, "in the agent"
    if one.endpoint is not None and one.pod is None and kube == "absent":
        return Verdict.EXTRA, "in the agent: no pod has it"
    if one.endpoint is not None and in_map == "absent" and needs_entry(one.endpoint):
        return Verdict.MISSING, "in the map"
    if one.endpoint is not None and kube == "absent" and needs_entry(one.endpoint):
        return Verdict.MISSING, "in Kubernetes: it is not published"
    if one.endpoint is not None and isinstance(entry, MapEndpoint) and entry.id != one.endpoint.id:
        return Verdict.DIFFERS, "the map leads to another endpoint"
    ids = (
        published.id if isinstance(published, PublishedEndpoint) else None,
        one.endpoint and one.endpoint.id,
    )
    if None not in ids and ids[0] != ids[1]:
        return Verdict.DIFFERS, "another endpoint is published"
    return _unless_unseen(cells)


def _identity(
    one: Found, published: PublishedEndpoint | Gap | None, entry: MapEndpoint | Gap | None, sides: Sides
) -> Row:
    of_kube = published.identity if isinstance(published, PublishedEndpoint) else None
    of_agent = one.endpoint.identity if one.endpoint else None
    of_map = entry.identity if isinstance(entry, MapEndpoint) else None
    kube = unseen() if isinstance(published, Gap) else _number(of_kube)
    in_map = _number(of_map) if of_map is not None else unseen() if isinstance(entry, Gap) else SILENT
    cells = (kube, _told(sides.agent, _said(of_agent), "none"), in_map)
    return Row(Text("identity"), cells, *_equal((of_kube, of_agent, of_map), cells))


def _device(endpoint: Endpoint, entry: MapEndpoint | Gap) -> Row:
    networking = endpoint.status.networking
    index = networking.interface_index if networking else None
    of_map = entry.interface_index if isinstance(entry, MapEndpoint) else None
    agent = (
        held(f"{index} {networking.interface_name}")
        if networking and index is not None
        else unseen("not told")
    )
    in_map = held(str(of_map)) if of_map is not None else unseen("not told")
    cells = (SILENT, agent, in_map)
    return Row(Text("device"), cells, *_equal((index, of_map or None), cells))


def _equal(values: tuple[int | None, ...], cells: tuple[Cell, Cell, Cell]) -> tuple[Verdict, Text]:
    if len({value for value in values if value is not None}) > 1:
        return Verdict.DIFFERS, Text("the sides name different ones")
    verdict, note = _unless_unseen(cells)
    return verdict, Text(note)


def _unless_unseen(cells: tuple[Cell, Cell, Cell]) -> tuple[Verdict, str]:
    names = ("Kubernetes", "the agent", "the map")
    missing = [name for name, cell in zip(names, cells, strict=True) if cell.kind.value == "unseen"]
    return (Verdict.UNSEEN, f"{' and '.join(missing)} not seen") if missing else (Verdict.AGREES, "")


def _told(fact: object, text: str | None, lacking: str) -> Cell:
    if isinstance(fact, Gap):
        return unseen()
    return held(text) if text else absent(lacking)


def _number(value: int | None) -> Cell:
    return absent("none") if value is None else held(str(value))


def _said(value: int | None) -> str | None:
    return None if value is None else str(value)
