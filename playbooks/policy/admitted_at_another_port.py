"""A rule admits the peer, but at another port than the one that is served and refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.services import Service, Services
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Match, Peer, Selected
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Ports, Rule
from playbooks.model.rule import Case, fault


@fault(
    "POL028",
    step="refused",
    cases=(Case("another-port", proof="W", twin="the same policy with the port that the pod declares"),),
)
def admitted_at_another_port(
    policies: WrittenPolicies, pods: LabelledPods, services: Services | None, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """A rule admits the peer, but at another port than the one that is served and refused.

    Policies see a connection after services were translated: its port is the one that the pod listens on, the
    service's `targetPort`. A rule with the service's own port, or with a mistyped one, admits nothing, and is
    valid all the same. It shows where a peer that the rule names is refused at a port that the pod declares,
    while the pod declares none of the ports of the rule.
    """
    yield from unseen(refused)
    found: dict[tuple[Ref, str], list[_Beside]] = {}
    for drop in refusals(refused):
        own, peer = pods.by_name.get(drop.pod), pods.by_name.get((drop.peer.namespace, drop.peer.pod_name))
        if not own or not peer:
            continue
        server = own if drop.direction is Direction.INGRESS else peer
        if (drop.flow.port, drop.flow.protocol.upper()) not in _declared(server):
            continue
        asked = Asked(own.labels, drop.direction, Peer(peer.labels), drop.flow.port, drop.flow.protocol)
        selecting = tuple(policies.selecting(own.labels))
        if decide(selecting, asked).decision is not Decision.NOT_ADMITTED:
            continue
        for rule in (rule for one in selecting for rule in one.of(drop.direction)):
            if _names(rule, peer.labels) and _is_beside(rule, server):
                found.setdefault((rule.policy, rule.place), []).append(_Beside(rule, drop, server))
    if found and not policies.is_complete:
        yield CouldNotLook("not all kinds of policies could be read")
        return
    for cases in found.values():
        yield _finding(cases, policies, services)


@dataclass(frozen=True, slots=True)
class _Beside:
    rule: Rule
    drop: Refusal
    server: LabelledPod


def _declared(pod: LabelledPod) -> set[tuple[int, str]]:
    containers = pod.pod.spec.containers or ()
    return {(port.container_port, port.protocol) for one in containers for port in one.ports or ()}


def _names(rule: Rule, peer: Labels) -> bool:
    """Whether a rule is written for just such peers: by labels, not for everybody."""
    wanted = [one for one in rule.peers or () if isinstance(one, Selected) and one.selector.match_labels]
    return any(one.matches(Peer(peer)) is Match.YES for one in wanted)


def _is_beside(rule: Rule, server: LabelledPod) -> bool:
    """Whether each port of a rule is a number that the pod does not declare for its protocol."""
    declared = _declared(server)
    return bool(rule.ports) and all(
        _is_single(one) and not any(one.matches(*pair) for pair in declared) for one in rule.ports or ()
    )


def _is_single(ports: Ports) -> bool:
    return bool(ports.first) and not ports.name and ports.first == ports.last


def _said(declared: set[tuple[int, str]]) -> str:
    return ", ".join(f"{port}/{protocol}" for port, protocol in sorted(declared))


def _through(services: Services | None, case: _Beside) -> Service | None:
    """The service whose own port the rule names instead of that of its pods."""
    server = case.server.pod.metadata
    for one in services.items if services else ():
        selector = one.spec.selector
        if not selector or one.metadata.namespace != server.namespace or not server.has_labels(selector):
            continue
        named = {port.port for port in one.spec.ports or () if _leads_to(port.target_port, case)}
        if any(port.first in named - {case.drop.flow.port} for port in case.rule.ports or ()):
            return one
    return None


def _leads_to(target: int | str | None, case: _Beside) -> bool:
    containers = case.server.pod.spec.containers or ()
    names = {port.name: port.container_port for one in containers for port in one.ports or () if port.name}
    return (names.get(target) if isinstance(target, str) else target) == case.drop.flow.port


def _finding(cases: list[_Beside], policies: WrittenPolicies, services: Services | None) -> Finding:
    first = cases[0]
    drops = [one.drop for one in cases]
    ports = ", ".join(str(one) for one in first.rule.ports or ())
    flow, seen = drops[-1].flow, span(drops)
    called = f"{flow.port}/{flow.protocol}"
    written = (first.rule.ports or ())[0]
    service = _through(services, first)
    whose = f", the port of {service.ref}" if service else ""
    return finding(
        Severity.ERROR if service else Severity.WARN,
        first.rule.policy,
        f"{first.rule.policy} names {ports}, and {first.drop.peer.workload} is refused at {called}",
        evidence=(
            drops[-1].evidence(),
            policies.evidence(
                f"{first.rule.policy} {first.rule.place}: {ports}{whose}; "
                f"{first.server.pod.ref} declares {_said(_declared(first.server))}"
            ),
        ),
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(first.rule.policy)),),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        alternatives=()
        if service
        else (f"The refusal at {called} is meant, and the pod serves {ports} without declaring it.",),
        fixes=(
            Fix.cure(
                f"Name the port that the pods listen on: {called}.",
                why="Policies are applied after a service was translated, to the port of the pod.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        f"Correct {first.rule.place} in the manifest of {first.rule.policy} and apply it.",
                        f"-        - {{port: '{written.first}', protocol: {written.protocol}}}\n"
                        f"+        - {{port: '{flow.port}', protocol: {flow.protocol}}}",
                    ),
                ),
                undo="Apply the manifest as it was.",
                verify=f"`hubble observe --port {flow.port} --verdict DROPPED` shows nothing new.",
            ),
        ),
    )
