"""The agents: which node should have one, which has, and which pod it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.installation import Installation, version_of
from playbooks.model.cilium.lone_agent import LoneAgent, LoneOptions
from playbooks.model.fact import Fact, Scene
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.nodes import Node, Nodes
from playbooks.model.kube.pods import (
    ContainerState,
    ContainerStatus,
    Pod,
    Pods,
    PodSpec,
    PodStatus,
    Running,
)
from playbooks.model.kube.workloads import DaemonSet, DaemonSets
from playbooks.model.request import AgentCommand, ContainerLog

AGENT = "cilium-agent"
"""What the agent's container is called where nothing else is known."""
_VIRTUAL = ("virtual-kubelet.io/provider", "kwok.x-k8s.io/node")
"""Taints of nodes behind which there is no machine."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent of one node."""

    node: str
    """The node."""
    pod: Pod
    """Its pod."""
    container: str
    """The agent's container."""
    told_version: str = ""
    """The version that it tells itself, where nothing is known of its image."""
    is_lone: bool = False
    """Whether its pod is not known: it is named after its node, and commands leave the pod out."""

    @property
    def status(self) -> ContainerStatus | None:
        """The agent container's status."""
        return self.pod.container(self.container)

    @property
    def is_running(self) -> bool:
        """Whether its container runs now, so that commands can be run in it."""
        return bool(self.status and self.status.state.running)

    @property
    def started_at(self) -> datetime | None:
        """Since when its container runs; nothing when it does not."""
        running = self.status.state.running if self.status else None
        return running.started_at if running else None

    def has_run_for(self, seconds: float, now: datetime) -> bool:
        """Whether its container has run for so long, so that what it says is not about its start."""
        started = self.started_at
        return started is not None and (now - started).total_seconds() >= seconds

    @property
    def version(self) -> str:
        """Version by image tag, or as it tells itself; empty when nothing tells."""
        if self.told_version:
            return self.told_version
        declared = [c for c in self.pod.spec.containers or () if c.name == self.container]
        return version_of(declared[0].image) if declared else ""

    def command(self, *argv: str, is_heavy: bool = False) -> AgentCommand:
        """A command in this agent."""
        meta = self.pod.metadata
        name = "" if self.is_lone else meta.name
        return AgentCommand(self.node, meta.namespace, name, self.container, argv, is_heavy)

    def log(self, container: str = "", *, is_previous: bool = False, tail: int = 500) -> ContainerLog:
        """A log of this pod; of the agent's container unless another is named."""
        meta = self.pod.metadata
        name = container or self.container
        return ContainerLog(meta.namespace, meta.name, name, self.node, is_previous, tail)


