"""A container's state in one line, and the steps with which one looks at a pod that does not start."""

from __future__ import annotations

import shlex

from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import Step, capture, step
from playbooks.model.kube.pods import ContainerStatus, Pod


def told(status: ContainerStatus) -> str:
    """A container's state as one line of evidence, in the words of its status."""
    ready = "true" if status.ready else "false"
    parts = [f"containerStatuses[{status.name}]: restartCount {status.restart_count}, ready {ready}"]
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
    """Save a log that a restart would destroy; of the run before, unless told otherwise."""
    meta = pod.metadata
    words = ["-n", meta.namespace, "logs", meta.name, "-c", container]
    command = kubectl(*words, *(["--previous"] if is_previous else []))
    return capture(f"Save the log of {meta.name}.", f"{command} > {shlex.quote(meta.name + '.log')}")


def described(pod: Pod) -> Step:
    """Read a pod's events."""
    meta = pod.metadata
    return step(
        f"Read the events of {meta.name}.", kubectl("-n", meta.namespace, "describe", "pod", meta.name)
    )


def deleted(pod: Pod) -> Step:
    """Delete a pod, so that its owner makes a new one from what is wanted now."""
    meta = pod.metadata
    return step(
        f"Delete the pod {meta.name}; its owner makes a new one.",
        kubectl("-n", meta.namespace, "delete", "pod", meta.name),
    )


def helm_upgrade(namespace: str, *values: str) -> str:
    """A Helm command that keeps the values in force and sets some."""
    words = ["helm", "upgrade", "cilium", "cilium/cilium", "-n", namespace, "--reuse-values"]
    return " ".join(map(shlex.quote, [*words, *(word for value in values for word in ("--set", value))]))
