"""A policy means to admit the API server and names something that it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.peers import Entity
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault

_MISTAKEN = frozenset({"host", "world", "remote-node"})
_AS_ENTITY = """toEntities: [kube-apiserver]
toPorts:
  - ports: [{{port: "{port}", protocol: TCP}}]"""
_SERVICE = frozenset({443})
"""The port of the service `kubernetes`; rules act behind it, on the port of the server."""


@fault(
    "POL022",
    step="refused",
    cases=(Case("api-server-entity", proof="W", twin="the same policy with the entity kube-apiserver"),),
)
def api_server_not_admitted(
    policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """A policy means to admit the API server and names something that it is not.

    The API server has the entity `kube-apiserver`. Whether it is also `host`, `remote-node` or `world`
    depends on where it runs and from where it is called: on the pod's node, on another, outside. A rule for
    one of these admits it from some nodes and not from others. Ports are those of the server (often 6443),
    since the service's 443 is translated before policy looks.
    """
    yield from unseen(refused)
    found: dict[tuple[str, str], list[_Mistaken]] = {}
    for drop in refusals(refused):
        pod = pods.by_name.get(drop.pod)
        is_server = "kube-apiserver" in drop.as_peer.labels.reserved
        if drop.direction is not Direction.EGRESS or not is_server or pod is None:
            continue
        asked = Asked(pod.labels, Direction.EGRESS, drop.as_peer, drop.flow.port, drop.flow.protocol)
        selecting = tuple(policies.selecting(pod.labels))
        if decide(selecting, asked).decision is not Decision.NOT_ADMITTED:
            continue
        for one, rule in _mistaken(selecting, drop):
            found.setdefault((str(one.policy), rule.place), []).append(_Mistaken(one, rule, drop))
    for cases in found.values():
        yield _finding(cases, policies)


@dataclass(frozen=True, slots=True)
class _Mistaken:
    written: Written
    rule: Rule
    drop: Refusal


def _mistaken(selecting: tuple[Written, ...], drop: Refusal) -> Iterator[tuple[Written, Rule]]:
    for one in selecting:
        for rule in one.of(Direction.EGRESS):
            names = {peer.name for peer in rule.peers or () if isinstance(peer, Entity)}
            at_port = rule.ports is not None and rule.is_at(drop.flow.port, drop.flow.protocol)
            at_service = rule.ports is not None and any(rule.is_at(port, "TCP") for port in _SERVICE)
            if (names & _MISTAKEN and at_port) or ("kube-apiserver" in names and at_service and not at_port):
                yield one, rule


def _finding(cases: list[_Mistaken], policies: WrittenPolicies) -> Finding:
    first = cases[0]
    drops = [one.drop for one in cases]
    seen = span(drops)
    rule, port = first.rule, drops[-1].flow.port
    peers = ", ".join(map(str, rule.peers or ()))
    ports = ", ".join(map(str, rule.ports or ())) or "any port"
    return finding(
        Severity.WARN,
        rule.policy,
        f"{rule.policy} admits {peers} at {ports}, which is not the API server at {port}",
        evidence=(drops[-1].evidence(), policies.evidence(f"{rule.policy} {rule.place}: {peers} at {ports}")),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=first.written.owner,
        fixes=(
            corrected(
                "Name the API server by its own entity, at its own port.",
                first.written,
                rule.place,
                why="kube-apiserver is the API server wherever it runs.",
                verify="The drops to the API server end on all nodes.",
                change=_AS_ENTITY.format(port=port),
            ),
        ),
    )
