"""The key-value store has no quorum, or cannot be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_LOST = re.compile(r"quorum check failed \d+ times? in a row")
_LOSING = re.compile(r"has-quorum=(?!true)[^,]*since last heartbeat[^,]*, consecutive-errors=[1-9]")
_SETTLED = 120.0
"""Seconds after which an agent must have connected; before, its start is all that it tells."""


@fault(
    "AGT052",
    step="status",
    cases=(
        Case(
            "AG-07",
            proof="V",
            lines=(
                "Err: quorum check failed 8 times in a row: 4m28.446600949s since last heartbeat update has "
                "been received",
            ),
            twin="the same status with kvstore.state Ok and has-quorum=true",
        ),
        Case(
            "AG-07 early",
            proof="V",
            lines=(
                "has-quorum=2m2.778966915s since last heartbeat update has been received, "
                "consecutive-errors=1",
            ),
            twin="the same status with has-quorum=true",
        ),
    ),
)
def kvstore_without_quorum(status: OnNode[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """The key-value store has no quorum, or cannot be reached.

    Identities and addresses of all nodes travel through etcd here. The operator writes a heartbeat into it,
    and every agent watches that heartbeat: it misses when etcd lost its quorum, and also when only the
    operator is gone. After three misses the agent reports itself unhealthy, and kubelet restarts it again
    and again, which helps nobody. Where no member answers it says `not able to connect to any etcd
    endpoints`. Traffic that is known goes on; new pods and new identities wait.
    """
    kvstore = status.fact.response.kvstore
    agent = agents.by_node.get(status.node)
    if kvstore is None:
        return
    is_lost, is_losing = _LOST.search(kvstore.msg), _LOSING.search(kvstore.msg)
    is_settled = agent is not None and agent.has_run_for(_SETTLED, status.fact.taken_at)
    # With a quorum, a member that is not reached is a matter of etcd's own.
    is_failing = kvstore.is_bad and is_settled and "has-quorum=true" not in kvstore.msg
    if not (is_lost or is_losing or is_failing):
        return
    what = "has no quorum" if is_lost or is_losing else "fails"
    yield finding(
        Severity.ERROR if is_lost else Severity.WARN,
        agents.ref(status.node),
        f"the key-value store {what}, says the agent on {status.node}",
        evidence=(status.fact.evidence(f"kvstore: {kvstore.said}"),),
        asserts=(Condition(ConditionKind.KVSTORE_DOWN),),
        because_of=(
            Condition(ConditionKind.OPERATOR_DOWN),
            Condition(ConditionKind.SECRET_MISSING),
            Condition(ConditionKind.SECRET_MISSING, status.node),
            Condition(ConditionKind.NODE_UNREACHABLE, status.node),
        ),
        stated_cause=kvstore.msg,
        alternatives=(
            "etcd lost its quorum or is too slow: its own members say so.",
            "The operator, which writes the heartbeat, is not running: etcd itself is well.",
            "Only this node cannot reach etcd: agents of other nodes see it well.",
        ),
        impact="new pods and new identities wait, agents restart; known traffic goes on",
        last_seen=status.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_fix(agent, agents.ref(status.node).namespace),),
        same_as="kvstore",
    )


def _fix(agent: Agent | None, namespace: str) -> Fix:
    return Fix.cure(
        "Restore etcd's quorum, or the operator if only the heartbeat is missing.",
        why="Agents connect again by themselves as soon as heartbeats arrive.",
        risk=Risk.LOW,
        steps=(
            step(
                "Ask the agent which step of the connection fails.",
                agent.command("cilium-dbg", "troubleshoot", "kvstore").command() if agent else "",
            ),
            step(
                "Look whether the operator runs.",
                kubectl("-n", namespace, "get", "pods", "-l", "io.cilium/app=operator", "-o", "wide"),
            ),
            step("Ask etcd's members for their health.", "etcdctl endpoint status --cluster -w table"),
        ),
        undo="Nothing is changed by looking.",
        verify="The row KVStore of the agent's status is Ok and says has-quorum=true.",
    )
