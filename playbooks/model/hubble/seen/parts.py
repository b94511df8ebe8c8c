"""What a flow is made of, decoded: small, immutable, shared by all flows that say the same."""

from __future__ import annotations

from enum import IntFlag

import msgspec


class TcpFlags(IntFlag):
    """The flags of a TCP segment, by the numbers of their fields on Hubble's wire."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32
    ECE = 64
    CWR = 128
    NS = 256


class Workload(msgspec.Struct, frozen=True, gc=False):
    """What a pod belongs to."""

    kind: str
    """Such as `Deployment`."""
    name: str
    """Its name."""


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """One side of a flow, as Hubble tells it; empty and zero where it tells nothing."""

    id: int = 0
    """Number of the endpoint on its node; 0 when it is not local to the node that saw the flow."""
    identity: int = 0
    """Security identity; 0 when not known."""
    namespace: str = ""
    """The pod's namespace."""
    pod_name: str = ""
    """The pod."""
    labels: tuple[str, ...] = ()
    """Labels of the identity with their source, such as `k8s:app=cart`."""
    workloads: tuple[Workload, ...] = ()
    """What the pod belongs to."""
    cluster_name: str = ""
    """The cluster (since 1.16)."""
    workload: str = ""
    """What it counts as: `namespace/workload`, else `namespace/pod`, else `world` and the like, else
    `identity 7`; with the cluster before it, `east/namespace/workload`, in another one than the stream's."""


class Addresses(msgspec.Struct, frozen=True, gc=False):
    """The IP header of a flow."""

    source: str = ""
    """Source address."""
    destination: str = ""
    """Destination address."""
    version: int = 0
    """1 for IPv4, 2 for IPv6 as on the wire; 0 when not told."""
    is_encrypted: bool = False
    """Whether it was seen encrypted."""
    source_translated: str = ""
    """Source address after translation; empty when not translated or not told."""


class Layer4(msgspec.Struct, frozen=True, gc=False):
    """Ports, flags or message types."""

    protocol: str = ""
    """`TCP`, `UDP`, `SCTP`, `ICMPv4`, `ICMPv6`, `VRRP`, `IGMP`; `protocol field 9` for one unknown here."""
    source_port: int = 0
    """0 for protocols without ports."""
    destination_port: int = 0
    """0 for protocols without ports."""
    flags: int = 0
    """`TcpFlags` of TCP, as a number."""
    type: int | None = None
    """Message type of ICMP, VRRP and IGMP."""
    code: int | None = None
    """Code of ICMP."""

    @property
    def flag_names(self) -> tuple[str, ...]:
        """The names of the TCP flags that are set."""
        return tuple(flag.name or "" for flag in TcpFlags if self.flags & flag)


class Dns(msgspec.Struct, frozen=True, gc=False):
    """A DNS question or answer."""

    query: str
    """The name asked for, mostly with its last dot."""
    ips: tuple[str, ...]
    """Addresses in the answer."""
    ttl: int
    """Seconds that the answer may be kept."""
    cnames: tuple[str, ...]
    """Other names in the answer."""
    observation_source: str
    """Who saw it, such as `proxy`."""
    rcode: int
    """Return code of an answer; 0 in questions too."""
    qtypes: tuple[str, ...]
    """Types asked for, such as `AAAA`."""
    rrtypes: tuple[str, ...]
    """Types of the records in the answer."""


class Http(msgspec.Struct, frozen=True, gc=False):
    """An HTTP request or response."""

    code: int
    """Status of a response; 0 in requests."""
    method: str
    """Such as `GET`."""
    url: str
    """As the proxy saw it, mostly with scheme and host."""
    protocol: str
    """Such as `HTTP/1.1`."""
    headers: tuple[tuple[str, str], ...]
    """Names and values."""


class Kafka(msgspec.Struct, frozen=True, gc=False):
    """A Kafka request or response."""

    error_code: int
    """0 for none, and in requests."""
    api_version: int
    """Version of the call."""
    api_key: str
    """The call, such as `produce`."""
    correlation_id: int
    """Joins a response to its request."""
    topic: str
    """The topic; empty for calls without one."""


class Layer7(msgspec.Struct, frozen=True, gc=False):
    """What a proxy understood."""

    type: int
    """1 request, 2 response, 3 sample, as on the wire."""
    latency_ns: int
    """Nanoseconds from request to response; 0 in requests."""
    record: Dns | Http | Kafka | None
    """The message; None for a kind unknown here."""
    kind: str
    """`DNS`, `HTTP`, `Kafka`; `record field 103` for a kind unknown here, empty for none."""


class Policy(msgspec.Struct, frozen=True, gc=False):
    """A policy that Hubble names as the reason of a verdict."""

    name: str
    """Its name."""
    namespace: str
    """Its namespace; empty for clusterwide ones."""
    kind: str
    """Such as `CiliumNetworkPolicy` (since 1.17)."""
    labels: tuple[str, ...]
    """Its labels."""
    revision: int
    """Revision of the agent's policy that holds it."""


class Correlated(msgspec.Struct, frozen=True, gc=False):
    """The policies that Hubble names for a flow."""

    egress_allowed_by: tuple[Policy, ...] = ()
    """Which let it out."""
    ingress_allowed_by: tuple[Policy, ...] = ()
    """Which let it in."""
    egress_denied_by: tuple[Policy, ...] = ()
    """Which kept it from going out."""
    ingress_denied_by: tuple[Policy, ...] = ()
    """Which kept it from coming in."""

    @property
    def allowing(self) -> tuple[Policy, ...]:
        """Those that allow."""
        return self.egress_allowed_by + self.ingress_allowed_by

    @property
    def denying(self) -> tuple[Policy, ...]:
        """Those that deny."""
        return self.egress_denied_by + self.ingress_denied_by
