"""Whom a rule of a policy is about: pods by labels, entities, prefixes, DNS names, services, nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network

from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.labels import Labels, selects

_WORLD = frozenset({"world", "world-ipv4", "world-ipv6"})
_OF_CLUSTER = frozenset(
    {"host", "remote-node", "health", "init", "unmanaged", "ingress", "kube-apiserver", "aggregate-cluster"}
)


class Match(StrEnum):
    """Whether a peer is meant."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """It depends on something that labels and address do not tell."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection."""

    labels: Labels
    """Of its identity."""
    address: str = ""
    """Its address, where known."""
    names: tuple[str, ...] = ()
    """DNS names that lead to the address, where known."""

    @property
    def is_outside(self) -> bool:
        """Whether it is no part of any cluster."""
        return bool(self.labels.reserved & _WORLD or self.labels.cidrs) and not self.labels.namespace


@dataclass(frozen=True, slots=True)
class Selected:
    """Pods by label."""

    selector: Selector
    namespace: str
    """Of the policy; empty for one of the whole cluster."""

    def matches(self, peer: Peer) -> Match:
        """By the labels of the identity."""
        return Match.YES if selects(self.selector, peer.labels, self.namespace) else Match.NO

    def __str__(self) -> str:
        """As a person writes it."""
        return f"pods {self.selector}"


@dataclass(frozen=True, slots=True)
class Entity:
    """One of Cilium's names for groups of peers."""

    name: str

    def matches(self, peer: Peer) -> Match:
        """By the reserved labels of the identity."""
        reserved = peer.labels.reserved
        match self.name.lower():
            case "all":
                return Match.YES
            case "none":
                return Match.NO
            case "world":
                return _said(peer.is_outside)
            case "cluster":
                return _said(bool(reserved & _OF_CLUSTER or peer.labels.namespace) and not peer.is_outside)
            case name:
                return _said(name in reserved)

    def __str__(self) -> str:
        """As policies write it."""
        return f"entity {self.name}"


@dataclass(frozen=True, slots=True)
class Prefix:
    """Addresses outside the cluster, with holes."""

    cidr: str
    holes: tuple[str, ...] = ()

    def matches(self, peer: Peer) -> Match:
        """By address, and only what no cluster manages: pods and nodes never match a prefix by default."""
        if not peer.is_outside:
            return Match.NO
        if not peer.address:
            return Match.UNKNOWN
        inside = _contains(self.cidr, peer.address)
        if inside is Match.YES and any(_contains(hole, peer.address) is Match.YES for hole in self.holes):
            return Match.NO
        return inside

    def __str__(self) -> str:
        """The prefix with its holes."""
        return f"{self.cidr} without {', '.join(self.holes)}" if self.holes else self.cidr


@dataclass(frozen=True, slots=True)
class Name:
    """A DNS name, or a pattern of names."""

    pattern: str

    def matches(self, peer: Peer) -> Match:
        """By the names known for the address; the agent may know others."""
        if not peer.is_outside:
            return Match.NO
        return Match.YES if any(fits(self.pattern, name) for name in peer.names) else Match.UNKNOWN

    def __str__(self) -> str:
        """The pattern."""
        return f"name {self.pattern}"


@dataclass(frozen=True, slots=True)
class Unclear:
    """What only an agent can resolve: services, groups of a cloud, prefixes by group, nodes by label."""

    what: str

    def matches(self, peer: Peer) -> Match:  # noqa: ARG002 - one form for all peers
        """Not by labels and address alone."""
        return Match.UNKNOWN

    def __str__(self) -> str:
        """What is named."""
        return self.what


PeerRule = Selected | Entity | Prefix | Name | Unclear
"""Whom one entry of a rule is about."""


def fits(pattern: str, name: str) -> bool:
    """Whether a DNS name fits a pattern: `*` means letters within a label, a leading `**.` labels."""
    pattern, name = pattern.lower().rstrip("."), name.lower().rstrip(".")
    if pattern == "*":
        return bool(name)
    deep = pattern.startswith("**.")
    parts = [re.escape(part) for part in pattern.removeprefix("**.").split("*")]
    regex = "[-a-z0-9_]*".join(parts)
    return re.fullmatch(rf"([-a-z0-9_]+\.)+{regex}" if deep else regex, name) is not None


def meant(rules: Iterable[PeerRule], peer: Peer) -> Match:
    """Whether any of these is the peer."""
    found = [rule.matches(peer) for rule in rules]
    if Match.YES in found:
        return Match.YES
    return Match.UNKNOWN if Match.UNKNOWN in found else Match.NO


def _said(is_so: bool) -> Match:
    return Match.YES if is_so else Match.NO


def _contains(cidr: str, address: str) -> Match:
    try:
        return _said(ip_address(address) in ip_network(cidr, strict=False))
    except (ValueError, TypeError):
        return Match.UNKNOWN
