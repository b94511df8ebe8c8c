"""Clients from outside come in as nodes, and the policy admits only the world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.services import Service, Services
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.peers import Entity
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, is_admitted_now, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault

_OUTSIDE = ("NodePort", "LoadBalancer")


@fault(
    "POL014",
    step="refused",
    cases=(Case("PO-11", proof="W", twin="the same service with externalTrafficPolicy Local"),),
)
def remote_node_instead_of_world(
    policies: WrittenPolicies,
    pods: LabelledPods,
    services: Services,
    config: CiliumConfig,
    refused: Fleet[RefusedFlows],
) -> Iterator[Finding | CouldNotLook]:
    """Clients from outside come in as nodes, and the policy admits only the world.

    A request from outside that reaches one node and is led to a backend on another gets the first node's
    address on the way. With native routing nothing else tells who asked, so the backend's node sees the
    identity `remote-node`; with a tunnel the identity `world` travels along. A rule for the entity `world`
    then refuses outside clients of the service, and one for `cluster` admits them.
    """
    yield from unseen(refused)
    if config.get("routing-mode").lower() != "native" or config.get("bpf-lb-mode", "snat").lower() == "dsr":
        return
    found: dict[tuple[str, str], list[_Client]] = {}
    for drop in refusals(refused):
        if drop.direction is not Direction.INGRESS or "remote-node" not in drop.as_peer.labels.reserved:
            continue
        pod = pods.by_name.get(drop.pod)
        if pod and is_admitted_now(policies, pod.labels, drop):
            continue
        service = pod and _service(services, pod.pod.metadata.namespace, pod.pod.metadata.labels or {})
        world = _admitting_world(policies, drop, pods)
        if service and world:
            key = (service.metadata.namespace, service.metadata.name)
            found.setdefault(key, []).append(_Client(drop, service, *world))
    for clients in found.values():
        yield _finding(clients, policies, services)


@dataclass(frozen=True, slots=True)
class _Client:
    drop: Refusal
    service: Service
    written: Written
    rule: Rule


def _service(services: Services, namespace: str, labels: dict[str, str]) -> Service | None:
    for one in services.items:
        wanted = one.spec.selector or {}
        is_ours = one.metadata.namespace == namespace and wanted and wanted.items() <= labels.items()
        if is_ours and one.spec.type in _OUTSIDE and one.spec.external_traffic_policy != "Local":
            return one
    return None


def _admitting_world(
    policies: WrittenPolicies, drop: Refusal, pods: LabelledPods
) -> tuple[Written, Rule] | None:
    for one in policies.selecting(pods.by_name[drop.pod].labels):
        for rule in one.of(Direction.INGRESS):
            is_world = any(isinstance(peer, Entity) and peer.name == "world" for peer in rule.peers or ())
            if is_world and rule.is_at(drop.flow.port, drop.flow.protocol):
                return one, rule
    return None


def _finding(clients: list[_Client], policies: WrittenPolicies, services: Services) -> Finding:
    first = clients[0]
    drops = [one.drop for one in clients]
    seen = span(drops)
    service = first.service
    return finding(
        Severity.WARN,
        (first.rule.policy, service.ref),
        f"{first.rule.policy} admits the world, but clients of {service.metadata.name} come as remote-node",
        evidence=(
            drops[-1].evidence(),
            policies.evidence(f"{first.rule.policy} {first.rule.place}: entity world"),
            services.evidence(f"{service.ref}: {service.spec.type}, externalTrafficPolicy not Local"),
        ),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=first.written.owner,
        fixes=(
            Fix.mitigation(
                f"Keep the clients' addresses at {service.ref}.",
                why="With Local no second node is on the way, and the client stays the world.",
                risk=Risk.HIGH,
                steps=(step(f"Set externalTrafficPolicy: Local in {service.ref}, or use DSR."),),
                undo="Set externalTrafficPolicy: Cluster again.",
                verify="Flows to the backends show the client's address and the identity world.",
            ),
            corrected(
                "Admit remote-node beside world, if nodes may call it too.",
                first.written,
                first.rule.place,
                why="The identity of the node is all that the backend's node sees.",
                verify="The drops with the source remote-node end.",
                change="fromEntities: [world, remote-node]",
            ),
        ),
    )
