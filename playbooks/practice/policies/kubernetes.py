"""Reads the network policies of Kubernetes into rules."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.practice.objects import Json, name_of, namespace_of
from playbooks.practice.policies.peers import Labelled, Ranged, Requirement, Selector
from playbooks.practice.policies.reading import (
    NAMESPACE,
    NAMESPACE_LABELS,
    Surroundings,
    in_cluster,
    labelled,
    port_of,
    spread,
)  # fmt: skip
from playbooks.practice.policies.rules import Origin, Ports, Rule


def rules_of(item: Json, around: Surroundings) -> Iterator[Rule]:
    """The rules of a NetworkPolicy: one for each peer."""
    namespace, spec = namespace_of(item), item.get("spec") or {}
    origin = Origin("NetworkPolicy", namespace, name_of(item), item["metadata"].get("uid", ""))
    subject = _pods(spec.get("podSelector") or {}).narrowed([(NAMESPACE, namespace)], ())
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    for is_ingress, direction, word in ((True, "ingress", "from"), (False, "egress", "to")):
        listed = spec.get(direction) or []
        if direction.capitalize() not in types:
            continue
        if not listed:
            yield Rule(origin, subject, is_ingress)
        for entry in listed:
            ports = _ports(entry.get("ports") or [])
            for peers in _peers(entry.get(word) or [], namespace, around):
                yield Rule(origin, subject, is_ingress, peers=peers, ports=ports)


def admitted(item: Json) -> Json:
    """The policy with its defaults."""
    spec = dict(item.get("spec") or {})
    spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if "egress" in spec else [])])
    for direction in ("ingress", "egress"):
        if spec.get(direction):
            spec[direction] = [
                {**rule, "ports": [{"protocol": "TCP", **port} for port in rule["ports"]]}
                if rule.get("ports")
                else rule
                for rule in spec[direction]
            ]
    return {**item, "spec": spec}


def _peers(listed: list[Json], namespace: str, around: Surroundings) -> Iterator[tuple[Selector, ...]]:
    if not listed:
        yield (Labelled(),)
    for one in listed:
        if "ipBlock" in one:
            yield (Ranged(one["ipBlock"]["cidr"], tuple(one["ipBlock"].get("except") or ())),)
        else:
            yield (in_cluster(_peer(one, namespace), around),)


def _peer(one: Json, namespace: str) -> Labelled:
    pods = _pods(one.get("podSelector") or {})
    chosen = one.get("namespaceSelector")
    if chosen is None:
        return pods.narrowed([(NAMESPACE, namespace)], ())
    above = labelled(chosen, lambda key: f"k8s:{NAMESPACE_LABELS}{key}")
    if above.is_everybody:
        return pods.narrowed((), [Requirement(NAMESPACE, "Exists")])
    return pods.narrowed(above.labels, above.requirements)


def _pods(given: Json) -> Labelled:
    return labelled(given, lambda key: f"k8s:{key}")


def _ports(listed: list[Json]) -> tuple[Ports, ...]:
    found = []
    for one in listed:
        stated = {"protocol": "TCP", **one, "port": str(one.get("port", 0))}
        # Without a port the whole protocol is meant.
        found.append(Ports(spread([port_of(stated)]), document={"ports": [stated]}))
    return tuple(found)
