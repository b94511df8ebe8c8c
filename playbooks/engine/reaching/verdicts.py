"""What is said of a connection: one verdict for each end, with what decides it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playbooks.engine.reaching.requests import Asked
from playbooks.model.cilium.agent.recent_flows import RecentFlow
from playbooks.model.finding import Evidence, Ref
from playbooks.model.policies.drafting import Draft, Opened
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.requesting import Addition
from playbooks.model.policies.written import Direction, Rule, Written


class Said(StrEnum):
    """What one end does with the connection."""

    ADMITTED = "admitted"
    NOT_ADMITTED = "not admitted"
    """The endpoint is in default deny, and nothing admits."""
    DENIED = "denied"
    """Something refuses it by name."""
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Missing:
    """The two ends between which a rule is missing: neither the map nor the policies as written admit."""

    endpoint: Labels
    """Of the endpoint whose policy refuses."""
    peer: Peer
    """The other end."""


@dataclass(frozen=True, slots=True)
class Side:
    """One end, and what its agent and policy map do."""

    direction: Direction
    """Egress at the source, ingress at the destination."""
    endpoint: str
    """Whose policy decides: `namespace/pod`, or what stands for it."""
    node: str
    """Where it is decided; empty where nobody decides."""
    peer: str
    """The other end as this node knows it: `identity 4711 (k8s:app=cart)`."""
    said: Said
    """The verdict."""
    why: str
    """In one sentence: the map's entry, or what is missing."""
    evidence: tuple[Evidence, ...] = ()
    """The answers that it rests on."""
    by: tuple[str, ...] = ()
    """Policies behind the entry as the agent names them, else as we read them."""
    rules: tuple[Rule, ...] = ()
    """The written rules that say so, by our reading."""
    default_deny: tuple[Ref, ...] = ()
    """Policies that put the endpoint into default deny for the direction."""
    requests: tuple[str, ...] = ()
    """Which requests pass, where a proxy looks at them."""
    doubts: tuple[str, ...] = ()
    """Where agent, map and policies as written do not agree."""
    missing: Missing | None = None
    """Between whom a rule would have to admit, if it is a rule that is missing."""
    refused: Asked | None = None
    """The request that is refused where the port is not: only that is missing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a destination, one pod or address each."""

    source: str
    destination: str
    port: int
    protocol: str
    egress: Side
    ingress: Side
    port_names: tuple[str, ...] = ()
    """What the destination pod calls the port."""

    @property
    def said(self) -> Said:
        """Both together: a refusal is certain, whatever the other end does."""
        both = (self.egress.said, self.ingress.said)
        for refused in (Said.DENIED, Said.NOT_ADMITTED):
            if refused in both:
                return refused
        return Said.CANNOT_TELL if Said.CANNOT_TELL in both else Said.ADMITTED


@dataclass(frozen=True, slots=True)
class Observed:
    """Refusals of just this connection that Hubble remembers."""

    flows: tuple[RecentFlow, ...]
    """Oldest first."""
    evidence: Evidence
    """Where they were seen."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rule that one end lacks."""

    endpoint: str
    """Whose policy lacks it."""
    draft: Draft
    """The rule."""
    holder: Written | None
    """The policy that should hold it; nothing where a policy of its own is better."""
    opened: Opened | None
    """What else it opens; nothing where pods are not known."""

    addition: Addition | None = None
    """The request as an addition to those that the policy lists, where that is all that is missing."""
    alone: Opened | None = None
    """What else a policy of its own opens; nothing where pods are not known."""

    @property
    def shown(self) -> str:
        """The change to the policy that should hold it, or the new policy."""
        if self.addition:
            return self.addition.shown_diff
        return self.draft.shown_diff(self.holder) if self.holder else self.draft.shown_yaml


@dataclass(frozen=True, slots=True)
class Reach:
    """The whole answer: what was seen, what policies say now, what could not be checked."""

    source: str
    """What the source was taken for."""
    destination: str
    """What the destination was taken for."""
    observed: tuple[Observed, ...]
    """Refusals that were seen, by node."""
    pairs: tuple[Pair, ...]
    """One verdict for each pair that was looked at."""
    left_out: int
    """Pairs that were not looked at, because there are too many."""
    unchecked: tuple[str, ...]
    """What could not be checked, and why."""
    drafts: tuple[Drafted, ...] = ()
    """Rules that would admit what is not admitted."""

    @property
    def said(self) -> Said:
        """Of all pairs: the worst that is certain."""
        for one in (Said.DENIED, Said.NOT_ADMITTED, Said.CANNOT_TELL):
            if any(pair.said is one for pair in self.pairs):
                return one
        return Said.ADMITTED if self.pairs and not self.left_out else Said.CANNOT_TELL
