"""The addresses of one node: its pods, whom the agent gave them to, where the endpoint map leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

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
from playbooks.model.cilium.address_pools import owners_of
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.finding import Ref
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.text import Text
from playbooks.model.views.endpoints import needs_entry

WHAT = "addresses"


@dataclass(frozen=True, slots=True)
class Sides:
    """The facts behind the table of a node."""

    pods: Pods | Gap
    agent: AgentEndpoints | Gap
    status: AgentStatus | Gap
    entries: EndpointMap | Gap


@dataclass(frozen=True, slots=True)
class _Address:
    address: str
    pod: Pod | None
    endpoint: Endpoint | None
    owner: str
    entry: MapEndpoint | None


def address_table(node: str, sides: Sides) -> Table | None:
    """The table of a node's addresses, those that do not agree first."""
    columns = (
        Column.of("Kubernetes", sides.pods),
        Column.of("agent", sides.agent, sides.status),
        Column.of("BPF map", sides.entries),
    )
    rows = sorted(
        (_row(one, sides) for one in _addresses(node, sides)), key=lambda row: not row.verdict.is_wrong
    )
    return table(Ref("Node", node, node=node), WHAT, node, columns, rows)


def _addresses(node: str, sides: Sides) -> Iterator[_Address]:
    pods: dict[str, Pod] = {}
    names: dict[tuple[str, str], Pod] = {}
    for pod in () if isinstance(sides.pods, Gap) else sides.pods.items:
        if pod.spec.node_name != node or pod.spec.host_network:
            continue
        names[pod.metadata.namespace, pod.metadata.name] = pod
        address = pod.status.pod_ip
        # The address of a pod that has ended may be another's by now.
        if address and (address not in pods or not pod.is_going):
            pods[address] = pod
    endpoints: dict[str, Endpoint] = {}
    for one in () if isinstance(sides.agent, Gap) else sides.agent.items:
        endpoints |= dict.fromkeys(one.addresses, one)
    owners = {} if isinstance(sides.status, Gap) else owners_of(sides.status)
    entries = {} if isinstance(sides.entries, Gap) else sides.entries.by_address
    mine = {at for at, entry in entries.items() if not entry.is_host}
    for address in sorted({*pods, *endpoints, *owners, *mine}, key=_order):
        owner = owners.get(address)
        whose = pods.get(address) or (names.get(owner) if owner else None)
        said = "/".join(owner) if owner else ""
        yield _Address(address, whose, endpoints.get(address), said, entries.get(address))


def _row(one: _Address, sides: Sides) -> Row:
    endpoint, entry = one.endpoint, one.entry
    is_own = endpoint is not None and not endpoint.namespace
    kube = held(str(one.pod.ref).removeprefix("Pod ")) if one.pod else absent("no pod")
    if is_own and one.pod is None:
        kube = SILENT
    if isinstance(sides.pods, Gap):
        kube = unseen()
    agent = _agent(one, sides)
    in_map = held(f"endpoint {entry.id}" if not entry.is_host else "the host") if entry else absent()
    if isinstance(sides.entries, Gap):
        in_map = unseen()
    verdict, note = _judge(one, sides, is_own=is_own)
    return Row(Text(one.address), (kube, agent, in_map), verdict, Text(note))


def _agent(one: _Address, sides: Sides) -> Cell:
    if one.endpoint is not None:
        return held(f"endpoint {one.endpoint.id} {one.endpoint.state}".strip())
    if one.owner:
        return held(f"given to {one.owner}, no endpoint")
    return unseen() if isinstance(sides.agent, Gap) else absent("no endpoint")


def _judge(one: _Address, sides: Sides, *, is_own: bool) -> tuple[Verdict, str]:
    has_pods, has_agent = not isinstance(sides.pods, Gap), not isinstance(sides.agent, Gap)
    if has_pods and one.pod is None and not is_own:
        if one.endpoint is None and one.owner:
            return Verdict.EXTRA, "in the agent: kept for a pod that is gone"
        if one.endpoint is not None:
            return Verdict.EXTRA, "in the agent: no pod has the address"
    is_up = one.pod is not None and not one.pod.is_going and bool(one.pod.status.pod_ip)
    if has_agent and is_up and one.endpoint is None:
        return Verdict.MISSING, "in the agent"
    if has_agent and not isinstance(sides.entries, Gap):
        if one.endpoint is not None and one.entry is None and needs_entry(one.endpoint):
            return Verdict.MISSING, "in the map"
        if one.endpoint is None and one.entry is not None:
            return Verdict.EXTRA, "in the map"
        if one.endpoint and one.entry and not one.entry.is_host and one.entry.id != one.endpoint.id:
            return Verdict.DIFFERS, "the map leads to another endpoint"
    named = {"Kubernetes": sides.pods, "the agent": sides.agent, "the map": sides.entries}
    missing = [name for name, side in named.items() if isinstance(side, Gap)]
    return (Verdict.UNSEEN, f"{' and '.join(missing)} not seen") if missing else (Verdict.AGREES, "")


def _order(address: str) -> tuple[int, int, str]:
    try:
        known = ip_address(address)
    except ValueError:
        return 9, 0, address
    return known.version, int(known), ""
