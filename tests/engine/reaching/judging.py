"""Connections judged in worlds of practice, with what is applied to them first."""

from __future__ import annotations

from typing import Any

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.requests import Asked
from playbooks.engine.reaching.verdicts import Reach
from playbooks.engine.targets.parsing import parse
from playbooks.engine.targets.resolving import Directory, Resolved
from playbooks.model.answer import Source
from playbooks.model.fact import Choice
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.services import Services
from playbooks.model.policies.pods import LabelledPods
from playbooks.practice.operations import carry_out
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build


def policy(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """A policy of Cilium's; clusterwide without a namespace."""
    kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": meta, "spec": spec}


def world(*objects: dict[str, Any], **config: str) -> World:
    """A healthy world with more objects in it; `config` is what cilium-config holds beside the usual."""
    made = build(1, nodes=3, config={key.replace("_", "-"): value for key, value in config.items()})
    carry_out(made, [*({"apply": one} for one in objects), {"wait": 60}])
    return made


async def asked(source: Source, one: str, other: str, request: Asked | None = None) -> Reach:
    """Whether one may call the other."""
    now = source.now
    knowing = Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: now)
    pods, services = await knowing.know(LabelledPods), await knowing.know(Services)
    slices = await knowing.know(EndpointSlices)
    assert isinstance(pods, LabelledPods)
    assert isinstance(services, Services)
    assert isinstance(slices, EndpointSlices)
    names = Directory(pods, services, slices)
    ends = [names.resolve(parse(word)) for word in (one, other)]
    source_end, destination = ends
    assert isinstance(source_end, Resolved), source_end
    assert isinstance(destination, Resolved), destination
    return await reach(knowing, source_end, destination, request)


async def judged(made: World, one: str, other: str, request: Asked | None = None) -> Reach:
    """Whether one may call the other in a world."""
    return await asked(WorldSource(made), one, other, request)
