"""What the rules make of the traffic of one identity, as agents compute it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playbooks.practice.objects import Json
from playbooks.practice.policies.entities import reserved
from playbooks.practice.policies.peers import Labelled, Labels, Selector
from playbooks.practice.policies.rules import LISTENERS, Origin, Port, Ports, Rule

NORMAL, BASELINE = 200, 255
"""Tiers: of policies, and of what holds where they say nothing."""
_BASELINE_PRIORITY = 10
_ALL_PORTS = Port("ANY")


@dataclass(frozen=True)
class Outcome:
    """What happens to traffic of one selector on one port."""

    is_deny: bool = False
    """Whether it is refused."""
    l7: Json | None = None
    """What a proxy asks for, by its kind; nothing where no proxy looks."""
    priority: int = 0
    """How much later than the first it counts."""
    origins: tuple[Origin, ...] = ()
    """The policies that say so."""

    @property
    def kind(self) -> str:
        """The kind of the proxy; empty for none."""
        return next(iter(self.l7 or {}), "")

    @property
    def precedence(self) -> int:
        """What an entry of a map is ordered by: the highest wins."""
        low = 255 if self.is_deny else 255 - LISTENERS[self.kind] if self.kind else 1
        return (0xFFFFFF - self.priority) << 8 | low

    @property
    def document(self) -> Json | None:
        """As the agent writes it."""
        if self.is_deny:
            return {"verdict": 1}
        if self.kind and self.l7:
            return {"listenerPriority": LISTENERS[self.kind], **self.l7}
        return {"priority": self.priority} if self.priority else None


@dataclass(frozen=True)
class Filter:
    """One port of a direction with whoever may use it."""

    tier: int
    """The tier."""
    port: Port
    """The port."""
    outcomes: tuple[tuple[Selector, Outcome], ...]
    """By selector, in the order of their text."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The policies behind it."""
        return tuple(sorted({one for _, outcome in self.outcomes for one in outcome.origins}))


@dataclass(frozen=True)
class Direction:
    """What is computed for one direction."""

    is_enforced: bool = False
    """Whether any policy speaks of it."""
    filters: tuple[Filter, ...] = ()
    """In the order of tiers and rules."""


@dataclass(frozen=True)
class Computed:
    """The policy of one identity."""

    ingress: Direction
    """What comes in."""
    egress: Direction
    """What goes out."""

    def direction(self, *, is_ingress: bool) -> Direction:
        """One of them."""
        return self.ingress if is_ingress else self.egress

    @property
    def enabled(self) -> str:
        """`none`, `ingress`, `egress` or `both`."""
        sides = (self.ingress.is_enforced, self.egress.is_enforced)
        return {(True, True): "both", (True, False): "ingress", (False, True): "egress"}.get(sides, "none")


@dataclass(frozen=True, slots=True)
class Mode:
    """How the agent was told to enforce policies."""

    enforcement: str = "default"
    """`default`, `always` or `never`."""
    allows_host: bool = True
    """Whether the host may always talk to its own pods."""


def computed(rules: Iterable[Rule], subject: Labels, mode: Mode, *, is_node: bool = False) -> Computed:
    """What the rules say to an endpoint with these labels."""
    mine = [rule for rule in rules if rule.is_node == is_node and rule.subject.selects(subject)]
    return Computed(
        *(_direction([one for one in mine if one.is_ingress == way], mode, way) for way in (True, False))
    )


def _direction(rules: list[Rule], mode: Mode, is_ingress: bool) -> Direction:
    is_always = mode.enforcement == "always"
    if mode.enforcement == "never" or not (rules or is_always):
        return Direction()
    merged: dict[tuple[int, Port], dict[Selector, Outcome]] = {}
    for rule in rules:
        for port, l7 in _ports(rule):
            outcomes = merged.setdefault((NORMAL, port), {})
            for selector in _peers(rule, rules):
                new = Outcome(rule.is_deny, l7 or None, 0, (rule.origin,))
                outcomes[selector] = _merged(outcomes.get(selector), new)
    for selector, origin in _built_in(rules, mode, is_ingress):
        outcome = Outcome(priority=_BASELINE_PRIORITY, origins=(Origin("", "", origin),))
        merged.setdefault((BASELINE, _ALL_PORTS), {})[selector] = outcome
    filters = (
        Filter(tier, port, tuple(sorted(outcomes.items(), key=lambda item: item[0].text)))
        for (tier, port), outcomes in merged.items()
        if outcomes
    )
    return Direction(True, tuple(filters))


def _built_in(rules: list[Rule], mode: Mode, is_ingress: bool) -> list[tuple[Labelled, str]]:
    found = []
    if is_ingress and mode.allows_host:
        found.append((reserved("host"), "allow-localhost-ingress"))
    if mode.enforcement != "always" and not any(rule.is_default_deny for rule in rules):
        found.append((Labelled(), f"allow-any-{'ingress' if is_ingress else 'egress'}"))
    return found


def _ports(rule: Rule) -> list[tuple[Port, Json]]:
    if rule.is_empty:
        return []
    listed = rule.ports or (Ports((_ALL_PORTS,)),)
    return [(port, {} if rule.is_deny else ports.l7) for ports in listed for port in ports.ports]


def _peers(rule: Rule, rules: list[Rule]) -> tuple[Selector, ...]:
    peers = (Labelled(),) if rule.peers is None else rule.peers
    demands = [demand for one in rules for demand in one.demands]
    if not demands or rule.is_deny:
        return peers
    labels = [pair for demand in demands for pair in demand.labels]
    requirements = [one for demand in demands for one in demand.requirements]
    return tuple(one.narrowed(labels, requirements) if isinstance(one, Labelled) else one for one in peers)


def _merged(old: Outcome | None, new: Outcome) -> Outcome:
    if old is None:
        return new
    origins = tuple(sorted({*old.origins, *new.origins}))
    if old.is_deny or new.is_deny:
        denying = tuple(sorted({one for item in (old, new) if item.is_deny for one in item.origins}))
        return Outcome(True, None, 0, denying)
    if not (old.l7 or new.l7):
        return Outcome(False, None, 0, origins)
    kind = old.kind or new.kind
    # Whoever asks for nothing lets every request through, which the empty request says.
    asked = [list((one.l7 or {}).get(kind) or [{}]) for one in (old, new)]
    listed = [*asked[0], *(one for one in asked[1] if one not in asked[0])]
    return Outcome(False, {kind: listed}, 0, origins)
