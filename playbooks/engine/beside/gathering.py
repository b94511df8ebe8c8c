"""Which tables belong to a finding, and the facts that they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from playbooks.engine.beside import addresses, endpoints, ipcache, policies, services
from playbooks.engine.beside.logs import LogLines, lines_naming
from playbooks.engine.beside.peers import Directory
from playbooks.engine.beside.sight import Sight
from playbooks.engine.beside.tables import Table, folded
from playbooks.model.answer import Gap
from playbooks.model.bpf.endpoints import EndpointMap
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.bpf.load_balancing import ServiceMap
from playbooks.model.bpf.policy import PolicyMaps
from playbooks.model.cilium.agent.addresses import AgentAddresses
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.identities import AgentIdentities
from playbooks.model.cilium.agent.map_state import AgentMapState
from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.cilium.agent.services import AgentServices
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.identities import CiliumIdentities
from playbooks.model.cilium.logs_agent import AgentLog
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.finding import Finding, Ref
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies

MOST_SUBJECTS = 3
"""Subjects of a finding that get tables."""
MOST_TABLES = 4
"""Tables of one subject: nodes that differ in the same way share one."""
_MOST_COMPARED = 50_000
"""Rows of one service over all nodes that are compared."""
_MOST_PODS = 20
"""Pods of a policy that are looked at, for those with the most to say."""
_PODS = ("Pod", "Endpoint", "CiliumEndpoint")
_POLICIES = ("NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a finding."""

    tables: tuple[Table, ...] = ()
    """Its tables, those with something wrong first."""
    logs: tuple[LogLines, ...] = ()
    """Lines of logs that name its subjects."""


async def beside(sight: Sight, finding: Finding, playbook: str) -> Beside:
    """The tables and log lines of a finding; nothing where its subjects have none."""
    tables: list[Table] = []
    logs: list[LogLines] = []
    wanted = [ref for ref in finding.subjects if _has_tables(ref, playbook)]
    for ref in wanted[:MOST_SUBJECTS]:
        # Between subjects others have their turn.
        await asyncio.sleep(0)
        found = await _of(sight, ref, finding, playbook)
        left = len(found.tables) - MOST_TABLES
        tables += _noted(
            found.tables[:MOST_TABLES], f"{left} more such tables are not shown" if left > 0 else ""
        )
        logs += found.logs
    left = len(wanted) - MOST_SUBJECTS
    return Beside(_noted(tables, f"{left} more subjects have tables too" if left > 0 else ""), tuple(logs))


def _noted(tables: Sequence[Table], note: str) -> tuple[Table, ...]:
    """Tables with a note at the last one."""
    if not tables or not note:
        return tuple(tables)
    last = tables[-1]
    return (*tables[:-1], replace(last, note=f"{last.note}; {note}" if last.note else note))


def _has_tables(ref: Ref, playbook: str) -> bool:
    return ref.kind in ("Service", *_PODS, *_POLICIES) or (ref.kind == "Node" and playbook == "endpoint")


async def _of(sight: Sight, ref: Ref, finding: Finding, playbook: str) -> Beside:
    if ref.kind == "Service":
        return await _service(sight, ref, tuple(one.node for one in finding.subjects if one.node))
    if ref.kind == "Node":
        return await _node(sight, ref.name)
    if ref.kind in _POLICIES:
        return await _policy(sight, ref)
    return await _pod(sight, ref, playbook)


async def _service(sight: Sight, ref: Ref, first: tuple[str, ...]) -> Beside:
    kube = services.only(ref, await sight.of(Services), await sight.of(EndpointSlices))
    tables: list[Table] = []
    logs: list[LogLines] = []
    nodes, rows = await sight.nodes(ServiceMap, first), 0
    for at, node in enumerate(nodes):
        await asyncio.sleep(0)
        if rows > _MOST_COMPARED:
            note = f"{len(nodes) - at} more nodes were not compared"
            tables = [replace(one, note=note) for one in tables]
            break
        sides = services.Sides(*kube, await sight.of(AgentServices, node), await sight.of(ServiceMap, node))
        table = services.service_table(ref, node, sides)
        tables += [table] if table else []
        rows += table.total if table else 0
        if node in first:
            logs += _lines(sight, ref, (f"{ref.namespace}/{ref.name}",), node)
    return Beside(folded(tables), tuple(logs))


