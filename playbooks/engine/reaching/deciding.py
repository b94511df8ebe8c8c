"""Decides one end of a connection: by the policy map, compared with the policies as written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playbooks.engine.reaching.requests import Asked as Request
from playbooks.engine.reaching.requests import Requests, requests_at, requests_written
from playbooks.engine.reaching.vantage import Vantage
from playbooks.engine.reaching.verdicts import Missing, Said, Side
from playbooks.model.answer import Gap
from playbooks.model.bpf.dumps import PROTOCOLS
from playbooks.model.bpf.policy import PolicyEntry
from playbooks.model.bpf.policy_lookup import CLUSTER, MESH, REMOTE_NODES, WORLD, Lookup, MapVerdict, look_up
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.policies.deciding import Asked, Decided, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction

_AUDITED = "and audit mode only writes that down"


@dataclass(frozen=True, slots=True)
class Question:
    """One end of a connection."""

    direction: Direction
    """Egress at the source, ingress at the destination."""
    endpoint: str
    """Whose policy decides, in words."""
    address: str
    """Its address."""
    peer_address: str
    """The other end's address."""
    peer_identity: int | None
    """The other end's identity, where it is known without this node."""
    port: int
    """Of the destination."""
    protocol: str
    """`TCP` …"""
    request: Request | None = None
    """What is asked above layer 4, if anything."""
    names: tuple[str, ...] = ()
    """DNS names of the peer."""
    is_pod: bool = False
    """Whether the other end is a pod of the cluster."""
    port_names: tuple[str, ...] = ()
    """What the destination pod calls the port."""


def judge(question: Question, vantage: Vantage, policies: WrittenPolicies | Gap) -> Side:
    """The verdict of one end."""
    endpoint = vantage.endpoint(question.address)
    if endpoint is None:
        return _cannot(question, vantage, _missing_endpoint(question, vantage))
    if isinstance(vantage.maps, Gap):
        return _cannot(question, vantage, f"its policy map cannot be read: {vantage.maps.detail}")
    held = vantage.map_of(endpoint)
    if held is None:
        return _cannot(question, vantage, f"endpoint {endpoint.id} has no policy map")
    identity = _identity(question, vantage)
    if identity is None:
        return _cannot(
            question, vantage, f"the identity of {question.peer_address or 'the peer'} is not known there"
        )
    labels = vantage.labels_of(identity)
    found = look_up(
        held,
        str(question.direction),
        {identity, *_stand_for(identity, labels)},
        PROTOCOLS.get(question.protocol, 0),
        question.port,
    )
    decided = _by_reading(question, endpoint, labels, policies)
    return _side(_Found(question, vantage, endpoint, identity, labels, found, decided))


@dataclass(frozen=True, slots=True)
class _Found:
    question: Question
    vantage: Vantage
    endpoint: Endpoint
    identity: int
    labels: Labels | None
    lookup: Lookup
    decided: Decided | None


def _side(found: _Found) -> Side:
    question, vantage, entry = found.question, found.vantage, found.lookup.entry
    said, why, requests = _verdict(found)
    evidence = (
        [vantage.maps.evidence(_shown(found.endpoint, entry))] if not isinstance(vantage.maps, Gap) else []
    )
    if not isinstance(vantage.ipcache, Gap) and question.peer_address:
        evidence.append(vantage.ipcache.evidence(f"{question.peer_address} has identity {found.identity}"))
    decided = found.decided
    is_refused = said is Said.NOT_ADMITTED and found.lookup.verdict is MapVerdict.REDIRECT
    refused = question.request if is_refused else None
    return Side(
        question.direction,
        question.endpoint,
        vantage.node,
        _peer(found.identity, found.labels),
        said,
        why,
        tuple(evidence),
        _origins(found) or _named(decided),
        decided.rules if decided else (),
        decided.default_deny if decided else (),
        requests.said if requests else (),
        (*_doubts(found), *(_refusal_doubts(found) if refused else ())),
        _missing(found, is_request=refused is not None) if said is Said.NOT_ADMITTED else None,
        refused,
    )


