"""A rule names a port that no container has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Severity, finding
from playbooks.model.kube.pods import Pod
from playbooks.model.mistyped import nearest
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.peers import Selected
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL023",
    step="written",
    cases=(Case("named-port", proof="W", twin="the same rule with a name that the containers declare"),),
)
def named_port_of_no_container(
    policies: WrittenPolicies, pods: LabelledPods
) -> Iterator[Finding | CouldNotLook]:
    """A rule names a port that no container has.

    A port may be named in a rule instead of numbered; the name stands for what the containers of the pod
    declare under it. A name that none declares, mistyped or renamed in the workload, stands for no port: the
    rule is valid and admits nothing there.
    """
    for one in policies.items:
        for rule in one.rules:
            wanted = {port.name for port in rule.ports or () if port.name}
            for name in sorted(wanted):
                whose = list(_whose(one, rule, pods))
                if not whose or any(name in _names(pod.pod) for pod in whose):
                    continue
                if not pods.is_complete or not pods.has_namespace_labels:
                    yield CouldNotLook("not all pods, with the labels of their namespaces, could be read")
                    return
                yield _finding(one, rule, name, whose, policies, pods)


def _whose(one: Written, rule: Rule, pods: LabelledPods) -> Iterable[LabelledPod]:
    """The pods whose containers the name is about; none where a peer may be something else than pods."""
    selected = pods.selected_by(one)
    if rule.direction is Direction.INGRESS:
        return selected
    named = [peer for peer in rule.peers or () if isinstance(peer, Selected)]
    if not named or len(named) < len(rule.peers or ()) or not any(True for _ in selected):
        return ()
    return (pod for peer in named for pod in pods.selected(peer.selector, peer.namespace))


def _names(pod: Pod) -> set[str]:
    every = (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
    return {port.name for container in every for port in container.ports or () if port.name}


def _finding(
    one: Written,
    rule: Rule,
    name: str,
    whose: list[LabelledPod],
    policies: WrittenPolicies,
    pods: LabelledPods,
) -> Finding:
    declared = sorted({found for pod in whose for found in _names(pod.pod)})
    near = nearest(name, declared)
    told = f"; there is {near[0]}" if near else ""
    return finding(
        Severity.INFO if rule.is_deny else Severity.WARN,
        rule.policy,
        f"{rule.policy} names port {name}, which no container declares{told}",
        evidence=(
            policies.evidence(f"{rule.policy} {rule.place}: port {name}"),
            pods.evidence(
                f"{whose[0].pod.ref} and {len(whose) - 1} more declare {', '.join(declared) or '-'}"
            ),
        ),
        impact=f"the rule {'refuses' if rule.is_deny else 'admits'} nothing at that port",
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        owner=one.owner,
        fixes=(
            corrected(
                f"Name a port that the containers declare{f', such as {near[0]}' if near else ''}.",
                one,
                rule.place,
                why="A name stands for the number that containers declare under it.",
                verify="`cilium-dbg bpf policy get` of the endpoint shows the port's number.",
                change=f"port: {near[0]}" if near else "",
            ),
        ),
    )
