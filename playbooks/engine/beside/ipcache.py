"""Identities of addresses: what Kubernetes published, what agents know, what the ipcache maps hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playbooks.engine.beside.endpoints import Found
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
from playbooks.model.bpf.ipcache import IpcacheMap, MapAddress
from playbooks.model.cilium.agent.addresses import AgentAddresses, KnownAddress
from playbooks.model.cilium.ceps import ClusterEndpoints, PublishedEndpoint
from playbooks.model.finding import Ref
from playbooks.model.kube.pods import Pods
from playbooks.model.text import Text
from playbooks.model.views.ipcache import WORLD

WHAT = "ipcache"


@dataclass(frozen=True, slots=True)
class Vantage:
    """One node, as it knows addresses."""

    node: str
    """The node."""
    agent: AgentAddresses | Gap
    """What its agent knows."""
    entries: IpcacheMap | Gap
    """What its map holds."""


def pod_table(one: Found, published: ClusterEndpoints | Gap, vantages: Sequence[Vantage]) -> Table | None:
    """A pod's addresses as every node knows them, nodes that do not agree first."""
    if not vantages or not one.addresses:
        return None
    kube = _published(published, one.ref)
    rows = [
        (_row(f"{address} on {each.node}", _cidr(address), kube, each), each)
        for each in vantages
        for address in one.addresses
    ]
    rows.sort(key=lambda pair: not pair[0].verdict.is_wrong)
    first = rows[0][1]
    columns = _columns(published, first)
    subject = Ref("Pod", one.ref.name, one.ref.namespace)
    note = f"the commands are those of {first.node}" if len(vantages) > 1 else ""
    return table(subject, WHAT, "", columns, (row for row, _ in rows), note=note)


def node_table(pods: Pods | Gap, published: ClusterEndpoints | Gap, vantage: Vantage) -> Table | None:
    """All addresses that a node knows, those that do not agree first."""
    known = {} if isinstance(vantage.agent, Gap) else vantage.agent.by_cidr
    entries = {} if isinstance(vantage.entries, Gap) else vantage.entries.by_cidr
    kube = dict(_of_pods(pods, published))
    silent = unseen() if isinstance(published, Gap) else SILENT
    rows = [
        _row(cidr, cidr, kube.get(cidr, (silent, None)), vantage)
        for cidr in dict.fromkeys((*known, *entries))
    ]
    rows.sort(key=lambda row: not row.verdict.is_wrong)
    node = vantage.node
    return table(Ref("Node", node, node=node), WHAT, node, _columns(published, vantage), rows)


def _columns(published: ClusterEndpoints | Gap, vantage: Vantage) -> tuple[Column, Column, Column]:
    return (
        Column.of("Kubernetes", published),
        Column.of("agent", vantage.agent),
        Column.of("BPF map", vantage.entries),
    )


def _of_pods(
    pods: Pods | Gap, published: ClusterEndpoints | Gap
) -> Iterator[tuple[str, tuple[Cell, int | None]]]:
    if isinstance(pods, Gap) or isinstance(published, Gap):
        return
    by_name = {(one.namespace, one.name): one for one in published.items}
    for pod in pods.items:
        if pod.status.pod_ip and not pod.spec.host_network and not pod.is_going:
            name = (pod.metadata.namespace, pod.metadata.name)
            cell, identity = _told(by_name.get(name))
            yield (
                _cidr(pod.status.pod_ip),
                (Cell(Text(f"{cell.text.raw} {'/'.join(name)}"), cell.kind), identity),
            )


def _published(published: ClusterEndpoints | Gap, ref: Ref) -> tuple[Cell, int | None]:
    if isinstance(published, Gap):
        return unseen(), None
    name = (ref.namespace, ref.name)
    return _told(next((one for one in published.items if (one.namespace, one.name) == name), None))


def _told(one: PublishedEndpoint | None) -> tuple[Cell, int | None]:
    if one is None:
        return absent("no CiliumEndpoint"), None
    return held("none" if one.identity is None else str(one.identity)), one.identity


def _row(name: str, cidr: str, kube: tuple[Cell, int | None], vantage: Vantage) -> Row:
    known = None if isinstance(vantage.agent, Gap) else vantage.agent.by_cidr.get(cidr)
    entry = None if isinstance(vantage.entries, Gap) else vantage.entries.by_cidr.get(cidr)
    agent = unseen() if isinstance(vantage.agent, Gap) else _known(known)
    in_map = unseen() if isinstance(vantage.entries, Gap) else _held(entry)
    cells = (kube[0], agent, in_map)
    verdict, note = _judge(cidr, kube[1], known, entry, cells)
    return Row(Text(name), cells, verdict, Text(note))


def _known(known: KnownAddress | None) -> Cell:
    if known is None:
        return absent("not known")
    at = f" at {known.host_ip}" if known.host_ip else ""
    return held(f"{'labels' if known.identity is None else known.identity}{at}")


def _held(entry: MapAddress | None) -> Cell:
    if entry is None:
        return absent()
    return held(f"{entry.identity}{f' via {entry.tunnel}' if entry.tunnel else ''}")


def _judge(
    cidr: str,
    wanted: int | None,
    known: KnownAddress | None,
    entry: MapAddress | None,
    cells: tuple[Cell, Cell, Cell],
) -> tuple[Verdict, str]:
    names = ("Kubernetes", "the agent", "the map")
    missing = [name for name, cell in zip(names, cells, strict=True) if cell == unseen()]
    if "the agent" in missing or "the map" in missing:
        return Verdict.UNSEEN, f"{' and '.join(missing)} not seen"
    if known is None and entry is None:
        if wanted is not None:
            return Verdict.MISSING, "in the agent and in the map: the node takes it for the world"
        return Verdict.AGREES, "the node takes it for the world"
    if entry is None and cidr not in WORLD:
        return Verdict.MISSING, "in the map: the node takes it for the world"
    if known is None and cidr not in WORLD:
        return Verdict.EXTRA, "in the map"
    if known and entry and known.identity not in (None, entry.identity):
        return Verdict.DIFFERS, "the map has another identity than the agent"
    if known and wanted is not None and known.identity not in (None, wanted):
        return Verdict.DIFFERS, "another identity is published"
    return (Verdict.UNSEEN, "Kubernetes not seen") if missing else (Verdict.AGREES, "")


def _cidr(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"
