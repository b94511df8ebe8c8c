"""A node is not ready for a reason other than its network."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.placing import says_no_network
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.moments import SETTLING, lasts
from playbooks.model.rule import Case, fault


@fault(
    "AGT031",
    step="node",
    cases=(
        Case("NODE-silent", proof="W", twin="the same node with its condition Ready True"),
        Case("NODE-unready", proof="W", twin="the same node with its condition Ready True"),
    ),
)
def node_not_ready(nodes: Nodes) -> Iterator[Finding]:
    """A node is not ready for a reason other than its network.

    A kubelet that stopped reporting means that the node is off, cut off, or overloaded; the status of its
    pods is then what it was when it was seen last, and no command in them gets an answer. Other reasons,
    such as a container runtime that is down, keep the agent from being started.
    """
    for node in nodes.items:
        ready = node.condition("Ready")
        if ready is None or ready.status == "True" or says_no_network(ready.message):
            continue
        is_silent = ready.status == "Unknown"
        # A node turns Unknown when it has been silent for the controller's grace period: it waited already.
        if not is_silent and not lasts(ready.last_transition_time, nodes.taken_at, SETTLING):
            continue
        what = "has stopped reporting" if is_silent else f"is not ready: {ready.reason}"
        # A node that is being shut down is as somebody wants it.
        is_meant = "node is shutting down" in ready.message.lower()
        asserted = [ConditionKind.NODE_NOT_READY, *([ConditionKind.NODE_UNREACHABLE] if is_silent else [])]
        yield finding(
            Severity.INFO if is_meant else Severity.ERROR,
            node.ref,
            f"{node.ref} {what}",
            evidence=(nodes.evidence(f"Ready {ready.status} {ready.reason}: {ready.message}"),),
            asserts=[Condition(kind, node.name) for kind in asserted],
            stated_cause="" if is_silent else ready.message,
            impact=f"nothing new starts on {node.name}; its pods are moved away after some minutes",
            first_seen=ready.last_transition_time,
            last_seen=nodes.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    f"Bring {node.name} back, or remove it.",
                    why="Kubelet reports again as soon as it runs and reaches the API server.",
                    risk=Risk.LOW,
                    steps=(
                        step(
                            "Read the node's conditions and events.", kubectl("describe", "node", node.name)
                        ),
                        step(
                            "Look at the kubelet and the container runtime, on the node.",
                            "systemctl status kubelet",
                        ),
                    ),
                    undo="Nothing is changed by looking.",
                    verify="The node's condition Ready is True.",
                ),
            ),
            same_as=f"{ready.status} {ready.reason} {is_meant}",
        )
