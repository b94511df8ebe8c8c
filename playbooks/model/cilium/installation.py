"""The installation: where Cilium runs and what it is called there; the first fact of all."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.lone_agent import LoneAgent, LoneOptions
from playbooks.model.fact import Fact, Scene
from playbooks.model.finding import Ref
from playbooks.model.kube.crds import GROUP, CiliumKinds
from playbooks.model.kube.pods import Container, Pod, Pods
from playbooks.model.kube.workloads import DaemonSet, DaemonSets

AGENT_LABELS = ({"k8s-app": "cilium"}, {"app.kubernetes.io/name": "cilium-agent"}, {"k8s-app": "anetd"})
"""How agent pods are labelled: the chart, renamed charts, GKE."""
_AGENT_COMMAND = re.compile(r"(^|/)cilium-agent$")
_KINDS_ONLY = f"Cilium's CRDs (group {GROUP}) are here, but no agent workload is visible"
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d+))?(?:[-+][\w.]+)?")


@dataclass(frozen=True, kw_only=True)
class Installation(Fact):
    """Where Cilium runs: namespace, workload, pod selector, container, version."""

    namespace: str
    """Namespace of the agents."""
    workload: Ref | None
    """The agents' DaemonSet, when it could be read."""
    selector: dict[str, str]
    """Labels of agent pods."""
    container: str
    """Name of the agent's container."""
    version: str
    """Version by image tag or chart label, such as `1.20.2`; empty when neither tells."""
    provider: str
    """`gke`, `aks`, `eks` or empty, as far as names tell."""
    needs: ClassVar[tuple[type[Fact], ...]] = (DaemonSets, Pods, CiliumKinds, LoneAgent, LoneOptions)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> Installation | Gap:
        """Find the DaemonSet by label, then by a container that runs `cilium-agent`; else the pods alone.

        As a last resort, Cilium's kinds tell at least that it is, or was, here.
        """
        daemon_sets = scene.get(DaemonSets)
        if not isinstance(daemon_sets, Gap):
            found = _agent_daemon_set(daemon_sets.items, scene)
            if found:
                return _from_daemon_set(daemon_sets, found, scene)
        pods = scene.get(Pods)
        if not isinstance(pods, Gap):
            for pod in pods.items:
                container = _agent_container(pod.spec.containers or (), scene)
                if container and _is_agent_pod(pod, scene):
                    return _from_pod(pods, pod, container, scene)
        return _lone(scene) or _not_found(daemon_sets, pods, scene)

    @property
    def minor(self) -> tuple[int, int] | None:
        """Major and minor version, when known."""
        return minor_of(self.version)


def version_of(image: str) -> str:
    """The version in an image's tag; empty for digests and floating tags."""
    tag = image.partition("@")[0].rpartition(":")[2]
    match = _VERSION.match(tag.removeprefix("v"))
    return match[0] if match and "/" not in tag else ""


def minor_of(version: str) -> tuple[int, int] | None:
    """Major and minor of a version; nothing when it is not known."""
    match = _VERSION.search(version)
    return (int(match[1]), int(match[2])) if match else None


def _labels(scene: Scene) -> tuple[dict[str, str], ...]:
    if scene.choice.agent_selector:
        pairs = (part.partition("=") for part in scene.choice.agent_selector.split(","))
        return ({key.strip(): value.strip() for key, _, value in pairs},)
    return AGENT_LABELS


def _agent_container(containers: tuple[Container, ...], scene: Scene) -> Container | None:
    chosen = scene.choice.agent_container
    for container in containers:
        words = (*(container.command or ()), *(container.args or ()))
        if container.name == (chosen or "cilium-agent"):
            return container
        # Whoever names a container means that one: another in its place would hide a wrong name.
        if not chosen and (words and _AGENT_COMMAND.search(words[0])):
            return container
    return None


