"""Pods as policies see them: with the labels of their namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.fact import Fact, Scene
from playbooks.model.kube.namespaces import Namespaces
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.selectors import Selector
from playbooks.model.mistyped import Mistyped, mistyped
from playbooks.model.policies.labels import Labels, is_scoped
from playbooks.model.policies.sorting import Carriers
from playbooks.model.policies.written import Written


def asked_labels(selector: Selector) -> Mapping[str, str]:
    """The labels that a selector asks for with one value each, however it is written."""
    single = {
        one.key: one.values[0]
        for one in selector.match_expressions or ()
        if one.operator == "In" and one.values and len(one.values) == 1
    }
    return {**(selector.match_labels or {}), **single}


@dataclass(frozen=True)
class LabelledPod:
    """A pod that policies can select: it has an address of its own."""

    pod: Pod
    """The pod."""
    labels: Labels
    """Its own and those of its namespace; which of them count for its identity is a matter of options."""


@dataclass(frozen=True, kw_only=True)
class LabelledPods(Fact):
    """All pods that policies can select."""

    items: tuple[LabelledPod, ...]
    """In the order of the API; without those on the host's network and those that are going."""
    on_host: tuple[LabelledPod, ...]
    """Those on the network of their hosts: no policy for pods acts on them."""
    has_namespace_labels: bool
    """Whether the labels of namespaces are known."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Pods, Namespaces)
    is_view: ClassVar[bool] = True

    @property
    def is_complete(self) -> bool:
        """Whether no pod of the cluster can be missing."""
        return not self.provenance.is_truncated and not self.provenance.namespace

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], LabelledPod]:
        """By namespace and name."""
        return {(one.pod.metadata.namespace, one.pod.metadata.name): one for one in self.items}

    @cached_property
    def carriers(self) -> Carriers:
        """Their labels, sorted."""
        return Carriers.of(one.labels for one in self.items)

    @cached_property
    def _kinds(self) -> Mapping[str, Mapping[tuple[str, ...], tuple[Labels, int]]]:
        """By namespace the different sets of labels that pods carry, with how many pods carry each."""
        found: dict[str, dict[tuple[str, ...], tuple[Labels, int]]] = {}
        for one in self.items:
            for namespace in ("", one.pod.metadata.namespace):
                kinds = found.setdefault(namespace, {})
                labels, count = kinds.get(one.labels.written, (one.labels, 0))
                kinds[one.labels.written] = (labels, count + 1)
        return found

    def selected(self, selector: Selector, namespace: str = "") -> Iterator[LabelledPod]:
        """Pods that a selector of a policy of a namespace (none: of the whole cluster) selects."""
        return (self.items[number] for number in self.carriers.selected(selector, namespace))

    def selected_by(self, policy: Written) -> Iterator[LabelledPod]:
        """Pods that a policy selects."""
        found = () if policy.is_for_nodes else self.selected(policy.selector, policy.namespace)
        return (one for one in found if policy.selects(one.labels))

    def near(self, selector: Selector, namespace: str = "") -> list[Mistyped]:
        """For each pod that carries nearly what a selector asks for: what it may have meant."""
        wanted = asked_labels(selector)
        found: list[Mistyped] = []
        where = "" if is_scoped(selector) else namespace
        for labels, count in self._kinds.get(where, {}).values() if wanted else ():
            wrong = mistyped(wanted, labels.by_key)
            found += [wrong] * count if wrong else []
        return found

    @classmethod
    def derive(cls, scene: Scene) -> LabelledPods | Gap:
        """Join pods with their namespaces."""
        pods, namespaces = scene.get(Pods), scene.get(Namespaces)
        if isinstance(pods, Gap):
            return pods
        of_namespace: dict[str, Mapping[str, str]] = {}
        if isinstance(namespaces, Namespaces):
            of_namespace = {one.metadata.name: one.metadata.labels or {} for one in namespaces.items}
        every = [LabelledPod(pod, _labels(pod, of_namespace)) for pod in pods.items if not pod.is_going]
        return cls(
            provenance=pods.provenance,
            items=tuple(one for one in every if not one.pod.spec.host_network),
            on_host=tuple(one for one in every if one.pod.spec.host_network),
            has_namespace_labels=isinstance(namespaces, Namespaces),
        )


def _labels(pod: Pod, of_namespace: Mapping[str, Mapping[str, str]]) -> Labels:
    meta = pod.metadata
    return Labels.of_pod(meta.labels or {}, meta.namespace, of_namespace.get(meta.namespace))
