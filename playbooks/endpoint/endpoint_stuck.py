"""An endpoint stays in a state that should last seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.lasting_states import LastingState, has_failed, lasting_states, shown
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, capture, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_LONG = timedelta(minutes=2)
_PASSING = ("waiting-to-regenerate", "regenerating", "not-ready", "restoring", "disconnecting", "creating")


def _passes(endpoints: AgentEndpoints) -> bool:
    return any(one.state in _PASSING and not has_failed(one) for one in endpoints.items)


@fault(
    "END010",
    step="state",
    cases=(
        Case("STATE-stuck", proof="W", twin="the endpoint ready in one of both looks"),
        Case("EP-04-state", proof="W", twin="the endpoint's log with a newer line in the second look"),
    ),
    candidate=_passes,
)
def endpoint_stuck(
    endpoints: Change[AgentEndpoints], agents: Agents, pods: Pods | None, published: ClusterEndpoints | None
) -> Iterator[Finding]:
    """An endpoint stays in a state that should last seconds.

    `waiting-to-regenerate` and `regenerating` end with `ready`, or with an error in the endpoint's log and
    another attempt. An endpoint whose state and log stand still for minutes has lost its place in the queue,
    or waits for a lock: its traffic goes by old programs and old policy, and a new pod has no network yet.
    """
    node = endpoints.after.provenance.node
    agent = agents.by_node.get(node)
    for one in lasting_states(endpoints, agent, pods, _LONG):
        if one.after.state in _PASSING and not has_failed(one.after):
            subject = endpoint_ref(one.after, node, pods, published)
            yield _finding(endpoints, one, subject, node, agent)


def _finding(
    endpoints: Change[AgentEndpoints], one: LastingState, subject: Ref, node: str, agent: Agent | None
) -> Finding:
    last = one.after.last_entry
    minutes = int((endpoints.after.taken_at - one.since).total_seconds() // 60)
    return finding(
        Severity.ERROR,
        subject,
        f"{subject} has been {one.after.state} for {minutes} minutes",
        evidence=(endpoints.before.evidence(shown(one.before)), endpoints.after.evidence(shown(one.after))),
        asserts=(Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{subject.namespace}/{subject.name}"),),
        because_of=(
            Condition(ConditionKind.MAP_FULL, node),
            Condition(ConditionKind.AGENT_SILENT, node),
            Condition(ConditionKind.API_SERVER_UNREACHABLE, node),
        ),
        stated_cause=last.message if last and last.is_bad else "",
        alternatives=(
            "The agent waits for a lock: its stacks (gops, pprof) show who waits for whom.",
            "The queue is long: then other endpoints move on, and this one will.",
        ),
        impact="changes of policy and identity do not reach it; a new pod has no network yet",
        first_seen=one.since,
        last_seen=endpoints.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=_fixes(one, agent) if agent else (),
        same_as=one.after.state,
    )


def _fixes(one: LastingState, agent: Agent) -> tuple[Fix, ...]:
    number = str(one.after.id)
    verify = f"Endpoint {number} is ready, and its log goes on."
    stacks = capture(
        f"Save the stacks of the agent on {agent.node}.",
        agent.command("cilium-bugtool", "--get-pprof").command(),
    )
    return (
        Fix.mitigation(
            f"Ask for another regeneration of endpoint {number}.",
            why="It is queued anew.",
            risk=Risk.LOW,
            steps=(
                stacks,
                step(
                    f"Regenerate endpoint {number}.",
                    agent.command("cilium-dbg", "endpoint", "regenerate", number).command(),
                ),
            ),
            undo="Nothing to undo.",
            verify=verify,
        ),
        restart_agent(agent, why="A new agent holds no lock and no queue.", verify=verify),
        Fix.cure(
            "Report it with the agent's stacks.",
            why="An endpoint that stands still without an error is a bug; newer releases may have it fixed.",
            risk=Risk.LOW,
            steps=(stacks, sysdump(), step("Search github.com/cilium/cilium/issues for the state.")),
            undo="Nothing is changed by reporting.",
            verify=verify,
        ),
    )
