"""What is said of taking kube-proxy away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playbooks.model.finding import Evidence


class May(StrEnum):
    """Whether kube-proxy may go from a node, or from the cluster."""

    GO = "may go"
    WOULD_BREAK = "would break something"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that would not work any more."""

    what: str
    """What, and why, in one sentence."""
    fix: str
    """What to do before, in one sentence."""
    evidence: tuple[Evidence, ...] = ()
    """What shows it."""


@dataclass(frozen=True, slots=True)
class OnOneNode:
    """What is said of one node."""

    node: str
    """The node."""
    breaks: tuple[Break, ...] = ()
    """What would break there."""
    unchecked: tuple[str, ...] = ()
    """What could not be checked there."""
    notes: tuple[str, ...] = ()
    """What to know or to clear afterwards."""

    @property
    def may(self) -> May:
        """What follows from it."""
        if self.breaks:
            return May.WOULD_BREAK
        return May.CANNOT_TELL if self.unchecked else May.GO


@dataclass(frozen=True, slots=True)
class Removal:
    """What is said of the cluster."""

    proxies: int
    """On how many nodes a pod of kube-proxy runs."""
    breaks: tuple[Break, ...]
    """What would break everywhere."""
    nodes: tuple[OnOneNode, ...]
    """By name."""
    unchecked: tuple[str, ...]
    """What could not be checked of the cluster."""
    notes: tuple[str, ...]
    """What to know before."""
    compare: tuple[tuple[str, str], ...]
    """What to compare before and after: a sentence, and the command that shows it."""

    @property
    def may(self) -> May:
        """The worst of all."""
        said = {one.may for one in self.nodes}
        if self.breaks or May.WOULD_BREAK in said:
            return May.WOULD_BREAK
        return May.CANNOT_TELL if self.unchecked or not self.nodes or May.CANNOT_TELL in said else May.GO
