"""Rules: policies taken apart into one thing that each of them says."""

from __future__ import annotations

from dataclasses import dataclass, field

from playbooks.practice.objects import Json
from playbooks.practice.policies.peers import Labelled, Selector

PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1, "ICMPv6": 58, "VRRP": 112, "IGMP": 2}
"""Numbers of protocols."""
WITH_PORTS = ("TCP", "UDP", "SCTP")
"""What `ANY` stands for at a port, in the order of the agent."""
LISTENERS = {"http": 101, "kafka": 106, "tls": 116, "dns": 121}
"""How soon a proxy of each kind is chosen; the lower number wins."""


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
    def pairs(self) -> tuple[tuple[str, str, str], ...]:
        """The labels of its rules: source, key and value."""
        if not self.kind:
            return (("reserved", "io.cilium.policy.derived-from", self.name),)
        prefix = "io.cilium.k8s.policy"
        place = (("k8s", f"{prefix}.namespace", self.namespace),) if self.namespace else ()
        return (
            ("k8s", f"{prefix}.derived-from", self.kind),
            ("k8s", f"{prefix}.name", self.name),
            *place,
            ("k8s", f"{prefix}.uid", self.uid),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its rules, as agents and flows carry them."""
        return tuple(f"{source}:{key}={value}" for source, key, value in self.pairs)


@dataclass(frozen=True, slots=True)
class Port:
    """A port, a range of ports, or a type of ICMP."""

    protocol: str
    """One of `PROTOCOLS`; `ANY` for every protocol."""
    number: int = 0
    """The first; 0 for all, and for a name."""
    last: int = 0
    """The last of a range; 0 for a single one."""
    name: str = ""
    """The name of a container's port instead of a number."""


@dataclass(frozen=True)
class Ports:
    """Some ports, and what a proxy asks for at them."""

    ports: tuple[Port, ...]
    """The ports."""
    l7: Json = field(default_factory=dict)
    """What a proxy asks for, by kind: `http`, `dns`, `kafka`; empty for no proxy."""
    document: Json = field(default_factory=dict)
    """As the policy holds it."""

    @property
    def kind(self) -> str:
        """The kind of the proxy; empty for none."""
        return next(iter(self.l7), "")


@dataclass(frozen=True)
class Rule:
    """One direction of one rule of a policy."""

    origin: Origin
    """The policy."""
    subject: Labelled
    """Whose traffic it is about."""
    is_ingress: bool
    """Whether it is about what comes in."""
    is_deny: bool = False
    """Whether it refuses."""
    is_default_deny: bool = True
    """Whether its presence refuses whatever is not allowed."""
    is_node: bool = False
    """Whether it is about nodes."""
    peers: tuple[Selector, ...] | None = None
    """The other ends; nothing for everybody, when there are ports."""
    ports: tuple[Ports, ...] | None = None
    """Ports; nothing for all, when there are peers."""
    demands: tuple[Labelled, ...] = ()
    """What the other ends of every rule for the same subject must have beside (`fromRequires`)."""

    @property
    def is_empty(self) -> bool:
        """Whether it allows nothing and only has its presence felt."""
        return self.peers is None and not self.ports
