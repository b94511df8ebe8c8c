"""What a question of the door can be answered with: lists of the cluster, for the engine's loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playbooks.engine.knowing import Knowing
from playbooks.engine.targets.resolving import workload_of
from playbooks.knowledge.symptoms import Kind
from playbooks.model.answer import Gap
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Services
from playbooks.model.policies.reading import WrittenPolicies


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer."""

    name: str
    """The name; with its namespace before a slash where it has one."""
    state: str = ""
    """What is wrong with it at a glance; empty where nothing is."""
    belonging: tuple[str, ...] = ()
    """Names of what belongs to it: a pod's workload and node."""


async def choices(knowing: Knowing, kinds: Iterable[Kind]) -> dict[Kind, tuple[Choice, ...] | Gap]:
    """What the cluster has of some kinds, sick ones first."""
    return {kind: await _of(knowing, kind) for kind in dict.fromkeys(kinds)}


async def _of(knowing: Knowing, kind: Kind) -> tuple[Choice, ...] | Gap:
    match kind:
        case Kind.POD:
            pods = await knowing.know(Pods)
            return pods if isinstance(pods, Gap) else _sorted(map(_pod, pods.items))
        case Kind.NODE:
            nodes = await knowing.know(Nodes)
            if isinstance(nodes, Gap):
                return nodes
            return _sorted(Choice(one.name, "" if one.is_ready else "NotReady") for one in nodes.items)
        case Kind.SERVICE:
            services, slices = await knowing.know(Services), await knowing.know(EndpointSlices)
            return services if isinstance(services, Gap) else _sorted(_services(services, slices))
        case Kind.POLICY:
            written = await knowing.know(WrittenPolicies)
            if isinstance(written, Gap):
                return written
            names = dict.fromkeys((one.policy.namespace, one.policy.name) for one in written.items)
            return _sorted(Choice(_path(*name)) for name in names)


def _pod(pod: Pod) -> Choice:
    meta, status = pod.metadata, pod.status
    waits = (one.state.waiting for one in (status.container_statuses or ()))
    reason = next((one.reason for one in waits if one and one.reason), "")
    if status.phase in ("Succeeded", "Running") and (pod.is_ready or status.phase == "Succeeded"):
        reason = ""
    elif not reason:
        reason = "not ready" if status.phase == "Running" else status.phase
    belonging = (_path(meta.namespace, workload_of(pod)), pod.spec.node_name)
    return Choice(_path(meta.namespace, meta.name), reason, tuple(filter(None, belonging)))


def _services(services: Services, slices: EndpointSlices | Gap) -> Iterator[Choice]:
    for one in services.items:
        meta = one.metadata
        has = True
        if isinstance(slices, EndpointSlices) and one.spec.selector:
            has = any(each.endpoints for each in slices.of_service(meta.namespace, meta.name))
        yield Choice(_path(meta.namespace, meta.name), "" if has else "no backends")


def _path(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _sorted(found: Iterable[Choice]) -> tuple[Choice, ...]:
    return tuple(sorted(found, key=lambda one: (not one.state, one.name)))
