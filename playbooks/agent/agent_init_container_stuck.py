"""An agent does not start since one of its init containers does not end."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, saved_log, told
from playbooks.model.cilium.agent_words import AgentWords
from playbooks.model.cilium.down import alike, keeps_agent_down
from playbooks.model.cilium.logs import ODD, LogLine, last_words
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_TASKS = {
    "config": "reads cilium-config through the API server",
    "mount-cgroup": "mounts the cgroup filesystem of the host",
    "apply-sysctl-overwrites": "writes kernel parameters on the host",
    "mount-bpf-fs": "mounts the BPF filesystem of the host",
    "wait-for-node-init": "waits for the DaemonSet cilium-node-init to prepare the host",
    "clean-cilium-state": "removes old state when it is told to",
    "wait-for-kube-proxy": "waits for kube-proxy's rules",
    "install-cni-binaries": "copies the CNI plug-in to the host",
}


@fault(
    "AGT006",
    step="running",
    cases=(Case("INIT-stuck", proof="W", twin="the same pod with its init containers ended well"),),
)
def agent_init_container_stuck(words: OnNode[AgentWords]) -> Iterator[Finding]:
    """An agent does not start since one of its init containers does not end.

    Init containers prepare the host one after the other, and the agent starts when the last one has ended
    well. The first of them, config, must reach the API server to read the ConfigMap, before any of Cilium's
    service translation works on the node.
    """
    agent = words.fact.agent
    stuck = agent.pod.stuck_init
    if words.fact.standing is not Standing.IN_INIT or stuck is None:
        return
    said = _said(words.fact, stuck.name)
    why = said[1].said if said else stuck.waiting_reason or "it runs for minutes"
    task = _TASKS.get(stuck.name, "prepares the host")
    is_running = stuck.state.running is not None
    yield finding(
        Severity.ERROR,
        agent.pod.ref,
        f"{agent.pod.ref} does not start: init container {stuck.name} does not end",
        evidence=(
            *([said[0].evidence(said[1].raw[:1000])] if said else []),
            words.fact.evidence(told(stuck)),
        ),
        asserts=(Condition(ConditionKind.AGENT_DOWN, words.node),),
        because_of=keeps_agent_down(words.node),
        stated_cause=said[1].said if said else "",
        alternatives=() if said else (f"Its log would decide: the container {stuck.name} {task}.",),
        impact=f"new pods, policies, services and DNS rules on {words.node} wait",
        first_seen=agent.pod.status.start_time,
        last_seen=words.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Remove what keeps the init container {stuck.name} from ending: it {task}.",
                why="Kubelet starts the agent by itself when the last init container has ended well.",
                risk=Risk.LOW,
                steps=(
                    saved_log(agent.pod, stuck.name, is_previous=is_running and stuck.last_end is not None),
                    described(agent.pod),
                    step("Read its log.", agent.log(stuck.name).command()),
                ),
                undo="Nothing is changed by reading.",
                verify="All init containers have ended with exit code 0 and the agent is ready.",
            ),
        ),
        same_as=f"{stuck.name} {alike(why)}",
    )


def _said(words: AgentWords, container: str) -> tuple[Log, LogLine] | None:
    """The last thing that the init container said went wrong."""
    for log in words.logs:
        if log.container == container:
            final = last_words(log.lines) or next(
                (one for one in reversed(log.lines) if one.level in ODD), None
            )
            if final:
                return log, final
    return None