async def _pod(sight: Sight, ref: Ref, playbook: str) -> Beside:
    pods = await sight.of(Pods)
    pod = endpoints.pod_of(ref, pods)
    node = (pod.spec.node_name if pod else "") or ref.node
    if not node or (pod is not None and pod.spec.host_network):
        return Beside()
    agent = await sight.of(AgentEndpoints, node)
    one = endpoints.found(ref, node, pods, agent)
    sides = endpoints.Sides(
        pods,
        await sight.of(ClusterEndpoints),
        agent,
        await sight.of(EndpointMap, node),
    )
    of_endpoint = endpoints.endpoint_table(one, sides)
    of_policy = await _policy_map(sight, one, agent)
    of_address = ipcache.pod_table(
        one, sides.published, list(_vantages(sight, sight.look.nodes_of(IpcacheMap)))
    )
    if playbook == "policy":
        tables: Sequence[Table | None] = (of_policy, of_endpoint, of_address)
    else:
        # Its policy is beside the point, unless it is wrong too.
        tables = (of_endpoint, of_address, of_policy if of_policy and of_policy.wrong else None)
    number = f"endpointID={one.endpoint.id} " if one.endpoint else ""
    logs = _lines(sight, one.ref, (*((ref.name,) if ref.namespace else ()), number), node)
    shown = sorted((table for table in tables if table), key=lambda table: not table.wrong)
    return Beside(tuple(shown), tuple(logs))


def _vantages(sight: Sight, nodes: Iterable[str]) -> Iterator[ipcache.Vantage]:
    """Nodes of which somebody asked for both sides already: these dumps can be large."""
    for node in nodes:
        known, entries = sight.known(AgentAddresses, node), sight.known(IpcacheMap, node)
        if known is not None and entries is not None:
            yield ipcache.Vantage(node, known, entries)


async def _policy_map(sight: Sight, one: endpoints.Found, agent: AgentEndpoints | Gap) -> Table | None:
    node = one.node
    identities, published = sight.known(AgentIdentities, node), sight.known(CiliumIdentities)
    if published is None:
        published = await sight.of(CiliumIdentities)
    sides = policies.Sides(
        await sight.of(WrittenPolicies),
        agent,
        await sight.of(AgentMapState, node),
        await sight.of(AgentSelectors, node),
        await sight.of(PolicyMaps, node),
        sight.known(RefusedFlows, node),
        Directory.of(agent, identities, published),
    )
    return policies.policy_table(one, sides)


async def _policy(sight: Sight, ref: Ref) -> Beside:
    written, labelled = await sight.of(WrittenPolicies), await sight.of(LabelledPods)
    if isinstance(written, Gap) or isinstance(labelled, Gap):
        return Beside()
    name = (ref.kind, ref.namespace, ref.name)
    rules = [one for one in written.items if (one.policy.kind, one.policy.namespace, one.policy.name) == name]
    chosen = {id(pod.pod): pod.pod for one in rules for pod in labelled.selected_by(one)}
    pods = await sight.of(Pods)
    nodes = await sight.nodes(PolicyMaps, tuple(pod.spec.node_name for pod in chosen.values()))
    tables: list[Table] = []
    for pod in [one for one in chosen.values() if one.spec.node_name in nodes][:_MOST_PODS]:
        node = pod.spec.node_name
        await asyncio.sleep(0)
        agent = await sight.of(AgentEndpoints, node)
        table = await _policy_map(sight, endpoints.found(pod.ref, node, pods, agent), agent)
        tables += [table] if table else []
    tables.sort(key=lambda one: (-one.wrong, -sum(row.note.raw.startswith("refused") for row in one.rows)))
    shown = tables[:MOST_SUBJECTS]
    is_cut = len(chosen) > len(shown)
    return Beside(_noted(shown, f"it selects {len(chosen)} pods; {len(shown)} are shown" if is_cut else ""))


async def _node(sight: Sight, node: str) -> Beside:
    sides = addresses.Sides(
        await sight.of(Pods),
        await sight.of(AgentEndpoints, node),
        await sight.of(AgentStatus, node),
        await sight.of(EndpointMap, node),
    )
    tables = [addresses.address_table(node, sides)]
    for vantage in _vantages(sight, (node,)):
        of_all = ipcache.node_table(sides.pods, await sight.of(ClusterEndpoints), vantage)
        # Hundreds of rows about other nodes' pods are worth a look only when some are wrong.
        tables += [of_all if of_all and of_all.wrong else None]
    return Beside(tuple(sorted((one for one in tables if one), key=lambda one: not one.wrong)))


def _lines(sight: Sight, ref: Ref, words: tuple[str, ...], node: str) -> Iterator[LogLines]:
    log = sight.known(AgentLog, node)
    if isinstance(log, AgentLog):
        found = lines_naming(ref, words, node, log)
        if found:
            yield found
