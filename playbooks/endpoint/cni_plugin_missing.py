"""The CNI plug-in's program is not on a node."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.sandboxes import Refusal, WaitingGroup, WaitingPods
from playbooks.model.rule import Case, fault


@fault(
    "END007",
    step="created",
    cases=(
        Case(
            "CNI-plugin-missing",
            proof="V",
            lines=(
                'plugin type="cilium-cni" failed (add): failed to find plugin "cilium-cni" in path '
                "[/usr/lib/cni]",
            ),
            twin="the same event about a pod that runs by now",
        ),
    ),
)
def cni_plugin_missing(waiting: WaitingPods, agents: Agents) -> Iterator[Finding]:
    """The CNI plug-in's program is not on a node.

    An init container of the agent copies `cilium-cni` to the node, into the folder that the agent's chart
    names (`/opt/cni/bin`). The runtime looks for it in the folder of its own configuration. If the two are
    not the same, or something cleaned the folder, no pod of the node gets a network.
    """
    for node, group in waiting.on_nodes(Refusal.NO_PLUGIN).items():
        if any("cilium-cni" in one.words for one in group.pods):
            yield _finding(waiting, node, group, agents.by_node.get(node))


def _finding(waiting: WaitingPods, node: str, group: WaitingGroup, agent: Agent | None) -> Finding:
    return finding(
        Severity.ERROR,
        Ref("Node", node, node=node),
        f"Node {node} lacks the program cilium-cni: {group.said}",
        evidence=group.proof(waiting),
        because_of=(Condition(ConditionKind.AGENT_DOWN, node),),
        alternatives=(
            "The runtime looks in another folder than the agent's init container writes to: compare both.",
            "Something cleaned the folder after the agent had started.",
        ),
        impact=f"no new pod starts on {node}",
        first_seen=group.first,
        last_seen=group.last,
        ongoing=Ongoing.YES,
        fixes=(*(_copied(agent) if agent else ()), _folder(node)),
        same_as="plug-in",
    )


def _copied(agent: Agent) -> tuple[Fix, ...]:
    why = "Its init container copies the program anew."
    return (restart_agent(agent, why=why, verify="The pods that waited run."),)


def _folder(node: str) -> Fix:
    return Fix.cure(
        "Let the runtime and the agent use one folder.",
        why="The runtime finds only what is in the folder of its own configuration.",
        risk=Risk.MEDIUM,
        steps=(
            step(f"Look on {node} where the program is.", "ls -l /opt/cni/bin /usr/libexec/cni"),
            step("Set the chart's cni.binPath to the folder that the event names, and upgrade the release."),
        ),
        undo="Set cni.binPath back.",
        verify="The pods that waited run.",
    )
