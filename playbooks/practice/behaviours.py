"""How programs in containers behave: when they end, when they answer probes, what they log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice import agents, logs, mesh, operator
from playbooks.practice.logs import Line
from playbooks.practice.objects import labels_of
from playbooks.practice.runs import Container, PodRun, Run

if TYPE_CHECKING:
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class Exit:
    """A program's own end."""

    seconds: float
    """How long after its start."""
    code: int
    """Its exit code."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the kubelet does when a program does not answer."""

    failure: str
    """What the probe says."""
    unready_after: float = 30.0
    """Seconds until it is no longer ready."""
    killed_after: float = 0.0
    """Seconds until it is killed, once it was started; 0 for never."""
    startup: float = 0.0
    """Seconds that it has for starting; 0 for no limit."""
    exit_code: int = 137
    """How it ends when killed."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One program."""

    lines: Callable[[World, PodRun, Container, Run], list[Line]]
    """What a run of it has logged by now."""
    exit: Callable[[World, PodRun], Exit | None] = lambda _world, _run: None
    """Its own end, decided when it starts."""
    serves: Callable[[World, PodRun], bool] = lambda _world, _run: True
    """Whether everything is there that it needs."""
    boot: float = 1.0
    """Seconds from having all it needs to answering."""
    probe: Probe | None = None
    """Its probes, when it can fail them."""


def behaviour_of(run: PodRun, container: str) -> Behaviour:
    """The program in a container of a pod."""
    labels = labels_of(run.pod)
    app = "cilium" if agents.is_agent(run.pod) else labels.get("k8s-app") or labels.get("io.cilium/app") or ""
    if app == "cilium" and container == agents.container_name(run.pod):
        container = agents.AGENT
    return _PROGRAMS.get((app, container)) or _PROGRAMS.get(("", container)) or _PLAIN


def _agent_exit(_world: World, run: PodRun) -> Exit | None:
    return Exit(3.0, 255) if agents.refusal(run.config) else None


_HEALTHZ = 'Get "http://127.0.0.1:9879/healthz": dial tcp 127.0.0.1:9879: connect: connection refused'
_PLAIN = Behaviour(logs.client)
_PROGRAMS: dict[tuple[str, str], Behaviour] = {
    ("cilium", "cilium-agent"): Behaviour(
        logs.agent,
        exit=_agent_exit,
        serves=agents.can_serve,
        boot=7.0,
        probe=Probe(_HEALTHZ, unready_after=90.0, killed_after=300.0, startup=215.0),
    ),
    ("cilium", "config"): Behaviour(logs.build_config),
    ("cilium", "install-cni-binaries"): Behaviour(logs.install_cni),
    ("operator", "cilium-operator"): Behaviour(logs.operator, boot=operator.BOOT),
    ("hubble-relay", "hubble-relay"): Behaviour(
        logs.relay,
        serves=agents.has_local_peer,
        boot=10.0,
        probe=Probe(
            'service unhealthy (responded with "NOT_SERVING")',
            unready_after=30.0,
            killed_after=120.0,
            startup=70.0,
            exit_code=0,
        ),
    ),
    (mesh.APP, "etcd-init"): Behaviour(logs.nothing),
    (mesh.APP, "etcd"): Behaviour(logs.nothing, boot=2.0),
    (mesh.APP, "apiserver"): Behaviour(logs.nothing, boot=2.0),
    (mesh.APP, "kvstoremesh"): Behaviour(logs.nothing, boot=2.0),
    ("kube-dns", "coredns"): Behaviour(logs.coredns, boot=2.0),
    ("cilium", "mount-cgroup"): Behaviour(logs.nothing),
    ("cilium", "apply-sysctl-overwrites"): Behaviour(logs.sysctl),
    ("cilium", "mount-bpf-fs"): Behaviour(logs.bpf_mount),
    ("cilium", "clean-cilium-state"): Behaviour(logs.nothing),
}
