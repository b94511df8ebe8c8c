"""Cilium's policies in the one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from playbooks.model.cilium.policies import (
    CidrRule,
    CiliumNetworkPolicy,
    EgressRule,
    FqdnSelector,
    IcmpField,
    IngressRule,
    PolicyRule,
    PortRule,
)
from playbooks.model.finding import Ref
from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.peers import Entity, Name, PeerRule, Prefix, Selected, Unclear
from playbooks.model.policies.written import Direction, Ports, PortsEntry, Rule, Written

_ICMP = {
    "EchoRequest": (8, 128),
    "Echo": (8, 128),
    "EchoReply": (0, 129),
    "DestinationUnreachable": (3, 1),
    "PacketTooBig": (0, 2),
    "TimeExceeded": (11, 3),
    "ParameterProblem": (12, 4),
    "Redirect": (5, 137),
}
"""Types of ICMP by name: for IPv4, for IPv6; 0 where it has none."""
Groups = Mapping[str, tuple[str, ...]]
"""Prefixes of each CiliumCIDRGroup, by name."""


def written(policy: CiliumNetworkPolicy, groups: Groups | None = None) -> Iterator[Written]:
    """Every rule set of a policy; none of one that is not valid, for agents leave it out whole."""
    if policy.valid and policy.valid.status == "False":
        return
    places = [(".spec", policy.spec)] if policy.spec else []
    places += [(f".specs[{number}]", rule) for number, rule in enumerate(policy.specs or ())]
    for place, rule in places:
        if rule is not None:
            yield _written(policy, place, rule, groups)


def _written(policy: CiliumNetworkPolicy, place: str, rule: PolicyRule, groups: Groups | None) -> Written:
    denied = (
        (Direction.INGRESS, rule.denies_ingress_by_default),
        (Direction.EGRESS, rule.denies_egress_by_default),
    )
    return Written(
        policy.ref,
        place,
        rule.node_selector or rule.endpoint_selector or Selector(),
        rule.node_selector is not None,
        frozenset(direction for direction, is_so in denied if is_so),
        tuple(_rules(policy.ref, place, rule, groups)),
        policy.metadata.managed_by,
    )


def _rules(policy: Ref, place: str, rule: PolicyRule, groups: Groups | None) -> Iterator[Rule]:
    for name, is_deny, entries in (
        ("ingress", False, rule.ingress),
        ("ingressDeny", True, rule.ingress_deny),
    ):
        for number, one in enumerate(entries or ()):
            at = f"{place}.{name}[{number}]"
            peers = _from(one, policy.namespace, groups)
            yield _rule(policy, at, Direction.INGRESS, is_deny, peers, one.to_ports, one)
            if one.from_requires:
                yield _demanding(policy, at, Direction.INGRESS)
    for name, is_deny, going in (("egress", False, rule.egress), ("egressDeny", True, rule.egress_deny)):
        for number, other in enumerate(going or ()):
            at = f"{place}.{name}[{number}]"
            peers = _to(other, policy.namespace, groups)
            yield _rule(policy, at, Direction.EGRESS, is_deny, peers, other.to_ports, other)
            if other.to_requires:
                yield _demanding(policy, at, Direction.EGRESS)


def _demanding(policy: Ref, place: str, direction: Direction) -> Rule:
    """Whom requirements refuse depends on all policies for the endpoint: an agent has to be asked."""
    return Rule(policy, place, direction, True, (Unclear("whoever lacks what is required"),), None)


def _rule(
    policy: Ref,
    place: str,
    direction: Direction,
    is_deny: bool,
    peers: tuple[PeerRule, ...] | None,
    ports: tuple[PortRule, ...] | None,
    one: IngressRule | EgressRule,
) -> Rule:
    said = tuple(_ports(ports)) if ports else None
    if one.icmps and said is None:
        said = tuple(_icmp(field) for part in one.icmps for field in part.fields or ())
    entries = tuple(_entry(f"{place}.toPorts[{number}]", entry) for number, entry in enumerate(ports or ()))
    return Rule(policy, place, direction, is_deny, peers, said, entries)


def _ports(rules: Iterable[PortRule]) -> Iterator[Ports]:
    for rule in rules:
        if not rule.ports:
            yield Ports("ANY", 0, 0)
        for port in rule.ports or ():
            if port.port.isdecimal() and len(port.port) < 6:
                yield Ports(port.protocol or "ANY", int(port.port), port.end_port or int(port.port))
            else:
                yield Ports(port.protocol or "ANY", 0, 0, port.port)


def _icmp(field: IcmpField) -> Ports:
    """A type of ICMP stands where ports stand; one of an unknown name means any."""
    is_newer = field.family == "IPv6"
    kind = field.type if field.type is not None else 0
    named = _ICMP.get(str(kind), (0, 0))[is_newer]
    number = int(kind) if str(kind).isdecimal() else named
    return Ports("ICMPv6" if is_newer else "ICMP", number, number)


def _entry(place: str, rule: PortRule) -> PortsEntry:
    l7 = rule.rules if rule.rules and not rule.rules.is_empty else None
    has_more = bool(rule.server_names) or rule.listener is not None
    return PortsEntry(place, tuple(_ports((rule,))), l7, has_more)


def _from(one: IngressRule, namespace: str, groups: Groups | None) -> tuple[PeerRule, ...] | None:
    said = (one.from_endpoints, one.from_entities, one.from_cidr, one.from_cidr_set)
    others = (one.from_nodes, one.from_groups)
    if all(part is None for part in (*said, *others)):
        return _everybody(one)
    return (
        *_pods(one.from_endpoints, namespace),
        *map(Entity, one.from_entities or ()),
        *map(Prefix, one.from_cidr or ()),
        *_prefixes(one.from_cidr_set, groups),
        *(Unclear(f"nodes {selector}") for selector in one.from_nodes or ()),
        *(Unclear("groups of a cloud") for _ in one.from_groups or ()),
    )


def _to(one: EgressRule, namespace: str, groups: Groups | None) -> tuple[PeerRule, ...] | None:
    said = (one.to_endpoints, one.to_entities, one.to_cidr, one.to_cidr_set)
    others = (one.to_fqdns, one.to_services, one.to_nodes, one.to_groups)
    if all(part is None for part in (*said, *others)):
        return _everybody(one)
    return (
        *_pods(one.to_endpoints, namespace),
        *map(Entity, one.to_entities or ()),
        *map(Prefix, one.to_cidr or ()),
        *_prefixes(one.to_cidr_set, groups),
        *map(_name, one.to_fqdns or ()),
        *(Unclear(_service(service.k8s_service)) for service in one.to_services or ()),
        *(Unclear(f"nodes {selector}") for selector in one.to_nodes or ()),
        *(Unclear("groups of a cloud") for _ in one.to_groups or ()),
    )


def _everybody(one: IngressRule | EgressRule) -> tuple[PeerRule, ...] | None:
    """Whom a rule means that names no peers: all where it names ports, else nobody.

    An empty rule (`ingress: [{}]`) is how a policy puts its endpoints into default deny and admits nothing.
    """
    return None if one.to_ports or one.icmps else ()


def _service(named: object) -> str:
    name, namespace = getattr(named, "service_name", ""), getattr(named, "namespace", "")
    return f"service {namespace}/{name}" if name else "services by label"


def _pods(selectors: tuple[Selector, ...] | None, namespace: str) -> Iterator[PeerRule]:
    return (Selected(selector, namespace) for selector in selectors or ())


def _name(one: FqdnSelector) -> PeerRule:
    return Name(one.match_name or one.match_pattern)


def _prefixes(rules: tuple[CidrRule, ...] | None, groups: Groups | None) -> Iterator[PeerRule]:
    for rule in rules or ():
        holes = rule.except_ or ()
        if rule.cidr:
            yield Prefix(rule.cidr, holes)
        elif groups is not None and rule.cidr_group_ref in groups:
            for cidr in groups[rule.cidr_group_ref]:
                yield Prefix(cidr, holes)
        else:
            yield Unclear(f"group of prefixes {rule.cidr_group_ref or rule.cidr_group_selector}")
