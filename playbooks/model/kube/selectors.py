"""Label selectors, with Kubernetes' matching rules."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.model.kube.meta import Object


class Expression(Object, frozen=True):
    """One requirement on a label."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; an operator unknown here is met by nothing."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value is not None and value in (self.values or ())
            case "NotIn":
                return value is None or value not in (self.values or ())
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
        return False


class Selector(Object, frozen=True):
    """A label selector; an empty one matches everything."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Expression, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing and so matches everything."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet all of it."""
        wanted = self.match_labels or {}
        return all(labels.get(key) == value for key, value in wanted.items()) and all(
            expression.matches(labels) for expression in self.match_expressions or ()
        )

    def __str__(self) -> str:
        """As a person writes it: `app=cart,tier in (a,b)`."""
        parts = [f"{key}={value}" for key, value in (self.match_labels or {}).items()]
        for one in self.match_expressions or ():
            values = f" ({','.join(one.values)})" if one.values else ""
            parts.append(f"{one.key} {one.operator}{values}")
        return ",".join(parts) or "<everything>"
