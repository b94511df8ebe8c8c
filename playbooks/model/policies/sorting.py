"""Who selects whom, found by label: many policies and many pods are not compared each with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge

from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.labels import NAMESPACE, Labels, is_scoped, selects
from playbooks.model.policies.written import Written

_Label = tuple[str, str]
_MANY = 20
"""So many are looked through faster than another demand is thought of."""


@dataclass(frozen=True, slots=True)
class Carriers:
    """Label sets by the labels in them."""

    every: Sequence[Labels]
    """In the order in which they were given; what is found is their numbers."""
    by_label: Mapping[_Label, Sequence[int]]
    """Numbers by every spelling of a key and its value, rising."""

    @classmethod
    def of(cls, every: Iterable[Labels]) -> Carriers:
        """Sort them by label."""
        kept = tuple(every)
        found: dict[_Label, list[int]] = {}
        for number, labels in enumerate(kept):
            for label in labels.by_key.items():
                found.setdefault(label, []).append(number)
        return cls(kept, found)

    def selected(self, selector: Selector, namespace: str = "") -> Iterator[int]:
        """Numbers of those that a selector of a policy of a namespace (none: of all) selects, rising."""
        return (
            one for one in self._near(selector, namespace) if selects(selector, self.every[one], namespace)
        )

    def of_namespace(self, namespace: str) -> Sequence[int]:
        """Numbers of the pods of a namespace; without one, of all."""
        return self.by_label.get((NAMESPACE, namespace), ()) if namespace else range(len(self.every))

    def _near(self, selector: Selector, namespace: str) -> Iterable[int]:
        """Those that one of the selector's demands leaves, the fewest there are."""
        wanted = [self.by_label.get(label, ()) for label in (selector.match_labels or {}).items()]
        fewest = min(map(len, wanted), default=_MANY)
        if namespace and fewest >= _MANY and not is_scoped(selector):
            wanted.append(self.of_namespace(namespace))
        if wanted:
            return min(wanted, key=len)
        for one in selector.match_expressions or ():
            if one.operator == "In":
                lists = [self.by_label.get((one.key, value), ()) for value in dict.fromkeys(one.values or ())]
                return merge(*lists)
        return range(len(self.every))


@dataclass(frozen=True, slots=True)
class Selecting:
    """Rule sets by a label that each of them asks for."""

    every: Sequence[Written]
    """In the order in which they were given."""
    by_label: Mapping[tuple[str, _Label | None], Sequence[int]]
    """Numbers by namespace and the rarest label that the selector asks for; nothing if it asks for none."""

    @classmethod
    def of(cls, every: Sequence[Written]) -> Selecting:
        """Sort them by namespace and label."""
        counts = Counter(label for one in every for label in (one.selector.match_labels or {}).items())
        found: dict[tuple[str, _Label | None], list[int]] = {}
        for number, one in enumerate(every):
            rarest = min(
                (one.selector.match_labels or {}).items(), key=lambda label: counts[label], default=None
            )
            found.setdefault((one.namespace, rarest), []).append(number)
        return cls(every, found)

    def of_endpoint(self, labels: Labels) -> Iterator[Written]:
        """Those that select an endpoint, in their order."""
        keys: list[_Label | None] = [None, *labels.by_key.items()]
        namespaces = dict.fromkeys(("", labels.namespace))
        numbers = (self.by_label.get((namespace, key), ()) for namespace in namespaces for key in keys)
        near = (self.every[number] for number in sorted(number for some in numbers for number in some))
        return (one for one in near if one.selects(labels))
