"""A controller of the agent fails again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.modules import AgentModules, Module
from playbooks.model.cilium.restarting import captured_log, restart_agent, sysdump
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_controllers import Failing, failing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.rule import Case, fault

_HARMLESS = (
    "the object has been modified; please apply your changes",
    "podcidr not available",
    "unable to get node resource",
    "unable to find key in local cache",
    "local key already allocated with different value",
)
"""Texts that Cilium's own tests put up with."""
_TOLD_ELSEWHERE = frozenset({"write-cni-file"})
"""Controllers with a fault of their own."""
_CAUSES = (
    ConditionKind.KVSTORE_DOWN,
    ConditionKind.OPERATOR_DOWN,
    ConditionKind.CRDS_MISSING,
    ConditionKind.PERMISSION_MISSING,
    ConditionKind.API_SERVER_UNREACHABLE,
    ConditionKind.IPAM_EXHAUSTED,
    ConditionKind.MAP_FULL,
    ConditionKind.NODE_UNREACHABLE,
)


@fault(
    "AGT054",
    step="status",
    cases=(
        Case("LAB-06", proof="R", twin="LAB-06 with consecutive-failure-count 0"),
        Case("EP-08", proof="W", twin="the same controller after one failure"),
    ),
)
def controller_keeps_failing(
    status: OnNode[AgentStatus],
    agents: Agents,
    modules: OnNode[AgentModules] | None,
    endpoints: ClusterEndpoints | None,
    nodes: Nodes | None,
) -> Iterator[Finding]:
    """A controller of the agent keeps failing.

    Controllers are the agent's jobs: they run until they succeed and wait longer after each failure. One
    failure is normal. Many in a row, with none that succeeded after them, mean that a piece of the node's
    state no longer follows what is wanted. The name says which piece; the name is a wrapper, the message
    and the module's error behind it hold the cause. `cilium status` says `controller
    sync-to-k8s-ciliumendpoint is failing since` of it.
    """
    named = modules.fact if modules else None
    groups: dict[Ref, list[Failing]] = {}
    for one in failing(status.fact):
        if one.name not in _TOLD_ELSEWHERE:
            groups.setdefault(_subject(one, status.node, agents, named, endpoints, nodes), []).append(one)
    for subject, each in groups.items():
        for group in [each] if subject.kind == "Endpoint" else [[one] for one in each]:
            yield _finding(subject, group, status, agents, named)


def _subject(
    one: Failing,
    node: str,
    agents: Agents,
    modules: AgentModules | None,
    endpoints: ClusterEndpoints | None,
    nodes: Nodes | None,
) -> Ref:
    id_ = one.endpoint
    pod = one.pod or (modules.pod_of(id_) if modules and id_ is not None else None)
    if not pod and id_ is not None and endpoints:
        kubernetes_node = nodes.get(node) if nodes else None
        addresses = kubernetes_node.status.addresses or () if kubernetes_node else ()
        pod = endpoints.pod_of(id_, frozenset(address.address for address in addresses))
    if pod:
        return Ref("Endpoint", pod[1], pod[0], node)
    return agents.ref(node) if id_ is None else Ref("Endpoint", str(id_), node=node)


def _finding(
    subject: Ref,
    group: list[Failing],
    status: OnNode[AgentStatus],
    agents: Agents,
    modules: AgentModules | None,
) -> Finding:
    worst = max(group, key=lambda one: one.lasting)
    behind = _behind(worst, modules)
    cause = behind.error if behind and behind.error else worst.message
    last = worst.controller.last_failure
    return finding(
        _severity(worst, cause),
        subject,
        _summary(subject, worst, status.node),
        evidence=_evidence(group, status, behind, modules),
        because_of=[
            *(Condition(kind, where) for kind in _CAUSES for where in ("", status.node)),
            Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{subject.namespace}/{subject.name}"),
        ],
        stated_cause=cause,
        impact=_impact(worst),
        first_seen=last - timedelta(seconds=worst.lasting) if last else None,
        last_seen=last,
        ongoing=Ongoing.YES,
        fixes=_fixes(worst, status.node, agents),
        same_as=f"{worst.kind} {re.sub('[0-9]+', 'N', cause)}",
    )


def _severity(worst: Failing, cause: str) -> Severity:
    if any(text in cause.lower() for text in _HARMLESS):
        return Severity.INFO
    return Severity.ERROR if "regeneration" in worst.name else Severity.WARN


def _summary(subject: Ref, worst: Failing, node: str) -> str:
    if "regeneration" in worst.name:
        return f"{subject} cannot be regenerated on {node}"
    about = f"of {subject} " if subject.kind == "Endpoint" else ""
    return f"controller {worst.name} {about}keeps failing on {node}"


def _behind(worst: Failing, modules: AgentModules | None) -> Module | None:
    """The module whose error stands behind the failing controller of an endpoint."""
    for module in modules.degraded if modules else ():
        about = module.endpoint
        if about and worst.endpoint == about[0]:
            return module
    return None


def _evidence(
    group: list[Failing], status: OnNode[AgentStatus], behind: Module | None, modules: AgentModules | None
) -> list[Evidence]:
    proofs = [status.fact.evidence(one.row) for one in group[:5]]
    return [*proofs, modules.evidence(behind.row)] if modules and behind else proofs


def _impact(worst: Failing) -> str:
    if "regeneration" in worst.name:
        return "the endpoint keeps its old program: changes of policy and identity do not reach it"
    if worst.endpoint is not None:
        return "what this controller keeps up to date for the endpoint is stale"
    return "what this controller keeps up to date on the node is stale"


def _fixes(worst: Failing, node: str, agents: Agents) -> list[Fix]:
    agent = agents.by_node.get(node)
    if agent is None:
        return []
    look = ("endpoint", "log", str(worst.endpoint)) if worst.endpoint is not None else ("status", "--verbose")
    return [
        restart_agent(
            agent,
            why="A new agent builds everything anew, in a container made from its image.",
            verify="The controller is no longer listed in the agent's status.",
        ),
        Fix.cure(
            "Remove the cause that the innermost error names.",
            why="The controller goes on by itself as soon as its work can succeed.",
            risk=Risk.LOW,
            steps=(
                captured_log(agent),
                sysdump(),
                step("Read the errors behind the message.", agent.command("cilium-dbg", *look).command()),
            ),
            undo="Nothing is changed by looking.",
            verify="The controller's count of failures in a row is 0.",
        ),
    ]
