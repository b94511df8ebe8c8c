"""Decides one end of a connection: by the policy map, compared with the policies as written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from playbooks.engine.reaching.doubting import out_of_step, unrealized
from playbooks.engine.reaching.requests import Asked as Request
from playbooks.engine.reaching.requests import Requests, requests_at, requests_written
from playbooks.engine.reaching.vantage import ENTITIES, Vantage
from playbooks.engine.reaching.verdicts import Missing, Said, Side
from playbooks.model.answer import Gap
from playbooks.model.bpf.dumps import PROTOCOLS
from playbooks.model.bpf.policy import EndpointPolicyMap, PolicyEntry
from playbooks.model.bpf.policy_lookup import (
    CLUSTER,
    MESH,
    REMOTE_NODES,
    WORLD,
    Lookup,
    MapVerdict,
    differing_ports,
    look_up,
)
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.realized import PortPolicy
from playbooks.model.policies.deciding import Asked, Decided, Decision, decide
from playbooks.model.policies.labels import CLUSTER as OF_CLUSTER
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction

_LEAST_AGGREGATED = 100
"""Identities below mean one thing each, and nothing stands for them."""
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
    peer_entity: str
    """The entity that the other end is; empty for one with an address."""
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
    may_be_node: bool = False
    """Whether a node may have put its own address before the other end's."""


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
    identities = _identities(question, vantage)
    if not identities:
        return _cannot(question, vantage, _unknown_peer(question, vantage))
    sides = [_as(identity, question, vantage, endpoint, held, policies) for identity in identities]
    if len({side.said for side in sides}) == 1:
        return sides[0]
    told = "; ".join(f"as {side.peer} it is {side.said}" for side in sides[:3])
    why = f"it depends on how the peer comes: {told}"
    return replace(sides[0], said=Said.CANNOT_TELL, why=why, missing=None, refused=None)


def _as(
    identity: int,
    question: Question,
    vantage: Vantage,
    endpoint: Endpoint,
    held: EndpointPolicyMap,
    policies: WrittenPolicies | Gap,
) -> Side:
    """The verdict if the peer has this identity."""
    labels = vantage.labels_of(identity)
    many = {identity, *_stand_for(identity, labels, endpoint)}
    protocol = PROTOCOLS.get(question.protocol, 0)
    found = look_up(held, str(question.direction), many, protocol, question.port)
    decided = _by_reading(question, endpoint, labels, policies)
    side = _side(_Found(question, vantage, endpoint, identity, labels, found, decided))
    if question.port:
        return side
    others = differing_ports(held, str(question.direction), many, protocol)
    if not others or side.said is Said.DENIED:
        return side
    ports = ", ".join(dict.fromkeys(one.key.ports for one in others[:3]))
    why = f"it depends on the port, and none was named: {ports} is decided otherwise than others"
    return replace(side, said=Said.CANNOT_TELL, why=why, missing=None)


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
            said, why, requests = (
                Said.ADMITTED,
                f"the policy map allows {entry.key.said if entry else where}",
                None,
            )
        case MapVerdict.REDIRECT:
            said, why, requests = _by_proxy(found, entry)
    if said is Said.ADMITTED and entry and entry.auth:
        auth = f"only once both ends have authenticated ({entry.auth}), which is not looked at"
        return Said.CANNOT_TELL, f"{why}, but {auth}", requests
    return said, why, requests


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
        if port and port.protocol in ("ANY", found.question.protocol) and _is_at(port, found.question)
    ]
    selected: Mapping[str, bool] = {one.selector: found.identity in one.identities for one in selectors.items}
    return requests_at(fitting, selected)


def _is_at(port: PortPolicy, question: Question) -> bool:
    if port.port_name and not port.port:
        return port.port_name in question.port_names
    return not port.port or port.port <= question.port <= (port.end_port or port.port)


def _by_reading(
    question: Question, endpoint: Endpoint, peer: Labels | None, policies: WrittenPolicies | Gap
) -> Decided | None:
    if isinstance(policies, Gap) or peer is None:
        return None
    other = Peer(peer, question.peer_address, question.names)
    labels, names = Labels(endpoint.labels), question.port_names
    asked = Asked(labels, question.direction, other, question.port, question.protocol, names)
    return decide(tuple(policies.selecting(asked.labels)), asked)


def _identities(question: Question, vantage: Vantage) -> tuple[int, ...]:
    """Those that the peer may have at this node; none where that is not known."""
    if question.peer_entity:
        found = vantage.identities_of(question.peer_entity)
    else:
        known = vantage.identity_of(question.peer_address) if question.peer_address else None
        found = () if known is None else (known,)
    return (*found, ENTITIES["remote-node"]) if found and question.may_be_node else found


def _unknown_peer(question: Question, vantage: Vantage) -> str:
    if question.peer_address:
        return f"the identity of {question.peer_address} is not known there"
    if question.names:
        return (
            f"the agent of {vantage.node} saw no address for {question.names[0]}: rules on names admit those"
        )
    return "the peer has no address yet"


def _stand_for(identity: int, labels: Labels | None, endpoint: Endpoint) -> tuple[int, ...]:
    """Identities that stand for many, this one among them, in maps of newer agents."""
    if identity < _LEAST_AGGREGATED:
        return ()
    scope = identity >> 24
    if scope:
        return {1: (WORLD,), 2: (REMOTE_NODES,)}.get(scope, ())
    own, other = endpoint.label(f"k8s:{OF_CLUSTER}"), labels.by_key.get(OF_CLUSTER, "") if labels else ""
    is_own = own == other if own and other else (endpoint.identity or 0) >> 16 == identity >> 16
    return (CLUSTER,) if is_own else (MESH,)


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


def _doubts(found: _Found) -> Iterator[str]:
    """Where this node's view of the peer, its map and the policies as written do not agree."""
    yield from unrealized(found.endpoint)
    question, vantage = found.question, found.vantage
    if question.is_pod and found.labels is not None and not found.labels.namespace:
        taken = _peer(found.identity, found.labels)
        yield f"{vantage.node} takes the pod's address {question.peer_address} for {taken}"
        return
    yield from out_of_step(
        found.lookup,
        found.decided,
        found.endpoint,
        question.direction,
        found.identity,
        _origins(found),
    )


def _missing_endpoint(question: Question, vantage: Vantage) -> str:
    if isinstance(vantage.endpoints, Gap):
        return f"the agent of {vantage.node} cannot be asked: {vantage.endpoints.detail}"
    if not question.address:
        return f"{question.endpoint} has no address yet"
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
