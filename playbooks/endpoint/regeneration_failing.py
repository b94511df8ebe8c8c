"""An endpoint cannot be regenerated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from playbooks.model.cilium.agent.endpoint import Endpoint, LogEntry
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.lasting_states import has_failed, shown
from playbooks.model.cilium.restarting import captured_log, restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_RETRIED = timedelta(seconds=10)
"""When an attempt that failed has been made again."""
_ERROR = re.compile(r"^(?:error regenerating endpoint|endpoint regeneration failed):\s*", re.IGNORECASE)


def _failing(endpoints: AgentEndpoints) -> dict[int, Endpoint]:
    return {one.id: one for one in endpoints.items if has_failed(one)}


def _is_fresh(entry: LogEntry, now: datetime) -> bool:
    return entry.time is not None and now - entry.time < _RETRIED


@fault(
    "END002",
    step="state",
    cases=(
        Case("LAB-06", proof="R", twin="LAB-06 with the endpoint ready in one of both looks"),
        Case("EP-08", proof="R", twin="LAB-06 with the endpoint ready in one of both looks"),
    ),
    candidate=lambda endpoints: bool(_failing(endpoints)),
)
def regeneration_failing(
    endpoints: Change[AgentEndpoints], agents: Agents, pods: Pods | None, published: ClusterEndpoints | None
) -> Iterator[Finding]:
    """An endpoint cannot be regenerated.

    The agent builds an endpoint's programs and policy anew whenever its policy, identity or configuration
    changes. When that fails it tries again and again, and the endpoint keeps the programs and entries it had:
    traffic goes on by yesterday's rules, and a new pod does not start. The agent writes `Regeneration of
    endpoint failed`, `Error while rewriting endpoint BPF program`. The endpoint's own log says what failed:
    the compiler, the kernel's verifier, a full map.
    """
    node = endpoints.after.provenance.node
    before = _failing(endpoints.before)
    for number, one in _failing(endpoints.after).items():
        began = before[number].last_entry if number in before else None
        if began is None or one.last_entry is None:
            continue
        if began == one.last_entry and _is_fresh(began, endpoints.after.taken_at):
            # One attempt that failed: the next one is under way, as it is after an agent's start.
            continue
        cause = _ERROR.sub("", one.last_entry.message)
        subject = endpoint_ref(one, node, pods, published)
        agent = agents.by_node.get(node)
        yield finding(
            Severity.ERROR,
            subject,
            f"{subject} cannot be regenerated: {cause}",
            evidence=(
                endpoints.before.evidence(shown(before[number])),
                endpoints.after.evidence(shown(one)),
            ),
            asserts=(
                Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{subject.namespace}/{subject.name}"),
            ),
            because_of=(Condition(ConditionKind.MAP_FULL, node), Condition(ConditionKind.NODE_UNFIT, node)),
            stated_cause=cause,
            impact="the endpoint keeps its old program: changes of policy and identity do not reach it",
            first_seen=began.time,
            last_seen=one.last_entry.time,
            ongoing=Ongoing.YES,
            fixes=_fixes(one, agent) if agent else (),
            same_as=re.sub(r"\d+", "N", cause),
        )


def _fixes(one: Endpoint, agent: Agent) -> tuple[Fix, ...]:
    log = agent.command("cilium-dbg", "endpoint", "log", str(one.id)).command()
    return (
        restart_agent(
            agent,
            why="A new agent builds everything anew, in a container made from its image.",
            verify=f"Endpoint {one.id} is ready.",
        ),
        Fix.cure(
            "Remove the cause that the endpoint's log names.",
            why="The agent goes on by itself as soon as the step that fails can succeed.",
            risk=Risk.LOW,
            steps=(
                captured_log(agent),
                sysdump(),
                step(f"Read the log of endpoint {one.id}.", log),
            ),
            undo="Nothing is changed by looking.",
            verify=f"Endpoint {one.id} is ready, and its log ends with OK.",
        ),
    )
