"""A world whose policies are given as in `cases.yaml`, and what is decided in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from playbooks.practice import writing
from playbooks.practice.catalog import SERVICES, SLICES, Kind
from playbooks.practice.objects import labels_of, name_of, namespace_of
from playbooks.practice.ownership import Writer
from playbooks.practice.policies.requests import DnsQuery, HttpRequest, KafkaRequest, Request
from playbooks.practice.policies.verdicts import Decision, Verdict, verdict
from playbooks.practice.runs import PodRun
from playbooks.practice.world import World, build

ME = Writer("kubectl-create")
_ASK = re.compile(r"(?P<source>\S+) > (?P<to>\S+) (?P<port>\d+)(?:/(?P<protocol>\w+))?(?: (?P<request>\S+))?")
_END = re.compile(r"(host|other)\(([-\w]+)\)")


@cache
def bare() -> World:
    """A world without policies; whoever adds some takes them away again."""
    world = build(0)
    for kind, item in tuple(world.policies.shelf.objects()):
        writing.delete(world, kind, namespace_of(item), name_of(item))
    return world


def kind_of(world: World, name: str) -> Kind:
    return next(kind for kind in world.store.kinds if kind.kind == name)


def pod(world: World, app: str) -> PodRun:
    return next(
        run
        for run in world.runs.values()
        if app in (labels_of(run.pod).get("app"), run.name.rsplit("-", 2)[0])
    )


def title(world: World, app: str) -> str:
    run = pod(world, app)
    return f"{run.namespace}/{run.name}"


def apply(
    world: World, spec: Any, name: str, kind: str = "CiliumNetworkPolicy", namespace: str = "shop"
) -> None:
    made = kind_of(world, kind)
    item = {"apiVersion": made.api_version, "metadata": {"name": name}, "spec": spec}
    writing.create(world, made, namespace if made.is_namespaced else "", item, ME)


@contextmanager
def given(case: dict[str, Any]) -> Iterator[World]:
    """The world with a case's policies and settings."""
    world, made = bare(), []
    for name, ranges in (case.get("groups") or {}).items():
        apply(world, {"externalCIDRs": ranges}, name, "CiliumCIDRGroup")
        made.append(("CiliumCIDRGroup", "", name))
    if "service" in case:
        _service(world, case["service"])
    before = {node: dict(run.config) for node, run in world.agents.items()}
    for run in world.agents.values():
        run.config.update(case.get("config") or {})
    kind, namespace = case.get("kind", "CiliumNetworkPolicy"), case.get("namespace", "shop")
    for number, spec in enumerate(case.get("policies") or ()):
        apply(world, spec, f"case-{number}", kind, namespace)
        made.append((kind, namespace if kind_of(world, kind).is_namespaced else "", f"case-{number}"))
    try:
        yield world
    finally:
        for one, place, name in made:
            writing.delete(world, kind_of(world, one), place, name)
        for node, run in world.agents.items():
            run.config.clear()
            run.config.update(before[node])


def _service(world: World, ip: str) -> None:
    ports = [{"name": "https", "port": 443, "protocol": "TCP"}]
    if world.store.get(SERVICES, "shop", "partner") is None:
        spec = {"spec": {"ports": ports}, "metadata": {"name": "partner"}}
        writing.create(world, SERVICES, "shop", spec, ME)
        item = {
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ip], "conditions": {"ready": True}}],
            "metadata": {"labels": {"kubernetes.io/service-name": "partner"}, "name": "partner-1"},
            "ports": ports,
        }
        writing.create(world, SLICES, "shop", item, ME)


def decided(world: World, ask: str) -> str:
    """What is decided, in one word."""
    return said(judged(world, ask))


def judged(world: World, ask: str) -> Verdict:
    """What is decided."""
    match = _ASK.fullmatch(ask)
    assert match, ask
    return verdict(
        world,
        end(world, match["source"]),
        end(world, match["to"]),
        int(match["port"]),
        match["protocol"] or "TCP",
        _request(match["request"] or ""),
    )


def said(found: Verdict) -> str:
    sides = [side for side in (found.egress, found.ingress) if side is not None]
    if any(side.is_audited and side.decision is not Decision.ALLOWED for side in sides):
        return "audited"
    if found.refusing is not None:
        return str(found.refusing.decision)
    if found.is_request_refused:
        return "refused"
    return "allowed" if any(side.is_enforced for side in sides) else "allow"


def end(world: World, text: str) -> str:
    if text == "api":
        return next(iter(world.network.nodes.values())).node_ip
    special = _END.fullmatch(text)
    if special:
        node = pod(world, special[2]).node
        if special[1] == "other":
            node = next(one for one in reversed(world.network.nodes) if one != node)
        return world.network.nodes[node].node_ip
    return text if text[0].isdigit() else title(world, text)


def _request(text: str) -> Request | None:
    first, _, rest = text.partition(":")
    if not text:
        return None
    if first == "dns":
        return DnsQuery(rest)
    return HttpRequest(first, rest) if first.isupper() else KafkaRequest(first, rest, key=first)
