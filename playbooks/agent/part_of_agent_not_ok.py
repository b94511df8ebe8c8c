"""A part of the agent says that it is not well."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_response import Part
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_NAMED = frozenset({"kvstore", "kubernetes", "cni-file", "hubble", "hubble-metrics"})
"""Parts with a fault of their own."""
_NOTED = frozenset({"container-runtime"})
"""Parts that the agent can do without."""
_SETTLED = 120.0
"""Seconds after which every part must have been probed."""


def _unnamed(status: AgentStatus) -> dict[str, Part]:
    bad = dict(status.bad_parts)
    if len(bad) > 1 or status.response.stale:
        # The agent's overall state only repeats what one of its parts says.
        bad.pop("cilium", None)
    return {name: part for name, part in bad.items() if name not in _NAMED}


@fault(
    "AGT060",
    step="status",
    cases=(Case("status-part", proof="W", twin="the same part with state Ok in one of both looks"),),
    candidate=lambda status: bool(_unnamed(status)),
)
def part_of_agent_not_ok(status: Change[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """A part of the agent says that it is not well.

    Every part of the agent calls itself Ok, Warning, Failure or Disabled. Most faults of a part have a page
    of their own here; this one is for the rest, and for parts of versions to come. What a part says once may
    be over in a second, so both looks must agree.
    """
    node, after = status.after.provenance.node, _unnamed(status.after)
    agent = agents.by_node.get(node)
    if agent is None or not agent.has_run_for(_SETTLED, status.after.taken_at):
        return
    for name, before in _unnamed(status.before).items():
        part = after.get(name)
        if part is None:
            continue
        yield finding(
            Severity.INFO if name in _NOTED else Severity.WARN,
            agent.pod.ref,
            f"{name} is not well in the agent on {node}",
            evidence=(
                status.before.evidence(f"{name}: {before.said}"),
                status.after.evidence(f"{name}: {part.said}"),
            ),
            because_of=(
                Condition(ConditionKind.KVSTORE_DOWN),
                Condition(ConditionKind.API_SERVER_UNREACHABLE, node),
                Condition(ConditionKind.AGENT_SILENT, node),
                Condition(ConditionKind.SECRET_MISSING),
            ),
            stated_cause=part.msg,
            first_seen=status.before.taken_at,
            last_seen=status.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    f"Remove the cause that {name} names.",
                    why="A part is well again as soon as its work succeeds.",
                    risk=Risk.LOW,
                    steps=(
                        captured_log(agent),
                        step("Read all parts.", agent.command("cilium-dbg", "status", "--verbose").command()),
                    ),
                    undo="Nothing is changed by looking.",
                    verify=f"The state of {name} in the agent's status is Ok.",
                ),
                restart_agent(
                    agent,
                    why="A new agent starts all of its parts anew.",
                    verify=f"The state of {name} in the agent's status is Ok.",
                ),
            ),
            same_as=f"{name} {part.msg}",
        )
