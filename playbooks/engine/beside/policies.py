"""The policy map of one endpoint: what policies say, what the agent wants in it, what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from playbooks.engine.beside.endpoints import Found
from playbooks.engine.beside.peers import Directory
from playbooks.engine.beside.reading import Read, Reader, Reading
from playbooks.engine.beside.tables import Cell, Column, Row, Table, Verdict, absent, held, table, unseen
from playbooks.model.answer import Gap
from playbooks.model.bpf.policy import EndpointPolicyMap, PolicyEntry, PolicyKey, PolicyMaps
from playbooks.model.bpf.policy_lookup import CLUSTER, MESH, REMOTE_NODES, WORLD, look_up
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.identities import LOCAL
from playbooks.model.cilium.agent.map_state import AgentMapState
from playbooks.model.cilium.agent.recent_flows import POLICY_DENIED, POLICY_DENY, RefusedFlows
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.finding import Ref
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.text import Text
from playbooks.model.views.policy import decision_of, key_of, keys_of, verdict_of

WHAT = "policy map"
_PODS = 256
"""Identities from here on are not reserved."""
_ALL = (CLUSTER, MESH, WORLD, REMOTE_NODES)
_REFUSED = (POLICY_DENIED, POLICY_DENY)


@dataclass(frozen=True, slots=True)
class Sides:
    """The facts behind the table of a policy map."""

    policies: WrittenPolicies | Gap
    agent: AgentEndpoints | Gap
    wanted: AgentMapState | Gap
    selectors: AgentSelectors | Gap
    maps: PolicyMaps | Gap
    refused: RefusedFlows | Gap | None
    """Lately, on the same node; nothing where nobody asked."""
    directory: Directory


@dataclass(frozen=True, slots=True)
class _Agent:
    """What the agent wants in one map."""

    entries: Mapping[PolicyKey, str]
    is_exact: bool
    """Whether it told each entry; else it told rules, from which not all entries can be read."""


def policy_table(one: Found, sides: Sides) -> Table | None:
    """The table of an endpoint's policy map; none where no endpoint is known."""
    endpoint = one.endpoint
    if endpoint is None or not endpoint.namespace:
        return None
    agent = _wanted(endpoint, sides)
    told = sides.wanted if isinstance(sides.wanted, AgentMapState) else None
    of_agent = Column.of("agent", told) if told else Column.of("agent", sides.selectors, sides.agent)
    columns = (Column.of("Kubernetes", sides.policies), of_agent, Column.of("BPF map", sides.maps))
    held_map = None if isinstance(sides.maps, Gap) else sides.maps.by_endpoint.get(endpoint.id)
    rows = sorted(_rows(one, endpoint, sides, agent, held_map), key=_order)
    note = "" if held_map is not None or isinstance(sides.maps, Gap) else "there is no such map on the node"
    if agent is not None and not agent.is_exact:
        note = "this agent tells rules and whom they select, not each entry"
    subject = Ref("Endpoint", one.ref.name, one.ref.namespace)
    return table(
        subject, f"{WHAT} of endpoint {endpoint.id}", one.node, columns, (row for _, row in rows), note=note
    )


def _wanted(endpoint: Endpoint, sides: Sides) -> _Agent | None:
    if isinstance(sides.wanted, AgentMapState):
        state = sides.wanted.of(endpoint.id)
        keys = [(key_of(entry), entry) for entry in (state.entries if state else ())]
        exact = {key: decision_of(entry) for key, entry in keys if key}
        return _Agent(exact, is_exact=all(key is not None for key, _ in keys))
    if isinstance(sides.selectors, Gap) or endpoint.realized is None or endpoint.realized.l4 is None:
        return None
    policy, selected = endpoint.realized, {one.selector: one.identities for one in sides.selectors.items}
    found: dict[PolicyKey, str] = {}
    rules = (("ingress", endpoint.realized.l4.ingress), ("egress", endpoint.realized.l4.egress))
    for direction, listed in rules:
        for rule in listed or ():
            redirects = rule.port is not None and any(v.is_redirect for v in rule.port.selectors.values())
            found |= dict.fromkeys(keys_of(rule, direction, selected), "redirect" if redirects else "allow")
            found |= dict.fromkeys(keys_of(rule, direction, selected, deny=True), "deny")
    for direction, whom, what in (
        ("ingress", policy.allowed_ingress_identities, "allow"),
        ("egress", policy.allowed_egress_identities, "allow"),
        ("ingress", policy.denied_ingress_identities, "deny"),
        ("egress", policy.denied_egress_identities, "deny"),
    ):
        found |= {PolicyKey(direction, identity, 0, 0, 0): what for identity in whom or ()}
    return _Agent(found, is_exact=False)


def _rows(
    one: Found, endpoint: Endpoint, sides: Sides, agent: _Agent | None, held_map: EndpointPolicyMap | None
) -> Iterator[tuple[PolicyKey, Row]]:
    reader = Reader.of(one, endpoint, sides.policies, sides.directory)
    entries = {entry.key: entry for entry in held_map.entries} if held_map else {}
    known = {**(agent.entries if agent else {}), **entries}
    calls = dict(_calls(one, sides.refused))
    wanted = [key for key in {**dict.fromkeys(reader.wanted()), **calls} if key not in known]
    made = [
        PolicyEntry(one, said == "deny", 0, None) for one, said in (agent.entries if agent else {}).items()
    ]
    for key in known:
        yield (
            key,
            _row(key, reader, sides, agent, entries.get(key) or _other(key, agent, entries.values()), calls),
        )
    for key in wanted:
        # What another entry decides, an entry of its own would not change.
        if not _deciding(key, (*entries.values(), *made)):
            yield key, _row(key, reader, sides, agent, None, calls)


