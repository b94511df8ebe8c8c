"""Fixes and steps that many rules share: save what a restart destroys, restart agents."""

from __future__ import annotations

import shlex

from playbooks.model.cilium.agents import Agent
from playbooks.model.finding import Fix, Ref, Risk, Step, capture, step


def kubectl(*words: str) -> str:
    """A kubectl command, quoted for a shell."""
    return " ".join(["kubectl", *map(shlex.quote, words)])


def sysdump() -> Step:
    """Save what maintainers will ask for."""
    return capture("Save a sysdump, which maintainers will ask for.", "cilium sysdump")


def captured_log(agent: Agent) -> Step:
    """Save an agent's log, which a restart destroys."""
    meta = agent.pod.metadata
    log = kubectl("-n", meta.namespace, "logs", meta.name, "-c", agent.container)
    return capture(f"Save the log of {meta.name}.", f"{log} > {shlex.quote(meta.name + '.log')}")


def restart_agent(agent: Agent, *, why: str, verify: str) -> Fix:
    """Restart one agent, after its log is saved."""
    meta = agent.pod.metadata
    return Fix.mitigation(
        f"Restart the agent on {agent.node}.",
        why=why,
        risk=Risk.MEDIUM,
        steps=(
            captured_log(agent),
            step(
                f"Delete the agent pod {meta.name}; its DaemonSet makes a new one.",
                kubectl("-n", meta.namespace, "delete", "pod", meta.name),
            ),
        ),
        undo="Nothing to undo: the DaemonSet makes the pod again.",
        verify=verify,
    )


def restart_agents(workload: Ref, *, title: str, why: str, verify: str) -> Fix:
    """Restart all agents, a few at a time, after a sysdump is saved."""
    return Fix.cure(
        title,
        why=why,
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step(
                f"Restart the pods of {workload}.",
                kubectl("-n", workload.namespace, "rollout", "restart", "daemonset", workload.name),
            ),
            step(
                "Wait until all of them are ready.",
                kubectl("-n", workload.namespace, "rollout", "status", "daemonset", workload.name),
            ),
        ),
        undo="Nothing to undo: the pods are the same, only younger.",
        verify=verify,
    )
