"""Why a node has no agent: its taints, the DaemonSet's selector, the scheduler, or nothing that is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.finding import Evidence, Ref
from playbooks.model.kube.events import Event, Warnings
from playbooks.model.kube.missing import missing_account
from playbooks.model.kube.nodes import Node, Taint
from playbooks.model.kube.pods import Pod, Pods, PodSpec, Toleration
from playbooks.model.kube.workloads import DaemonSet, DaemonSets
from playbooks.model.moments import STARTING, lasts

_ADDED = tuple(
    Toleration(key=f"node.kubernetes.io/{key}", operator="Exists", effect=effect)
    for key, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
        ("network-unavailable", "NoSchedule"),
    )
)
"""What the DaemonSet controller adds to every pod."""
_SCHEDULING = timedelta(seconds=15)
"""What controller and scheduler need for a pod."""


def untolerated(node: Node, spec: PodSpec) -> tuple[Taint, ...]:
    """The taints of a node that keep a DaemonSet's pod away."""
    tolerations = (*(spec.tolerations or ()), *_ADDED)
    return tuple(
        taint
        for taint in node.spec.taints or ()
        if taint.effect in ("NoSchedule", "NoExecute")
        and not any(one.tolerates(taint.key, taint.value, taint.effect) for one in tolerations)
    )


def has_no_network(node: Node) -> bool:
    """Whether a node says that nobody gives its pods a network."""
    ready = node.condition("Ready")
    return ready is not None and ready.status != "True" and says_no_network(ready.message)


def says_no_network(message: str) -> bool:
    """Whether a text of a node's condition is about the missing CNI."""
    words = message.lower()
    return "cni" in words or "network plugin" in words or "networkready=false" in words


