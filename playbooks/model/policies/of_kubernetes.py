"""Kubernetes' network policies in the one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from playbooks.model.kube.network_policies import NetworkPolicy, PolicyPort
from playbooks.model.kube.network_policies import Peer as Named
from playbooks.model.kube.selectors import Expression, Selector
from playbooks.model.policies.labels import NAMESPACE, NAMESPACE_LABELS
from playbooks.model.policies.peers import PeerRule, Prefix, Selected
from playbooks.model.policies.written import Direction, Ports, Rule, Written


def written(policy: NetworkPolicy) -> Written:
    """A policy as one rule set."""
    spec = policy.spec
    types = spec.policy_types
    if types is None:
        types = ("Ingress", *(("Egress",) if spec.egress is not None else ()))
    directions = {Direction(one.lower()) for one in types if one.lower() in ("ingress", "egress")}
    return Written(
        policy.ref,
        ".spec",
        spec.pod_selector,
        False,
        frozenset(directions),
        tuple(_rules(policy, directions)),
        policy.metadata.managed_by,
    )


def _rules(policy: NetworkPolicy, directions: set[Direction]) -> Iterator[Rule]:
    namespace = policy.metadata.namespace
    coming = [(one.from_, one.ports) for one in policy.spec.ingress or ()]
    going = [(one.to, one.ports) for one in policy.spec.egress or ()]
    for direction, entries in ((Direction.INGRESS, coming), (Direction.EGRESS, going)):
        if direction not in directions:
            continue
        for number, (peers, ports) in enumerate(entries):
            yield Rule(
                policy.ref,
                f".spec.{direction}[{number}]",
                direction,
                False,
                tuple(_peers(peers, namespace)) if peers else None,
                tuple(_ports(ports)) if ports else None,
            )


def _peers(named: Iterable[Named], namespace: str) -> Iterator[PeerRule]:
    for one in named:
        if one.ip_block:
            yield Prefix(one.ip_block.cidr, one.ip_block.except_ or ())
        elif one.namespace_selector is not None:
            yield Selected(_in_namespaces(one.pod_selector or Selector(), one.namespace_selector), namespace)
        else:
            yield Selected(one.pod_selector or Selector(), namespace)


def _in_namespaces(pods: Selector, namespaces: Selector) -> Selector:
    """Pods by their own labels and by those of their namespace; an empty selector of namespaces means all."""
    labels = {f"{NAMESPACE_LABELS}{key}": value for key, value in (namespaces.match_labels or {}).items()}
    expressions = tuple(
        Expression(f"{NAMESPACE_LABELS}{one.key}", one.operator, one.values)
        for one in namespaces.match_expressions or ()
    )
    if namespaces.is_empty:
        expressions = (Expression(NAMESPACE, "Exists"),)
    return Selector({**(pods.match_labels or {}), **labels}, (*(pods.match_expressions or ()), *expressions))


def _ports(ports: Iterable[PolicyPort]) -> Iterator[Ports]:
    for one in ports:
        protocol = one.protocol or "TCP"
        if one.port is None:
            yield Ports(protocol, 0, 0)
        elif isinstance(one.port, int) or one.port.isdecimal():
            yield Ports(protocol, int(one.port), one.end_port or int(one.port))
        else:
            yield Ports(protocol, 0, 0, one.port)
