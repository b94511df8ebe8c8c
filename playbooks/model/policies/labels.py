"""Labels of identities, and how selectors of policies match them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from playbooks.model.kube.selectors import Selector

NAMESPACE = "io.kubernetes.pod.namespace"
"""The label that tells a pod's namespace."""
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
"""What precedes the labels of a pod's namespace."""
CLUSTER = "io.cilium.k8s.policy.cluster"
"""The label that tells an identity's cluster."""
_RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class _Split:
    source: str
    key: str
    value: str

    @classmethod
    def of(cls, label: str) -> _Split:
        name, _, value = label.partition("=")
        source, mark, key = name.partition(":")
        return cls(source, key, value) if mark else cls("unspec", name, value)


@dataclass(frozen=True)
class Labels:
    """The labels of one identity or endpoint, written as `source:key=value`."""

    written: tuple[str, ...]
    """As agents write them."""

    @classmethod
    def of_pod(
        cls, labels: Mapping[str, str], namespace: str, namespace_labels: Mapping[str, str] | None = None
    ) -> Labels:
        """The labels that a pod's identity would have if all of them counted."""
        return cls(
            (
                *(f"k8s:{key}={value}" for key, value in labels.items()),
                f"k8s:{NAMESPACE}={namespace}",
                *(f"k8s:{NAMESPACE_LABELS}{key}={value}" for key, value in (namespace_labels or {}).items()),
            )
        )

    @cached_property
    def by_key(self) -> Mapping[str, str]:
        """Values by every spelling of their keys: `k8s:app`, `any:app` and `app`."""
        found: dict[str, str] = {}
        for one in map(_Split.of, self.written):
            for key in (f"{one.source}:{one.key}", f"any:{one.key}", one.key):
                found[key] = one.value
        return found

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Names of the reserved identities it stands for, such as `world` or `host`."""
        split = map(_Split.of, self.written)
        return frozenset(one.key for one in split if one.source == _RESERVED)

    @property
    def namespace(self) -> str:
        """The pod's namespace; empty for what is no pod."""
        return self.by_key.get(NAMESPACE, "")

    @property
    def cidrs(self) -> tuple[str, ...]:
        """Prefixes that an identity outside the cluster stands for, as agents write them."""
        split = map(_Split.of, self.written)
        return tuple(one.key.replace("-", ":") for one in split if one.source in ("cidr", "cidrgroup"))


def is_scoped(selector: Selector) -> bool:
    """Whether a selector itself says in which namespaces it selects, or names a reserved identity."""
    keys = {_bare(key) for key in _keys(selector)}
    is_reserved = any(key.startswith(f"{_RESERVED}:") for key in _keys(selector))
    return is_reserved or any(key == NAMESPACE or key.startswith(NAMESPACE_LABELS) for key in keys)


def selects(selector: Selector, labels: Labels, namespace: str = "") -> bool:
    """Whether a selector of a policy of a namespace (none: of the whole cluster) selects an identity.

    Without a namespace in the selector it means the policy's own; in a clusterwide policy, every pod.
    """
    if not selector.matches(labels.by_key):
        return False
    if is_scoped(selector):
        return True
    return labels.namespace == namespace if namespace else bool(labels.namespace)


def differing(selector: Selector, labels: Labels) -> tuple[str, ...]:
    """Keys of the labels that a selector asks for and that are not so."""
    wanted = selector.match_labels or {}
    off = [key for key, value in wanted.items() if labels.by_key.get(key) != value]
    off += [one.key for one in selector.match_expressions or () if not one.matches(labels.by_key)]
    return tuple(off)


def _keys(selector: Selector) -> Iterable[str]:
    yield from selector.match_labels or {}
    for one in selector.match_expressions or ():
        yield one.key


def _bare(key: str) -> str:
    source, mark, rest = key.partition(":")
    return rest if mark and "/" not in source else key
