"""Restarting agents as a fix: what is saved before, what it does to the node, how to see that it helped."""

from __future__ import annotations

import shlex

from playbooks.model.cilium.agents import Agent
from playbooks.model.finding import Fix, Ref, Risk, Step, capture, step


def kubectl(*words: str) -> str:
    """A command for a person's shell; names that a cluster made up cannot break out of it."""
    return shlex.join(["kubectl", *words])


def captured_log(agent: Agent) -> Step:
    """Save the agent's log before it is gone."""
    return capture(
        f"Save the log of {agent.pod.ref}.", agent.log(tail=5000).command() + " > cilium-agent.log"
    )


def sysdump() -> Step:
    """Save what maintainers ask for."""
    return capture("Collect a sysdump for a bug report.", "cilium sysdump")


def deleted(agent: Agent) -> Step:
    """Let the DaemonSet replace an agent."""
    meta = agent.pod.metadata
    return step(
        f"Delete {agent.pod.ref}; its DaemonSet starts a new one.",
        kubectl("-n", meta.namespace, "delete", "pod", meta.name),
    )


def restart_agent(agent: Agent, *, why: str, verify: str) -> Fix:
    """Restart the agent of one node."""
    return Fix.mitigation(
        f"Restart the agent on {agent.node}.",
        why=why,
        risk=Risk.MEDIUM,
        steps=(captured_log(agent), deleted(agent)),
        undo="Nothing to undo. Meanwhile traffic goes on; new pods, DNS rules and layer 7 rules on the node "
        "wait until the new agent is ready.",
        verify=verify,
    )


def restart_agents(workload: Ref, *, title: str, why: str, verify: str) -> Fix:
    """Let all agents start again, node by node, so that they read their configuration."""
    target = f"daemonset/{workload.name}"
    return Fix.cure(
        title,
        why=why,
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step(
                f"Restart the pods of {workload}, node by node.",
                kubectl("-n", workload.namespace, "rollout", "restart", target),
            ),
            step(
                "Wait until every agent is ready again.",
                kubectl("-n", workload.namespace, "rollout", "status", target),
            ),
        ),
        undo="Nothing to undo. A restart reads the ConfigMap as it is now: read it first.",
        verify=verify,
    )