def _missing(found: _Found, *, is_request: bool) -> Missing | None:
    """Whom a rule would have to admit; nothing where a rule does, and only map or proxy lack it."""
    decided = found.decided
    if found.labels is None or decided is None:
        return None
    if is_request:
        written = _written(found)
        if written is None or written.lets(found.question.request or Request()) is not False:
            return None
    elif found.lookup.verdict is not MapVerdict.NO_ENTRY or decided.decision is not Decision.NOT_ADMITTED:
        return None
    peer = Peer(found.labels, found.question.peer_address, found.question.names)
    return Missing(Labels(found.endpoint.labels), peer)


def _written(found: _Found) -> Requests | None:
    """Which requests pass by the policies as written; nothing where they do not tell."""
    decided, question = found.decided, found.question
    if decided is None or decided.decision is not Decision.ADMITTED:
        return None
    return requests_written(decided.rules, question.port, question.protocol, question.port_names)


def _refusal_doubts(found: _Found) -> Iterator[str]:
    """Where rules as written do not say what the proxy does with a request that it refuses."""
    written = _written(found)
    lets = written.lets(found.question.request or Request()) if written else None
    if lets:
        yield "the policies as written let this request pass, the proxy does not: it may be out of step"
    elif written and lets is None and not (written.http or written.dns):
        yield "no rule as written lists requests there; one that did would refuse all others: none is drafted"


def _verdict(found: _Found) -> tuple[Said, str, Requests | None]:
    question, entry = found.question, found.lookup.entry
    towards = f"{question.direction} {question.direction.towards}"
    where = f"{towards} identity {found.identity} at {question.port or 'any port'}"
    realized = found.endpoint.realized
    is_audit = bool(realized and realized.is_audit)
    match found.lookup.verdict:
        case MapVerdict.NO_ENTRY:
            if is_audit:
                return Said.ADMITTED, f"no entry admits it, {_AUDITED}", None
            return Said.NOT_ADMITTED, f"no entry of the policy map matches {where}/{question.protocol}", None
        case MapVerdict.DENY:
            if is_audit:
                return Said.ADMITTED, f"an entry refuses it, {_AUDITED}", None
            return Said.DENIED, f"the policy map refuses {entry.key.said if entry else where}", None
        case MapVerdict.ALLOW:
            return Said.ADMITTED, f"the policy map allows {entry.key.said if entry else where}", None
    return _by_proxy(found, entry)


def _by_proxy(found: _Found, entry: PolicyEntry | None) -> tuple[Said, str, Requests | None]:
    port = entry.proxy_port if entry else 0
    requests = _requests(found)
    asked = found.question.request
    if requests is None:
        return (
            Said.CANNOT_TELL,
            f"a proxy at port {port} decides by request, and its rules are not known",
            None,
        )
    if asked is None:
        return Said.ADMITTED, f"a proxy at port {port} lets some requests pass", requests
    lets = requests.lets(asked)
    if lets is None:
        return (
            Said.CANNOT_TELL,
            f"a proxy at port {port} decides, by rules that cannot be judged here",
            requests,
        )
    if lets:
        return Said.ADMITTED, f"a proxy at port {port} lets this request pass", requests
    what = "lookup pass" if asked.dns else "request pass: it answers 403"
    return Said.NOT_ADMITTED, f"a proxy at port {port} lets no such {what}", requests


def _requests(found: _Found) -> Requests | None:
    realized, selectors = found.endpoint.realized, found.vantage.selectors
    if not realized or not realized.l4 or isinstance(selectors, Gap):
        return None
    rules = realized.l4.ingress if found.question.direction is Direction.INGRESS else realized.l4.egress
    ports = [rule.port for rule in rules or ()]
    fitting = [
        port
        for port in ports
        if port
        and port.protocol in ("ANY", found.question.protocol)
        and (not port.port or port.port <= found.question.port <= (port.end_port or port.port))
    ]
    selected: Mapping[str, bool] = {one.selector: found.identity in one.identities for one in selectors.items}
    return requests_at(fitting, selected)


