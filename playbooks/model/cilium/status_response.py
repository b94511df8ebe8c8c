"""What the agent says of itself (`StatusResponse` of its API), down to the fields that rules read."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


class Part(msgspec.Struct, frozen=True):
    """A part of the agent that knows whether it is well."""

    state: str = ""
    """Ok, Warning, Failure or Disabled."""
    msg: str = ""
    """What it adds."""

    @property
    def is_bad(self) -> bool:
        """Whether it calls itself failing or doubtful."""
        return self.state.lower() in ("warning", "failure")

    @property
    def said(self) -> str:
        """State and message on one line."""
        return f"{self.state} {self.msg}".strip()


class Observer(msgspec.Struct, frozen=True, rename="kebab"):
    """Hubble's ring buffer."""

    max_flows: int | None = None
    seen_flows: int | None = None


class Hubble(Part, frozen=True):
    """Hubble's server in the agent."""

    observer: Observer | None = None


class Cluster(msgspec.Struct, frozen=True):
    """What the agent knows of its cluster."""

    health: Part | None = msgspec.field(default=None, name="ciliumHealth")
    self_name: str = msgspec.field(default="", name="self")


class Pacing(msgspec.Struct, frozen=True, rename="kebab"):
    """How often a controller runs."""

    error_retry: bool = False
    error_retry_base: str = ""
    interval: str = ""


class Counts(msgspec.Struct, frozen=True, rename="kebab"):
    """How the runs of a controller ended."""

    consecutive_failure_count: int = 0
    last_success_timestamp: datetime | None = None
    last_failure_timestamp: datetime | None = None
    last_failure_msg: str = ""


class Controller(msgspec.Struct, frozen=True):
    """A job of the agent that is run again and again until it succeeds."""

    name: str = ""
    configuration: Pacing = Pacing()
    status: Counts = Counts()

    @property
    def last_success(self) -> datetime | None:
        """When it last succeeded, if ever."""
        return real_time(self.status.last_success_timestamp)

    @property
    def last_failure(self) -> datetime | None:
        """When it last failed, if ever."""
        return real_time(self.status.last_failure_timestamp)


class Ipam(msgspec.Struct, frozen=True):
    """The node's addresses for pods."""

    status: str = ""
    """Such as `IPv4: 16/254 allocated from 10.244.0.0/24, `."""
    allocations: dict[str, str] | None = None
    """Who has each address; nothing where that is not told."""


class Monitor(msgspec.Struct, frozen=True):
    """The event ring between datapath and agent."""

    lost: int = 0
    unknown: int = 0


class Redirect(msgspec.Struct, frozen=True, rename="kebab"):
    """Traffic of one endpoint that is led through a proxy."""

    name: str = ""
    """`<endpoint>:<ingress|egress>:<protocol>:<port>:`."""
    proxy: str = ""
    proxy_port: int = 0
    """Where the proxy listens; 0 until it does."""


class Proxy(msgspec.Struct, frozen=True, rename="kebab"):
    """The layer 7 and DNS proxies."""

    redirects: tuple[Redirect, ...] = ()
    envoy_deployment_mode: str = ""


class Mode(msgspec.Struct, frozen=True):
    """A feature that tells how it runs."""

    mode: str = ""
    msg: str = ""


class Masquerading(Mode, frozen=True):
    """Who rewrites source addresses of traffic that leaves the cluster."""

    enabled: bool | None = None


class Routing(msgspec.Struct, frozen=True, rename="kebab"):
    """How packets reach other nodes and local pods."""

    inter_host_routing_mode: str = ""
    intra_host_routing_mode: str = ""
    tunnel_protocol: str = ""


class StatusResponse(msgspec.Struct, frozen=True, rename="kebab"):
    """The whole answer; what a version does not tell is absent."""

    cilium: Part | None = None
    kvstore: Part | None = None
    kubernetes: Part | None = None
    cni_file: Part | None = None
    hubble: Hubble | None = None
    cluster: Cluster | None = None
    controllers: tuple[Controller, ...] | None = None
    stale: dict[str, datetime] = {}
    ipam: Ipam | None = None
    node_monitor: Monitor | None = msgspec.field(default=None, name="nodeMonitor")
    proxy: Proxy | None = None
    encryption: Mode | None = None
    masquerading: Masquerading | None = None
    kube_proxy_replacement: Mode | None = None
    host_firewall: Mode | None = None
    routing: Routing | None = None
    datapath_mode: str = ""


def real_time(time: datetime | None) -> datetime | None:
    """A time of the agent, UTC; its year 1 means never."""
    if time is None or time.year <= 1:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
