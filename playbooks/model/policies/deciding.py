"""What the policies as written say about one direction of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playbooks.model.finding import Ref
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Match, Peer
from playbooks.model.policies.written import Direction, Rule, Written


class Decision(StrEnum):
    """What follows from the policies."""

    FREE = "free"
    """No policy puts the endpoint into default deny for the direction, and none refuses."""
    ADMITTED = "admitted"
    """A rule admits."""
    NOT_ADMITTED = "not admitted"
    """The endpoint is in default deny, and no rule admits."""
    DENIED = "denied"
    """A rule refuses."""
    UNKNOWN = "unknown"
    """It depends on what labels and addresses do not tell."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One direction of a connection, seen from the endpoint whose policies decide."""

    labels: Labels
    """Of the endpoint."""
    direction: Direction
    """Whether the peer comes in or is gone to."""
    peer: Peer
    """The other end."""
    port: int
    """Of the destination."""
    protocol: str
    """`TCP`, `UDP`, `SCTP`, `ICMP`."""
    port_names: tuple[str, ...] = ()
    """What the destination pod calls the port."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with whom it comes from."""

    decision: Decision
    """What follows."""
    rules: tuple[Rule, ...] = ()
    """The rules that admit or refuse, or that may."""
    default_deny: tuple[Ref, ...] = ()
    """Policies for which the endpoint refuses what no rule admits."""


def decide(policies: tuple[Written, ...], asked: Asked) -> Decided:
    """What the policies say: refusal wins, then admission, then default deny."""
    selecting = [one for one in policies if one.selects(asked.labels)]
    refs = (one.policy for one in selecting if asked.direction in one.default_deny)
    default_deny = tuple(dict.fromkeys(refs))
    denied = _matching(selecting, asked, deny=True)
    if sure := denied[Match.YES]:
        return Decided(Decision.DENIED, sure, default_deny)
    if unsure := denied[Match.UNKNOWN]:
        return Decided(Decision.UNKNOWN, unsure, default_deny)
    if not default_deny:
        return Decided(Decision.FREE)
    admitted = _matching(selecting, asked, deny=False)
    if sure := admitted[Match.YES]:
        return Decided(Decision.ADMITTED, sure, default_deny)
    if unsure := admitted[Match.UNKNOWN]:
        return Decided(Decision.UNKNOWN, unsure, default_deny)
    return Decided(Decision.NOT_ADMITTED, (), default_deny)


def _matching(selecting: list[Written], asked: Asked, *, deny: bool) -> dict[Match, tuple[Rule, ...]]:
    rules = [
        rule
        for one in selecting
        for rule in one.of(asked.direction, deny=deny)
        if rule.is_at(asked.port, asked.protocol, asked.port_names)
    ]
    found = [(rule, rule.concerns(asked.peer)) for rule in rules]
    return {match: tuple(rule for rule, said in found if said is match) for match in Match}
