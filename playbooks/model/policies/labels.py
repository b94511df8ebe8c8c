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


def _split(label: str) -> tuple[str, str, str]:
    """Source, key and value of a label."""
    name, _, value = label.partition("=")
    source, mark, key = name.partition(":")
    return (source, key, value) if mark else ("unspec", name, value)


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
        for source, key, value in map(_split, self.written):
            found[f"{source}:{key}"] = found[f"any:{key}"] = found[key] = value
        return found

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Names of the reserved identities it stands for, such as `world` or `host`."""
        return frozenset(key for source, key, _ in map(_split, self.written) if source == _RESERVED)

    @cached_property
    def namespace(self) -> str:
        """The pod's namespace; empty for what is no pod."""
        return self.by_key.get(NAMESPACE, "")

    @cached_property
    def cidrs(self) -> tuple[str, ...]:
        """Prefixes that an identity outside the cluster stands for, as agents write them."""
        split = map(_split, self.written)
        return tuple(key.replace("-", ":") for source, key, _ in split if source in ("cidr", "cidrgroup"))


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
    is_here = labels.namespace == namespace if namespace else bool(labels.namespace)
    return is_here or is_scoped(selector)


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
