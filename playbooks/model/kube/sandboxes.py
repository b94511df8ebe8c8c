"""Pods that wait for their network, and what the CNI plug-in said each time it was asked for one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.fact import Fact, Scene
from playbooks.model.finding import Evidence, Ref
from playbooks.model.kube.events import Event, Warnings
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.moments import is_recent, lasts

_REASON = "failedcreatepodsandbox"
_LATELY = timedelta(minutes=15)
"""The kubelet tries again at least this often, but tells of it seldom after a while."""
_YOUNG = timedelta(minutes=1)
_TRIED = timedelta(seconds=20)
"""Two attempts of the kubelet are that far apart, and more."""
_CILIUM = re.compile(
    r"cilium|range is full|no more ips|unable to (create endpoint|allocate ip)|\[(post /ipam|put /endpoint)",
    re.IGNORECASE,
)
_BEFORE = re.compile(r'^.*(?:failed \((?:add|del|check)\): |(?<=" )network: |netplugin failed: )', re.DOTALL)
_QUOTED = re.compile(r"^failed to setup network for sandbox \"[^\"]*\": ")


class Refusal(StrEnum):
    """Why a pod got no network, as far as the plug-in's words tell it."""

    NO_AGENT = "no agent"
    NO_ADDRESS = "no address"
    NO_ANSWER = "no answer in time"
    NO_PLUGIN = "no plug-in"
    OTHER = "other"


# In this order: an agent that is not there is no agent that is slow.
_KINDS = (
    (
        Refusal.NO_AGENT,
        r"unable to connect to cilium agent|cilium\.sock: connect: |failed to create cilium agent client",
    ),
    (Refusal.NO_PLUGIN, r"failed to find plugin|cilium-cni\"?: (no such file|executable file not found)"),
    (
        Refusal.NO_ADDRESS,
        r"range is full|no more ips|no (free |available )+(ips?|address)|no ips? (is |are )?available"
        r"|all (pod )?cidrs? (ranges )?are exhausted|pool is (full|exhausted|empty)",
    ),
    (
        Refusal.NO_ANSWER,
        r"client timeout exceeded|context deadline exceeded|did not synchronously regenerate"
        r"|timed? ?out waiting|client\.timeout",
    ),
)


@dataclass(frozen=True, slots=True)
class WaitingPod:
    """A pod without a network, with what the kubelet reported."""

    pod: Pod
    """The pod."""
    events: tuple[Event, ...]
    """The failures of this very pod, the last one first."""

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return self.pod.ref

    @property
    def node(self) -> str:
        """Where it waits."""
        return self.pod.spec.node_name

    @property
    def words(self) -> str:
        """What the plug-in said last, without what the kubelet and the runtime put before it."""
        text = _BEFORE.sub("", self.events[0].text)
        return _QUOTED.sub("", text).strip()

    @property
    def refusal(self) -> Refusal:
        """What kind of failure the last one was."""
        said = self.events[0].text
        kinds = (kind for kind, pattern in _KINDS if re.search(pattern, said, re.IGNORECASE))
        return next(kinds, Refusal.OTHER)

    @property
    def first(self) -> datetime | None:
        """When it failed first."""
        return min((event.first for event in self.events if event.first), default=None)

    @property
    def last(self) -> datetime | None:
        """When it failed last."""
        return self.events[0].last


@dataclass(frozen=True, kw_only=True)
class WaitingPods(Fact):
    """Pods that Cilium's plug-in has refused a network more than once, and that still have none."""

    items: tuple[WaitingPod, ...]
    """In the order of the API."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Warnings, Pods)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> WaitingPods | Gap:
        """Join pods that wait with their events."""
        warnings, pods = scene.get(Warnings), scene.get(Pods)
        if isinstance(warnings, Gap):
            return warnings
        if isinstance(pods, Gap):
            return pods
        found = tuple(_waiting(warnings, pods))
        return cls(provenance=replace(warnings.provenance, way="events of pods that wait"), items=found)

    def on_nodes(self, refusal: Refusal) -> dict[str, WaitingGroup]:
        """Those that were refused so, by node."""
        by_node: dict[str, list[WaitingPod]] = defaultdict(list)
        for one in self.items:
            if one.refusal is refusal:
                by_node[one.node].append(one)
        return {node: WaitingGroup(tuple(found)) for node, found in by_node.items()}


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Pods that wait for one reason."""

    pods: tuple[WaitingPod, ...]
    """At least one."""

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All of them as subjects."""
        return tuple(one.ref for one in self.pods)

    @property
    def said(self) -> str:
        """How many wait, or which."""
        return f"{len(self.pods)} pods wait" if len(self.pods) > 1 else f"{self.pods[0].ref} waits"

    @property
    def first(self) -> datetime | None:
        """When it began."""
        return min((one.first for one in self.pods if one.first), default=None)

    @property
    def last(self) -> datetime | None:
        """When one was refused last."""
        return max((one.last for one in self.pods if one.last), default=None)

    def proof(self, waiting: WaitingPods) -> list[Evidence]:
        """The last words of the first three."""
        return [waiting.evidence(f"{one.ref}: {one.events[0].excerpt}") for one in self.pods[:3]]


def has_no_network(pod: Pod) -> bool:
    """Whether a pod was given to a node and has no address there yet."""
    if pod.spec.host_network or pod.is_going or not pod.spec.node_name:
        return False
    return pod.status.phase == "Pending" and not pod.status.pod_ip


def _waiting(warnings: Warnings, pods: Pods) -> Iterator[WaitingPod]:
    by_name: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in warnings.items:
        if (event.reason or "").lower() == _REASON and _CILIUM.search(event.text):
            by_name[event.involved_object.namespace, event.involved_object.name].append(event)
    for pod in pods.items:
        about = [e for e in by_name.get((pod.metadata.namespace, pod.metadata.name), ()) if e.is_about(pod)]
        if not about or not has_no_network(pod):
            continue
        about.sort(key=lambda event: event.last.timestamp() if event.last else 0.0, reverse=True)
        one = WaitingPod(pod, tuple(about))
        if _lasts(one, warnings.taken_at):
            yield one


def _lasts(one: WaitingPod, now: datetime) -> bool:
    """Whether it failed again and again, and not long ago: one failure is over after a moment."""
    times = sum(event.times for event in one.events)
    # A range or a folder does not fill by itself in a moment; agents start, and slow answers come.
    decides = one.refusal in (Refusal.NO_ADDRESS, Refusal.NO_PLUGIN)
    is_old = lasts(one.first, now, _TRIED if decides else _YOUNG)
    return times > 1 and is_recent(one.last, now, _LATELY) and is_old