def _by_reading(
    question: Question, endpoint: Endpoint, peer: Labels | None, policies: WrittenPolicies | Gap
) -> Decided | None:
    if isinstance(policies, Gap) or peer is None:
        return None
    other = Peer(peer, question.peer_address, question.names)
    labels, names = Labels(endpoint.labels), question.port_names
    asked = Asked(labels, question.direction, other, question.port, question.protocol, names)
    return decide(tuple(policies.selecting(asked.labels)), asked)


def _identity(question: Question, vantage: Vantage) -> int | None:
    if question.peer_address:
        known = vantage.identity_of(question.peer_address)
        if known is not None:
            return known
    return question.peer_identity


def _stand_for(identity: int, labels: Labels | None) -> tuple[int, ...]:
    """Identities that stand for the peer in maps of newer agents."""
    reserved = labels.reserved if labels else frozenset()
    if "remote-node" in reserved:
        return (REMOTE_NODES,)
    if any(name.startswith("world") for name in reserved) or (labels and labels.cidrs):
        return (WORLD,)
    return (CLUSTER, MESH) if identity >= 256 and labels and labels.namespace else ()


def _origins(found: _Found) -> tuple[str, ...]:
    wanted, entry = found.vantage.wanted, found.lookup.entry
    if isinstance(wanted, Gap) or entry is None:
        return ()
    of_endpoint = wanted.of(found.endpoint.id)
    for one in of_endpoint.entries if of_endpoint else ():
        is_same = one.direction.lower() == entry.key.direction and one.identity == entry.key.identity
        if is_same and _port(one.port) == (entry.key.protocol, entry.key.port):
            return one.origins
    return ()


def _port(text: str) -> tuple[int, int]:
    protocol, _, port = text.partition("/")
    first = port.partition("-")[0]
    return PROTOCOLS.get(protocol, 0), int(first) if first.isdecimal() else 0


def _named(decided: Decided | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{rule.policy} {rule.place}" for rule in decided.rules)) if decided else ()


def _doubts(found: _Found) -> list[str]:
    """Where this node's view of the peer, its map and the policies as written do not agree."""
    if found.question.is_pod and found.labels is not None and not found.labels.namespace:
        taken = _peer(found.identity, found.labels)
        return [f"{found.vantage.node} takes the pod's address {found.question.peer_address} for {taken}"]
    decided = found.decided
    if decided is None or decided.decision is Decision.UNKNOWN:
        return []
    by_map = found.lookup.verdict in (MapVerdict.ALLOW, MapVerdict.REDIRECT)
    by_text = decided.decision in (Decision.FREE, Decision.ADMITTED)
    is_local_host = found.identity == 1 and found.question.direction is Direction.INGRESS
    if by_map == by_text or (is_local_host and by_map):
        return []
    if by_text:
        return ["the policies as written admit it, the policy map does not: it may be out of step"]
    return ["the policy map admits it, the policies as written do not: it may be out of step"]


def _missing_endpoint(question: Question, vantage: Vantage) -> str:
    if isinstance(vantage.endpoints, Gap):
        return f"the agent of {vantage.node} cannot be asked: {vantage.endpoints.detail}"
    return f"the agent of {vantage.node} has no endpoint with address {question.address}"


def _cannot(question: Question, vantage: Vantage, why: str) -> Side:
    return Side(question.direction, question.endpoint, vantage.node, "", Said.CANNOT_TELL, why)


def _peer(identity: int, labels: Labels | None) -> str:
    if labels is None:
        return f"identity {identity}"
    telling = [one for one in labels.written if ":io." not in one and not one.startswith("gen:")]
    return f"identity {identity} ({', '.join(telling[:3])})" if telling else f"identity {identity}"


def _shown(endpoint: Endpoint, entry: PolicyEntry | None) -> str:
    if entry is None:
        return f"endpoint {endpoint.id}: no entry matches"
    decision = "deny" if entry.is_deny else f"redirect to {entry.proxy_port}" if entry.proxy_port else "allow"
    packets = f", {entry.packets} packets" if entry.packets is not None else ""
    return f"endpoint {endpoint.id}: {decision} {entry.key.said}{packets}"