def _agent_daemon_set(items: tuple[DaemonSet, ...], scene: Scene) -> DaemonSet | None:
    chosen = scene.choice.cilium_namespace
    items = tuple(item for item in items if not chosen or item.metadata.namespace == chosen)
    running = [item for item in items if _agent_container(item.spec.template.spec.containers or (), scene)]
    for labels in _labels(scene):
        for item in running:
            if item.spec.template.metadata.has_labels(labels):
                return item
    return running[0] if running and not scene.choice.agent_selector else None


def _is_agent_pod(pod: Pod, scene: Scene) -> bool:
    chosen = scene.choice.cilium_namespace
    if chosen and pod.metadata.namespace != chosen:
        return False
    return any(pod.metadata.has_labels(labels) for labels in _labels(scene))


def _provider(container: Container, labels: dict[str, str]) -> str:
    if "anetd" in labels.values() or "gke" in container.image:
        return "gke"
    if "azurecr" in container.image or "microsoft" in container.image:
        return "aks"
    return ""


def _from_daemon_set(fact: DaemonSets, found: DaemonSet, scene: Scene) -> Installation:
    template = found.spec.template
    container = _agent_container(template.spec.containers or (), scene) or Container(name="cilium-agent")
    labels = found.spec.selector.match_labels or template.metadata.labels or {}
    chart = found.metadata.label("helm.sh/chart").removeprefix("cilium-")
    return Installation(
        provenance=replace(fact.provenance, way="DaemonSet"),
        namespace=found.metadata.namespace,
        workload=found.ref,
        selector=labels,
        container=container.name,
        version=version_of(container.image) or chart,
        provider=_provider(container, template.metadata.labels or {}),
    )


def _from_pod(fact: Pods, pod: Pod, container: Container, scene: Scene) -> Installation:
    labels = next(one for one in _labels(scene) if pod.metadata.has_labels(one))
    return Installation(
        provenance=replace(fact.provenance, way="agent pods"),
        namespace=pod.metadata.namespace,
        workload=None,
        selector=labels,
        container=container.name,
        version=version_of(container.image),
        provider=_provider(container, pod.metadata.labels or {}),
    )


def _lone(scene: Scene) -> Installation | None:
    lone, options = scene.get(LoneAgent), scene.get(LoneOptions)
    if isinstance(lone, Gap) or isinstance(options, Gap) or not lone.node:
        return None
    return Installation(
        provenance=replace(lone.provenance, way="the agent's own words"),
        namespace=options.namespace,
        workload=None,
        selector={},
        container="cilium-agent",
        version=lone.version,
        provider="",
    )


def _not_found(daemon_sets: DaemonSets | Gap, pods: Pods | Gap, scene: Scene) -> Gap:
    kinds, choice = scene.get(CiliumKinds), scene.choice
    is_served = not isinstance(kinds, Gap) and (kinds.plurals is None or bool(kinds.plurals))
    for seen in (daemon_sets, pods):
        if isinstance(seen, Gap):
            return replace(seen, detail=f"{_KINDS_ONLY}: {seen.detail}") if is_served else seen
    chosen = (
        f" in namespace {choice.cilium_namespace}" if choice.cilium_namespace else "",
        f" with labels {choice.agent_selector}" if choice.agent_selector else "",
        f" in a container named {choice.agent_container}" if choice.agent_container else "",
    )
    otherwise = "that is not how it is installed here" if any(chosen) else "is labelled otherwise"
    absent = "its agents were removed" if is_served else "Cilium is not installed"
    said = f"no DaemonSet or pod runs cilium-agent{''.join(chosen)}: {absent}, or {otherwise}"
    return Gap(
        GapKind.NOT_FOUND,
        f"{_KINDS_ONLY}; {said}" if is_served else said,
        command=daemon_sets.provenance.command if isinstance(daemon_sets, DaemonSets) else "",
        remedy="name it with --cilium-namespace, --agent-selector and --agent-container",
    )