@dataclass(frozen=True, kw_only=True)
class Agents(Fact):
    """The agent of each node, the nodes that lack one, and those that have none by design."""

    by_node: Mapping[str, Agent]
    """Nodes with an agent pod."""
    lacking: tuple[Node, ...]
    """Nodes without an agent pod that should have one; empty when nodes could not be listed."""
    by_design: tuple[str, ...]
    """Nodes on which the DaemonSet would not run: Windows, virtual, outside its node selector."""
    nodes_known: bool
    """Whether the list of nodes could be read; without it `lacking` proves nothing."""
    no_pods: Gap | None = None
    """Why pods are not known, where the only agent is known by what it says of itself."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation, Pods, Nodes, DaemonSets, LoneAgent, LoneOptions)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> Agents | Gap:
        """Match agent pods with nodes."""
        installation, pods = scene.get(Installation), scene.get(Pods)
        if isinstance(pods, Gap):
            return _lone(scene, pods)
        if isinstance(installation, Gap):
            return installation
        nodes, daemon_sets = scene.get(Nodes), scene.get(DaemonSets)
        virtual = {n.name for n in nodes.items if _is_virtual(n)} if isinstance(nodes, Nodes) else set()
        # A DaemonSet that tolerates everything gets pods for virtual nodes too, which never start there.
        agents = {name: one for name, one in _agents(installation, pods).items() if name not in virtual}
        workload = _workload(installation, daemon_sets)
        bare = [node for node in nodes.items if node.name not in agents] if isinstance(nodes, Nodes) else []
        by_design = [node for node in bare if not _should_run_on(node, workload)]
        return Agents(
            provenance=replace(pods.provenance, way="agent pods"),
            by_node=agents,
            lacking=tuple(node for node in bare if node not in by_design),
            by_design=tuple(node.name for node in by_design),
            nodes_known=isinstance(nodes, Nodes),
        )

    @property
    def blind(self) -> Gap | None:
        """Why nothing can be judged by pods: there are none, only an agent that can be asked."""
        return self.no_pods

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that has or should have an agent, by name."""
        return tuple(sorted({*self.by_node, *(node.name for node in self.lacking)}))

    def ref(self, node: str) -> Ref:
        """The agent of a node as a subject: its pod, or the node where no pod is known."""
        agent = self.by_node.get(node)
        return agent.pod.ref if agent and not agent.is_lone else Ref("Node", node, node=node)

    def on(self, node: str) -> Agent | Gap:
        """The running agent of a node, or why no command can be run there."""
        agent = self.by_node.get(node)
        if agent is None:
            kind = GapKind.NO_AGENT_BY_DESIGN if node in self.by_design else GapKind.NOT_RUNNING
            return Gap(kind, f"no agent pod on {node}", node=node)
        if agent.is_running:
            return agent
        state = agent.status.waiting_reason if agent.status else ""
        return Gap(
            GapKind.NOT_RUNNING,
            f"container {agent.container} of {agent.pod.metadata.name} on {node} does not run"
            + (f" ({state})" if state else ""),
            node=node,
        )


def _lone(scene: Scene, pods: Gap) -> Agents | Gap:
    """The agent that an archive is of: it ran, or it could not have told anything."""
    lone, options = scene.get(LoneAgent), scene.get(LoneOptions)
    if isinstance(lone, Gap) or isinstance(options, Gap) or not lone.node:
        return pods
    container = ContainerStatus(name=AGENT, state=ContainerState(running=Running(options.started_at)))
    pod = Pod(
        metadata=Meta(name=f"(agent on {lone.node})", namespace=options.namespace),
        spec=PodSpec(node_name=lone.node),
        status=PodStatus(container_statuses=(container,)),
    )
    return Agents(
        provenance=lone.provenance,
        by_node={lone.node: Agent(lone.node, pod, AGENT, lone.version, is_lone=True)},
        lacking=(),
        by_design=(),
        nodes_known=False,
        no_pods=pods,
    )


def _agents(installation: Installation, pods: Pods) -> dict[str, Agent]:
    found: dict[str, Agent] = {}
    for pod in pods.matching(installation.selector, installation.namespace):
        node = pod.spec.node_name
        if node and (node not in found or found[node].pod.is_going):
            found[node] = Agent(node, pod, installation.container)
    return dict(sorted(found.items()))


def _workload(installation: Installation, daemon_sets: DaemonSets | Gap) -> DaemonSet | None:
    if isinstance(daemon_sets, Gap) or installation.workload is None:
        return None
    return next((item for item in daemon_sets.items if item.ref == installation.workload), None)


def _is_virtual(node: Node) -> bool:
    """Whether no machine stands behind a node, so that no agent can run there."""
    if node.metadata.label("type") in ("virtual-kubelet", "kwok"):
        return True
    if "fargate" in node.metadata.label("eks.amazonaws.com/compute-type"):
        return True
    return any(taint.key in _VIRTUAL for taint in node.spec.taints or ())


def _should_run_on(node: Node, workload: DaemonSet | None) -> bool:
    if node.operating_system not in ("", "linux"):
        return False
    if _is_virtual(node):
        return False
    wanted = workload.spec.template.spec.node_selector if workload else None
    return node.metadata.has_labels(wanted or {})
