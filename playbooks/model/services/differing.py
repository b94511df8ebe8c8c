"""What differs between Kubernetes, an agent and its maps in both looks, service by service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.fact import Change
from playbooks.model.finding import Ref, Severity
from playbooks.model.views.differences import Difference, Kind, Side, lasting
from playbooks.model.views.services import ServiceView

WHOLE = "the whole frontend"


@dataclass(frozen=True, slots=True)
class Differing:
    """The differences of one service on one node."""

    ref: Ref
    """The service, or the frontend's address where nobody tells whose it is."""
    items: tuple[Difference, ...]
    """What differs, in both looks alike."""

    @property
    def severity(self) -> Severity:
        """A frontend too many harms nobody who calls what there is."""
        harmless = all(one.kind is Kind.EXTRA and one.detail == WHOLE for one in self.items)
        return Severity.WARN if harmless else Severity.ERROR

    @property
    def said(self) -> str:
        """All of them, a line each."""
        return "\n".join(one.said for one in self.items[:5])

    @property
    def sends_astray(self) -> bool:
        """Whether traffic is sent to what is no backend any more."""
        return any(one.kind in (Kind.EXTRA, Kind.STALE) and one.detail != WHOLE for one in self.items)


def differing(view: Change[ServiceView], side: Side, node: str) -> Iterator[Differing]:
    """What one side has wrong in both looks."""
    found: dict[Ref, list[Difference]] = {}
    for one in lasting(view.before.differences, view.after.differences):
        if one.side is side:
            found.setdefault(_ref(one, node), []).append(one)
    return (Differing(ref, tuple(items)) for ref, items in sorted(found.items()))


def _ref(one: Difference, node: str) -> Ref:
    return Ref("Service", one.name, one.namespace) if one.name else Ref("Frontend", one.subject, "", node)
