"""Calls that somebody says are to pass, and what stands against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Fact, Scene
from playbooks.model.finding import Evidence, Ref
from playbooks.model.policies.written import Direction


@dataclass(frozen=True, slots=True)
class Refused:
    """One end that refuses a wanted call, for every pair of pods for which it does so alike."""

    direction: Direction
    """Ingress at who is called, egress at who calls."""
    endpoint: str
    """Whose policy refuses: `namespace/pod`, or what stands for it."""
    node: str
    """Where."""
    is_denied: bool
    """Whether a rule refuses; else no rule admits."""
    why: str
    """In one sentence: what the policy map holds or lacks."""
    policies: tuple[Ref, ...]
    """Which refuse, or put the endpoint into default deny."""
    evidence: tuple[Evidence, ...]
    """What it rests on."""
    pairs: int
    """Pairs of pods that are refused like this."""
    change: str
    """The rule that is missing, as a diff or a manifest; empty where none is drafted."""
    opens: str
    """What that rule opens beside, in words."""


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A call that is to pass."""

    source: str
    """Who calls, as it was named."""
    destination: str
    """Who is called, as it was named."""
    pairs: int
    """Pairs of pods that were judged."""
    refused: tuple[Refused, ...]
    """What refuses it, if anything does."""
    attempts: int
    """Attempts that Hubble saw refused lately."""
    doubts: tuple[str, ...]
    """Why it cannot be told whether it passes; empty where it can."""


@dataclass(frozen=True, kw_only=True)
class WantedCalls(Fact):
    """What a person named: calls that are to pass, and services that are to answer."""

    items: tuple[WantedCall, ...] = ()
    """Each call."""
    called: frozenset[tuple[str, str]] = frozenset()
    """Services that are named as called, by namespace and name."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation,)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> WantedCalls | Gap:
        """Nothing, where nobody named anything: whoever runs the rules knows better."""
        installation = scene.get(Installation)
        return installation if isinstance(installation, Gap) else cls(provenance=installation.provenance)
