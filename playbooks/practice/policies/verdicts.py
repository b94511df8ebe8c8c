"""What becomes of a new connection: the one place that decides it, for maps, flows and logs alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from playbooks.practice.policies.requests import Request

if TYPE_CHECKING:
    from playbooks.practice.world import World


class Decision(StrEnum):
    """What one direction says."""

    ALLOWED = "allowed"
    """By a rule, or because nothing is enforced."""
    DENIED = "denied"
    """By a deny rule: drop reason 181."""
    DEFAULT_DENIED = "default-denied"
    """No rule allows it where one must: drop reason 133."""


class Match(IntEnum):
    """What of the packet the deciding entry looked at, as flows number it (`policy_match_type`)."""

    NONE = 0
    L3 = 1
    L3_L4 = 2
    L4 = 3
    ALL = 4
    L3_PROTOCOL = 5
    PROTOCOL = 6


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The policy, or the built-in rule, that a decision comes from."""

    kind: str
    """`CiliumNetworkPolicy` …; empty for a built-in rule."""
    namespace: str
    """Empty for clusterwide ones."""
    name: str
    """Of the policy, or `allow-localhost-ingress`, `allow-any-egress`, `allow-any-ingress`."""
    uid: str = ""
    """Of the policy's object."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its rules, as agents and flows carry them."""
        if not self.kind:
            return (f"reserved:io.cilium.policy.derived-from={self.name}",)
        prefix = "k8s:io.cilium.k8s.policy"
        place = (f"{prefix}.namespace={self.namespace}",) if self.namespace else ()
        return (
            f"{prefix}.derived-from={self.kind}",
            f"{prefix}.name={self.name}",
            *place,
            f"{prefix}.uid={self.uid}",
        )


@dataclass(frozen=True, slots=True)
class Side:
    """What the datapath beside one end decides."""

    node: str
    """The node that decides."""
    endpoint: int
    """Number of the endpoint whose policy it is."""
    identity: int
    """Its identity."""
    peer: int
    """Identity of the other end as this node knows it."""
    decision: Decision
    """What is decided."""
    match: Match
    """What the deciding entry looked at; ALL where nothing is enforced."""
    is_enforced: bool = False
    """Whether traffic in this direction is refused unless allowed."""
    is_audited: bool = False
    """Whether a refusal is only written down."""
    origins: tuple[Origin, ...] = ()
    """Who decided; none where nothing is enforced and at a default deny."""
    proxy: str = ""
    """Name of the proxy's listener that it is led to, as `cilium-dns-egress`; empty for none."""
    proxy_port: int = 0
    """That listener's port."""

    @property
    def is_admitted(self) -> bool:
        """Whether packets go on."""
        return self.decision is Decision.ALLOWED or self.is_audited

    @property
    def drop_reason(self) -> int:
        """Number of the drop reason; 0 where packets go on."""
        if self.is_admitted:
            return 0
        return 181 if self.decision is Decision.DENIED else 133


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a new connection in both directions."""

    source: int
    """Identity of the source, as its own side knows it."""
    destination: int
    """Identity of the destination, as its own side knows it."""
    egress: Side | None
    """At the source; nothing where no endpoint is there, or no policy applies to it."""
    ingress: Side | None
    """At the destination; nothing where no endpoint is there, or no policy applies to it."""
    is_request_refused: bool = False
    """Whether a proxy refuses the request itself (HTTP 403, DNS REFUSED), once packets go on."""
    refused_by: str = ""
    """Name of the listener that refuses the request."""

    @property
    def refusing(self) -> Side | None:
        """The side at which packets are dropped, the source's first."""
        for side in (self.egress, self.ingress):
            if side is not None and not side.is_admitted:
                return side
        return None

    @property
    def is_admitted(self) -> bool:
        """Whether packets arrive; the request in them may still be refused."""
        return self.refusing is None

    @property
    def is_served(self) -> bool:
        """Whether the request is let through as well."""
        return self.is_admitted and not self.is_request_refused


def verdict(
    world: World,
    source: str,
    destination: str,
    port: int,
    protocol: str = "TCP",
    l7: Request | None = None,
) -> Verdict:
    """Decide a new connection.

    `source` and `destination` are an IP address or a pod as `namespace/name`. `port` is that of the
    destination after services were resolved (the backend's), for ICMP the type; `protocol` is TCP, UDP, SCTP,
    ICMP or ICMPv6. Replies need no question: they pass. A pod that talks to itself is not looked at.
    Unknown addresses are outside of the cluster. Raises `ValueError` for an unknown pod or protocol.
    """
    return Verdict(0, 0, None, None)
