"""Steps that many fixes share: save what a restart destroys, restart an agent, change the configuration."""

from __future__ import annotations

import shlex

from playbooks.model.cilium.agents import Agent
from playbooks.model.finding import Ref, Step, capture, step
from playbooks.model.kube.pods import ContainerStatus, Pod


def told(status: ContainerStatus) -> str:
    """A container's state as one line of evidence, in the words of its status."""
    parts = [f"containerStatuses[{status.name}]: restartCount {status.restart_count}, ready {status.ready}"]
    if status.state.waiting:
        parts.append(f"state.waiting {status.state.waiting.reason}: {status.state.waiting.message}"[:300])
    elif status.state.running:
        parts.append(f"state.running since {status.state.running.started_at}")
    if end := status.last_end:
        signal = f", signal {end.signal}" if end.signal else ""
        parts.append(
            f"terminated exitCode {end.exit_code}{signal}, reason {end.reason}, at {end.finished_at}"
        )
    return "; ".join(parts)


def saved_log(pod: Pod, container: str, *, is_previous: bool = True) -> Step:
    """Save a log that a restart would destroy."""
    previous = " --previous" if is_previous else ""
    meta = pod.metadata
    return capture(
        f"Save the log of {meta.name}.",
        f"kubectl -n {shlex.quote(meta.namespace)} logs {shlex.quote(meta.name)} -c {shlex.quote(container)}"
        f"{previous} > {shlex.quote(meta.name + '.log')}",
    )


def saved_sysdump() -> Step:
    """Save what maintainers will ask for."""
    return capture("Save a sysdump, which maintainers will ask for.", "cilium sysdump")


def restarted(agent: Agent) -> Step:
    """Restart one agent."""
    meta = agent.pod.metadata
    return step(
        f"Delete the agent pod {meta.name}; its DaemonSet makes a new one.",
        f"kubectl -n {shlex.quote(meta.namespace)} delete pod {shlex.quote(meta.name)}",
    )


def restarted_all(workload: Ref | None, namespace: str) -> Step:
    """Restart all agents, a few at a time."""
    name = workload.name if workload else "cilium"
    return step(
        "Restart the agents so that they read it.",
        f"kubectl -n {shlex.quote(namespace)} rollout restart daemonset {shlex.quote(name)}",
    )


def described(pod: Pod) -> Step:
    """Look at a pod's events."""
    meta = pod.metadata
    return step(
        f"Read the events of {meta.name}.",
        f"kubectl -n {shlex.quote(meta.namespace)} describe pod {shlex.quote(meta.name)}",
    )