def written(taint: Taint) -> str:
    """A taint as kubectl writes it."""
    return f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a node has no agent."""

    subject: Ref
    """What has to change."""
    why: str
    """In words; equal for equal faults."""
    proofs: tuple[Evidence, ...]
    remedy: str
    """What to do, as a sentence that begins with a verb."""
    command: str


@dataclass(frozen=True, slots=True)
class Placing:
    """Finds out why a node has no agent."""

    agents: Agents
    """The agents."""
    pods: Pods
    """All pods."""
    workload: DaemonSet | None
    """The agents' DaemonSet."""
    daemon_sets: DaemonSets
    """Where it was read."""
    warnings: Warnings | None
    """What was complained about."""

    def reason(self, node: Node) -> Reason | None:
        """Why a node has no agent; None when it has one, needs none, or is young."""
        if not lasts(node.metadata.creation_timestamp, self.agents.taken_at, STARTING):
            return None
        agent = self.agents.by_node.get(node.name)
        if agent:
            is_gone = standing_of(agent.pod, agent.container, self.agents.taken_at) is Standing.GONE
            return self._of_gone(agent.pod) if is_gone else None
        if node.name in self.agents.by_design:
            return self._of_selector(node)
        pending = next((pod for pod in self.pods.items if self._is_for(pod, node)), None)
        return self._of_pending(pending) if pending else self._of_nothing(node)

    def _is_for(self, pod: Pod, node: Node) -> bool:
        owner = pod.metadata.controller
        is_agent = self.workload and owner and owner.name == self.workload.metadata.name
        return bool(is_agent and not pod.spec.node_name and pod.meant_for == node.name)

    def _of_gone(self, pod: Pod) -> Reason:
        said = f"{pod.status.reason}: {pod.status.message}"
        remedy = f"Delete the ended pod {pod.metadata.name}, after making room on its node."
        command = kubectl("-n", pod.metadata.namespace, "delete", "pod", pod.metadata.name)
        why = f"its pod ended ({pod.status.reason or pod.status.phase})"
        return Reason(pod.ref, why, (self.pods.evidence(said),), remedy, command)

    def _of_pending(self, pod: Pod) -> Reason | None:
        scheduled = pod.condition_of("PodScheduled")
        if scheduled is None or scheduled.status == "True":
            return None
        if not lasts(pod.metadata.creation_timestamp, self.agents.taken_at, _SCHEDULING):
            return None
        proof = self.pods.evidence(f"PodScheduled False {scheduled.reason}: {scheduled.message}")
        command = kubectl("-n", pod.metadata.namespace, "describe", "pod", pod.metadata.name)
        said = scheduled.message.partition(" nodes are available: ")[2] or scheduled.message
        why = f"unschedulable: {said}"
        return Reason(pod.ref, why, (proof,), "Make room for the agent on its node.", command)

    def _of_selector(self, node: Node) -> Reason | None:
        """A node that the DaemonSet's selector leaves out counts only where it misses the agent."""
        if self.workload is None or node.operating_system not in ("", "linux"):
            return None
        wants_none = not self.agents.by_node and self.workload.status.desired_number_scheduled == 0
        if not (wants_none or has_no_network(node)):
            return None
        selector = self.workload.spec.template.spec.node_selector or {}
        missing = ", ".join(f"{k}={v}" for k, v in selector.items() if node.metadata.label(k) != v)
        if not missing:
            return None
        proof = self.daemon_sets.evidence(f".spec.template.spec.nodeSelector: {missing}")
        remedy = f"Correct the nodeSelector of {self.workload.ref}, or label the nodes."
        return Reason(self.workload.ref, f"no label {missing}", (proof,), remedy, self._edit())

    def _of_affinity(self, workload: DaemonSet) -> Reason | None:
        """Some nodes are left out on purpose, but not all of them."""
        affinity = workload.spec.template.spec.affinity
        required = affinity.node_affinity.required if affinity and affinity.node_affinity else None
        is_settled = lasts(workload.metadata.creation_timestamp, self.agents.taken_at, STARTING)
        if (
            required is None
            or self.agents.by_node
            or workload.status.desired_number_scheduled
            or not is_settled
        ):
            return None
        proof = self.daemon_sets.evidence(
            ".spec.template.spec.affinity.nodeAffinity is required; .status.desiredNumberScheduled 0"
        )
        remedy = f"Correct the node affinity of {workload.ref}, or label the nodes."
        return Reason(workload.ref, "its node affinity fits no node", (proof,), remedy, self._edit())

    def _of_nothing(self, node: Node) -> Reason | None:
        workload = self.workload
        if workload is None:
            return None
        taints = untolerated(node, workload.spec.template.spec)
        if taints:
            names = ", ".join(written(taint) for taint in taints)
            proof = self.daemon_sets.evidence(f"{node.name} has taint {names}; the template tolerates it not")
            remedy = f"Let {workload.ref} tolerate every taint again, or take {names} away."
            return Reason(workload.ref, f"taint {names} is not tolerated", (proof,), remedy, self._edit())
        if workload.status.desired_number_scheduled <= len(self.agents.by_node):
            # The controller wants no pod there, for a reason that is not read here, such as an affinity.
            return self._of_affinity(workload)
        refused = tuple(self._refusals(workload))
        if not refused and not self._is_settled(workload):
            # A rollout replaces pods: for a moment there is none.
            return None
        proof = self.daemon_sets.evidence(
            f".status.desiredNumberScheduled {workload.status.desired_number_scheduled}, "
            f"agent pods {len(self.agents.by_node)}"
        )
        account = self._account(workload) if refused else None
        if account:
            remedy = f"Create {account} again, from the values in force."
            why = "it does not exist, so the pod of the DaemonSet is refused"
            return Reason(account, why, (*refused, proof), remedy, helm_upgrade(account.namespace))
        why = "the DaemonSet's pod is refused" if refused else "the DaemonSet's pod was not made"
        remedy = "Read why the controller does not make the pod: quota, admission, or the controller itself."
        command = kubectl("-n", workload.metadata.namespace, "describe", "daemonset", workload.metadata.name)
        return Reason(workload.ref if refused else node.ref, why, (*refused, proof), remedy, command)

    def _is_settled(self, workload: DaemonSet) -> bool:
        change, status = workload.metadata.last_change, workload.status
        if status.updated_number_scheduled < status.current_number_scheduled:
            return False
        if change is not None:
            return lasts(change.time, self.daemon_sets.taken_at, _SCHEDULING)
        # What kubectl wrote down has no managedFields: then the controller's own count, outside of rollouts.
        return status.current_number_scheduled < status.desired_number_scheduled

    def _account(self, workload: DaemonSet) -> Ref | None:
        """The ServiceAccount of the pods, if it is what they were refused for."""
        spec = workload.spec.template.spec
        found = (missing_account(one.text, workload.metadata.namespace) for one in self._refused(workload))
        return next((ref for ref in found if ref and ref.name == spec.service_account_name), None)

    def _refusals(self, workload: DaemonSet) -> Iterator[Evidence]:
        for event in self._refused(workload):
            if self.warnings:
                yield self.warnings.evidence(event.excerpt)

    def _refused(self, workload: DaemonSet) -> Iterator[Event]:
        for event in self.warnings.items if self.warnings else ():
            about = event.involved_object
            is_its = (about.kind, about.name) == ("DaemonSet", workload.metadata.name)
            if is_its and event.reason == "FailedCreate":
                yield event

    def _edit(self) -> str:
        namespace = self.workload.metadata.namespace if self.workload else ""
        return helm_upgrade(
            namespace, "tolerations[0].operator=Exists", "nodeSelector.kubernetes\\.io/os=linux"
        )
