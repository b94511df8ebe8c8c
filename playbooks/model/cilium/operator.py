"""The operator: its Deployment, its pods, and what the one that fails has said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.last_run import Run, log_of_run
from playbooks.model.cilium.logs_agent import Log, log_way
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.fact import Fact, Provenance, Scene
from playbooks.model.finding import Ref
from playbooks.model.kube.pods import ContainerStatus, Pod, Pods
from playbooks.model.kube.workloads import Deployment, Deployments
from playbooks.model.request import ContainerLog, Request

LABELS = ({"io.cilium/app": "operator"}, {"name": "cilium-operator"})
"""How operator pods are labelled."""
NAME = "cilium-operator"


@dataclass(frozen=True, kw_only=True)
class Operator(Fact):
    """The operator in Cilium's namespace."""

    namespace: str
    """Cilium's namespace."""
    deployment: Deployment | None
    """Its Deployment, if there is one."""
    sure: bool
    """Whether all Deployments and pods of that namespace were seen: without, absence proves nothing."""
    pods: tuple[Pod, ...]
    """Its pods, those that are not ready first."""
    seen: Provenance
    """Where the Deployment was looked for."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation, Deployments, Pods)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> Operator | Gap:
        """Find the Deployment and its pods by label."""
        installation, pods = scene.get(Installation), scene.get(Pods)
        if isinstance(installation, Gap):
            return installation
        if isinstance(pods, Gap):
            return pods
        deployments = scene.get(Deployments)
        found = None if isinstance(deployments, Gap) else _deployment(deployments, installation.namespace)
        known = () if isinstance(deployments, Gap) else (deployments,)
        whole = all(
            not fact.provenance.is_truncated and fact.provenance.namespace in ("", installation.namespace)
            for fact in (pods, *known)
        )
        mine = [pod for pod in pods.items if _is_of(pod, installation.namespace, found)]
        return Operator(
            provenance=replace(pods.provenance, way="operator pods"),
            namespace=installation.namespace,
            deployment=found,
            sure=bool(known) and whole,
            pods=tuple(sorted(mine, key=lambda pod: (pod.is_ready, pod.metadata.name))),
            seen=known[0].provenance if known else pods.provenance,
        )

    @property
    def ref(self) -> Ref:
        """The Deployment as a subject, also where it is missing."""
        return self.deployment.ref if self.deployment else Ref("Deployment", NAME, self.namespace)

    def standing(self, pod: Pod) -> Standing:
        """How one of its pods stands."""
        return standing_of(pod, container_of(pod), self.taken_at)

    @property
    def ready(self) -> tuple[Pod, ...]:
        """The pods that are ready."""
        return tuple(pod for pod in self.pods if self.standing(pod) is Standing.READY)

    @property
    def owner(self) -> str:
        """Who manages the Deployment."""
        return self.deployment.metadata.managed_by if self.deployment else ""


def container_of(pod: Pod) -> str:
    """The operator's container in a pod."""
    names = [container.name for container in pod.spec.containers or ()]
    return NAME if NAME in names or not names else names[0]


def status_of(pod: Pod) -> ContainerStatus | None:
    """The status of the operator's container."""
    return pod.container(container_of(pod))


def _deployment(deployments: Deployments, namespace: str) -> Deployment | None:
    for labels in LABELS:
        for key, value in labels.items():
            if found := deployments.labelled(key, value, namespace):
                return found
    return None


def _is_of(pod: Pod, namespace: str, deployment: Deployment | None) -> bool:
    if pod.metadata.namespace != namespace:
        return False
    selector = deployment.spec.selector.match_labels if deployment else None
    if selector:
        return pod.metadata.has_labels(selector)
    return any(pod.metadata.has_labels(labels) for labels in LABELS)


@dataclass(frozen=True, kw_only=True)
class OperatorLog(Log):
    """What the operator wrote in this run, or in its last one: of a pod that fails, if one does."""

    needs: ClassVar[tuple[type[Fact], ...]] = (Operator,)


@dataclass(frozen=True, kw_only=True)
class PreviousOperatorLog(Log):
    """What that operator wrote in the run before the one under way."""

    needs: ClassVar[tuple[type[Fact], ...]] = (Operator,)


def _ask(scene: Scene) -> Request | Gap | Fact:
    operator = scene.get(Operator)
    if isinstance(operator, Gap):
        return operator
    pod = _chosen(operator)
    status = status_of(pod) if pod else None
    if pod is None or status is None or not (status.state.running or status.last_end):
        return OperatorLog(provenance=Provenance("", "", operator.taken_at))
    return _log(pod)


def _ask_previous(scene: Scene) -> Request | Gap | Fact:
    operator = scene.get(Operator)
    if isinstance(operator, Gap):
        return operator
    pod = _chosen(operator)
    status = status_of(pod) if pod else None
    if pod is None or status is None or not (status.state.running and status.last_state.terminated):
        return PreviousOperatorLog(provenance=Provenance("", "", operator.taken_at))
    return _log(pod, is_previous=True)


def _chosen(operator: Operator) -> Pod | None:
    """The pod whose words matter: one that is not ready, else the first."""
    return next(iter(operator.pods), None)


def _log(pod: Pod, *, is_previous: bool = False) -> ContainerLog:
    meta = pod.metadata
    return ContainerLog(meta.namespace, meta.name, container_of(pod), pod.spec.node_name, is_previous)


OperatorLog.ways = (log_way("operator log", OperatorLog, _ask),)
PreviousOperatorLog.ways = (log_way("operator log before", PreviousOperatorLog, _ask_previous),)


@dataclass(frozen=True, kw_only=True)
class OperatorRun(Run):
    """The last ended run of the operator whose words were read."""

    pod: Pod | None
    """Its pod; None where there is no operator pod."""
    is_ready: bool
    """Whether that pod is ready now."""
    current: Log | None
    """The log of the run under way, if it could be read."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Operator, OperatorLog, PreviousOperatorLog)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> OperatorRun | Gap:
        """Choose the log that holds the run, else the kubelet's message."""
        operator = scene.get(Operator)
        if isinstance(operator, Gap):
            return operator
        pod = _chosen(operator)
        status = status_of(pod) if pod else None
        running = status is not None and status.state.running is not None
        current = scene.get(OperatorLog)
        told: Log | Gap = scene.get(PreviousOperatorLog) if running else current
        log, missing = log_of_run(status, told, operator.provenance)
        return OperatorRun(
            provenance=operator.provenance,
            end=status.last_end if status else None,
            log=log,
            missing=missing or (current if isinstance(current, Gap) else None),
            pod=pod,
            is_ready=pod is not None and operator.standing(pod) is Standing.READY,
            current=current if isinstance(current, Log) and current.is_there else None,
        )