def _other(key: PolicyKey, agent: _Agent | None, entries: Iterable[PolicyEntry]) -> PolicyEntry | None:
    """The entry that decides where an agent told rules: it need not write one for each whom they select."""
    return None if agent is None or agent.is_exact else _deciding(key, tuple(entries))


def _deciding(key: PolicyKey, entries: tuple[PolicyEntry, ...]) -> PolicyEntry | None:
    """The entry that decides about the traffic of another."""
    stand_for = {key.identity, CLUSTER, MESH} if key.identity >= _PODS else {key.identity, *_ALL}
    if key.identity >= LOCAL:
        stand_for = {key.identity, WORLD}
    return look_up(EndpointPolicyMap(0, entries), key.direction, stand_for, key.protocol, key.port).entry


def _calls(one: Found, refused: RefusedFlows | Gap | None) -> Iterator[tuple[PolicyKey, int]]:
    """Traffic of the endpoint that policy refused lately, by attempts."""
    if refused is None or isinstance(refused, Gap):
        return
    name = (one.ref.namespace, one.ref.name)
    found: dict[PolicyKey, set[tuple[str, str, str, int, int]]] = {}
    ends = (("ingress", refused.by_destination), ("egress", refused.by_source))
    for direction, flows in ends:
        for flow in flows.get(name, ()):
            peer = flow.source if direction == "ingress" else flow.destination
            if (
                flow.direction == direction
                and flow.drop_reason in _REFUSED
                and peer.identity
                and flow.protocol
            ):
                protocol = {"TCP": 6, "UDP": 17, "SCTP": 132}[flow.protocol]
                key = PolicyKey(direction, peer.identity, protocol, flow.port, flow.port)
                found.setdefault(key, set()).add(flow.connection)
    yield from ((key, len(attempts)) for key, attempts in found.items())


def _row(
    key: PolicyKey,
    reader: Reader,
    sides: Sides,
    agent: _Agent | None,
    entry: PolicyEntry | None,
    calls: Mapping[PolicyKey, int],
) -> Row:
    peer, refused = sides.directory.named(key.identity, reader.namespace), calls.get(key, 0)
    name = f"{'in from' if key.direction == 'ingress' else 'out to '} {peer}  {key.ports}"
    read = reader.read(key)
    wants = agent.entries.get(key) if agent else None
    of_agent = _agent_cell(agent, wants)
    of_map = _map_cell(sides.maps, entry)
    if entry is not None and entry.key != key:
        whole = sides.directory.named(entry.key.identity, reader.namespace)
        of_map = held(f"{of_map.text.raw}, by {whole} {entry.key.ports}")
    verdict, note = _judge(read, agent, wants, sides.maps, entry)
    if refused and not verdict.is_wrong:
        note = f"refused lately, {refused} attempt{'s' if refused > 1 else ''}{f'; {note}' if note else ''}"
    return Row(Text(name), (read.cell, of_agent, of_map), verdict, Text(note))


def _agent_cell(agent: _Agent | None, wants: str | None) -> Cell:
    if agent is None:
        return unseen()
    if wants is None:
        return absent() if agent.is_exact else absent("no rule")
    return held(wants)


def _map_cell(maps: PolicyMaps | Gap, entry: PolicyEntry | None) -> Cell:
    if isinstance(maps, Gap):
        return unseen()
    if entry is None:
        return absent()
    packets = "" if entry.packets is None else f"  {entry.packets:,} packets"
    return held(f"{verdict_of(entry.is_deny, entry.proxy_port)}{packets}")


def _judge(
    read: Read, agent: _Agent | None, wants: str | None, maps: PolicyMaps | Gap, entry: PolicyEntry | None
) -> tuple[Verdict, str]:
    if agent is None or isinstance(maps, Gap):
        missing = [*(["the agent"] if agent is None else []), *(["the map"] if isinstance(maps, Gap) else [])]
        return Verdict.UNSEEN, f"{' and '.join(missing)} not seen"
    holds = verdict_of(entry.is_deny, entry.proxy_port) if entry else None
    if wants is None and holds is None:
        if read.reading is Reading.ADMITS:
            return Verdict.MISSING, "in the agent and in the map"
        return (Verdict.AGREES, "") if read.reading is Reading.REFUSES else (Verdict.UNSEEN, read.why)
    if holds is None:
        return Verdict.MISSING, "in the map"
    if wants is None:
        if not agent.is_exact:
            return Verdict.UNSEEN, "the agent does not tell whether it wants this"
        return Verdict.EXTRA, "in the map"
    is_same = holds == wants or (wants == "redirect" and holds.startswith("redirect"))
    if not is_same and not agent.is_exact:
        return Verdict.UNSEEN, "another entry decides; the agent does not tell which it wants"
    if not is_same:
        return Verdict.DIFFERS, "the map does not do what the agent wants"
    return _against_policies(read, is_deny=holds == "deny")


def _against_policies(read: Read, *, is_deny: bool) -> tuple[Verdict, str]:
    match read.reading:
        case Reading.UNKNOWN:
            return Verdict.UNSEEN, read.why
        case Reading.ADMITS if is_deny:
            return Verdict.DIFFERS, "the policies as written admit it"
        case Reading.REFUSES if not is_deny:
            return Verdict.DIFFERS, "the policies as written do not admit it"
    return Verdict.AGREES, ""


def _order(pair: tuple[PolicyKey, Row]) -> tuple[bool, bool, bool, int, int]:
    """What is wrong first, then what was refused, ingress before egress, single ports before all."""
    key, row = pair
    is_egress = key.direction == "egress"
    return (
        not row.verdict.is_wrong,
        not row.note.raw.startswith("refused"),
        is_egress,
        -key.port,
        key.identity,
    )
