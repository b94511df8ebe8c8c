"""What findings are to be about: the things that were named, and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from playbooks.engine.targets.parsing import Form, Target, WrongTarget, parse
from playbooks.engine.targets.resolving import Directory, Resolved, Unresolved, workload_of
from playbooks.model.answer import Gap, GapKind
from playbooks.model.fact import F
from playbooks.model.finding import Ref
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.services import Services
from playbooks.model.mistyped import nearest
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies

ANYWHERE = ""
"""The namespace of targets that name none: they are looked for in all."""


class Knows(Protocol):
    """Who gets facts: a look, or whoever has them from one."""

    async def know(self, kind: type[F], node: str = "") -> F | Gap:
        """A fact, or the gap."""


@dataclass(frozen=True, slots=True)
class Aim:
    """The targets of a run, resolved."""

    things: frozenset[tuple[str, str]] = frozenset()
    """Namespace and name of pods, workloads, services, policies; nodes without a namespace."""
    nodes: frozenset[str] = frozenset()
    """Nodes on which they are: asked first."""
    said: tuple[str, ...] = ()
    """What each target was taken for."""
    missing: tuple[Gap, ...] = ()
    """Targets that name nothing here, with what is near."""

    def covers(self, ref: Ref) -> bool:
        """Whether a finding's subject is one of them."""
        return (ref.namespace, ref.name) in self.things


async def aimed(knowing: Knows, words: Iterable[str]) -> Aim:
    """Resolve what a person named; nothing named aims at nothing."""
    words = tuple(words)
    if not words:
        return Aim()
    names, nodes = await directory(knowing), await knowing.know(Nodes)
    if isinstance(names, Gap):
        return Aim(missing=(names,))
    known = frozenset(node.name for node in nodes.items) if isinstance(nodes, Nodes) else frozenset()
    policies = await knowing.know(WrittenPolicies)
    found = [_of(word, names, known, policies) for word in words]
    return Aim(
        frozenset(thing for one in found for thing in one.things),
        frozenset(node for one in found for node in one.nodes),
        tuple(said for one in found for said in one.said),
        tuple(gap for one in found for gap in one.missing),
    )


async def directory(knowing: Knows) -> Directory | Gap:
    """The names of the cluster: pods, and of services what could be read."""
    pods, services = await knowing.know(LabelledPods), await knowing.know(Services)
    slices = await knowing.know(EndpointSlices)
    if isinstance(pods, Gap):
        return pods
    if isinstance(services, Gap):
        services = Services(provenance=pods.provenance, items=())
    if isinstance(slices, Gap):
        slices = EndpointSlices(provenance=pods.provenance, items=())
    return Directory(pods, services, slices)


def first_of(word: str, names: Directory) -> Resolved | None:
    """What a word names; nothing for none, and where it names nothing here."""
    try:
        target = parse(word, ANYWHERE)
    except WrongTarget:
        return None
    found = (names.resolve(one) for one in _everywhere(target, names))
    return next((one for one in found if isinstance(one, Resolved)), None)


def _of(word: str, names: Directory, nodes: frozenset[str], policies: WrittenPolicies | Gap) -> Aim:
    if word in nodes:
        return Aim(frozenset({("", word)}), frozenset({word}), (f"Node {word}",))
    try:
        target = parse(word, ANYWHERE)
    except WrongTarget as wrong:
        return Aim(missing=(Gap(GapKind.NOT_FOUND, str(wrong)),))
    resolved = [names.resolve(one) for one in _everywhere(target, names)]
    good = [one for one in resolved if isinstance(one, Resolved)]
    if not good:
        return Aim(missing=(_missing(word, resolved, names, nodes),))
    parts = [_things(one, policies) for one in good]
    return Aim(
        frozenset(thing for part in parts for thing in part.things),
        frozenset(node for part in parts for node in part.nodes),
        tuple(one.said for one in good),
    )


def _everywhere(target: Target, names: Directory) -> list[Target]:
    """A target without a namespace, once for each namespace that has it."""
    if target.form not in (Form.NAMED, Form.LABELS) or target.namespace:
        return [target]
    spaces = {one.pod.metadata.namespace for one in names.pods.items}
    spaces |= {one.metadata.namespace for one in names.services.items}
    every = [replace(target, namespace=namespace) for namespace in sorted(spaces)]
    return [one for one in every if isinstance(names.resolve(one), Resolved)] or [target]


def _things(one: Resolved, policies: WrittenPolicies | Gap) -> Aim:
    things: set[tuple[str, str]] = set()
    nodes: set[str] = set()
    if one.service:
        things.add((one.service.metadata.namespace, one.service.metadata.name))
    for spot in one.spots:
        pod = spot.pod.pod
        space = pod.metadata.namespace
        things |= {(space, pod.metadata.name), (space, workload_of(pod))}
        nodes.add(pod.spec.node_name)
        if isinstance(policies, WrittenPolicies):
            things |= {(had.policy.namespace, had.policy.name) for had in policies.selecting(spot.pod.labels)}
    return Aim(frozenset(things), frozenset(nodes - {""}))


def _missing(
    word: str, resolved: list[Resolved | Unresolved], names: Directory, nodes: frozenset[str]
) -> Gap:
    looked = next((one.looked_for for one in resolved if isinstance(one, Unresolved)), word)
    near = [name for one in resolved if isinstance(one, Unresolved) for name in one.near]
    every = {f"{one.pod.metadata.namespace}/{workload_of(one.pod)}" for one in names.pods.items}
    every |= {f"{one.metadata.namespace}/{one.metadata.name}" for one in names.services.items}
    bare = {name.rpartition("/")[2]: name for name in sorted(every)}
    close = nearest(word.partition(":")[0], (*nodes, *bare))
    near += [bare.get(name, name) for name in close]
    remedy = "kubectl get pods,services -A names them"
    if near:
        remedy = f"did you mean {' or '.join(dict.fromkeys(near[:3]))}?"
    return Gap(GapKind.NOT_FOUND, f"{word} names nothing here: looked for {looked}", remedy=remedy)
