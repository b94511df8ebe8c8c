"""An endpoint as its agent has it (`Endpoint` of the agent's API), down to the fields that rules read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from playbooks.model.cilium.agent.realized import EndpointPolicy
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.status_response import Controller


class SecurityIdentity(msgspec.Struct, frozen=True):
    """The identity that an endpoint was given."""

    id: int | None = None
    labels: tuple[str, ...] | None = None
    """`source:key=value`; nothing when not told."""


class AddressPair(msgspec.Struct, frozen=True, rename="kebab"):
    """The addresses of an endpoint."""

    ipv4: str = ""
    ipv6: str = ""


class Networking(msgspec.Struct, frozen=True, rename="kebab"):
    """Where an endpoint hangs on the network."""

    addressing: tuple[AddressPair, ...] | None = None
    interface_name: str = ""
    """The device on the host's side, such as `lxc558e7cb04a42`."""
    interface_index: int | None = None
    """Its index; a device that was made anew has another one."""
    mac: str = ""
    host_mac: str = ""


class EndpointHealth(msgspec.Struct, frozen=True):
    """How an endpoint's parts are: OK, Bootstrap, Pending, Warning, Failure or Disabled."""

    overall: str = msgspec.field(default="", name="overallHealth")
    bpf: str = ""
    policy: str = ""
    connected: bool | None = None
    """Whether its device is there; nothing when not told."""


class LogEntry(msgspec.Struct, frozen=True):
    """One line of an endpoint's log."""

    code: str = ""
    """OK, Warning or Failure; `ok` and `failed` in older versions."""
    message: str = ""
    state: str = ""
    """The endpoint's state then."""
    timestamp: str = ""

    @property
    def time(self) -> datetime | None:
        """When it was written, if it says so."""
        return time_of(self.timestamp)

    @property
    def is_bad(self) -> bool:
        """Whether it tells of something that went wrong."""
        return self.code.lower() in ("warning", "failure", "failed")


class Messages(msgspec.Struct, frozen=True):
    """What passed a proxy; zeros are left out by the agent."""

    received: int = 0
    forwarded: int = 0
    denied: int = 0
    error: int = 0


class Exchange(msgspec.Struct, frozen=True):
    """Both directions of what passed a proxy."""

    requests: Messages | None = None
    responses: Messages | None = None


class ProxyStatistics(msgspec.Struct, frozen=True, rename="kebab"):
    """One redirect of an endpoint, with what passed."""

    protocol: str = ""
    port: int | None = None
    allocated_proxy_port: int | None = None
    location: str = ""
    """`ingress` or `egress`."""
    statistics: Exchange | None = None


class PolicyStatus(msgspec.Struct, frozen=True, rename="kebab"):
    """The policy of an endpoint, as it should be and as it is in force."""

    spec: EndpointPolicy | None = None
    realized: EndpointPolicy | None = None
    proxy_policy_revision: int | None = None
    proxy_statistics: tuple[ProxyStatistics, ...] | None = None


class Options(msgspec.Struct, frozen=True):
    """Options of one endpoint, such as `PolicyAuditMode: Disabled`."""

    options: dict[str, str] | None = None


class EndpointStatus(msgspec.Struct, frozen=True, rename="kebab"):
    """How an endpoint is; what the way does not tell is absent."""

    state: str = ""
    identity: SecurityIdentity | None = None
    networking: Networking | None = None
    policy: PolicyStatus | None = None
    health: EndpointHealth | None = None
    log: tuple[LogEntry, ...] | None = None
    """The last line only; see `EndpointLog`."""
    controllers: tuple[Controller, ...] | None = None
    realized: Options | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """One endpoint."""

    id: int
    """Its number on this node."""
    status: EndpointStatus = EndpointStatus()
    spec: Options | None = None

    @property
    def state(self) -> str:
        """`ready`, `not-ready`, `regenerating` …"""
        return self.status.state

    @property
    def is_ready(self) -> bool:
        """Whether it calls itself ready; an endpoint that goes is none."""
        return self.status.state == "ready"

    @property
    def identity(self) -> int | None:
        """The number of its identity; nothing while it waits for one."""
        return self.status.identity.id if self.status.identity else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its identity."""
        return (self.status.identity.labels if self.status.identity else None) or ()

    def has_reserved(self, name: str) -> bool:
        """Whether it carries a reserved label such as `host` or `health`."""
        return f"reserved:{name}" in self.labels

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of its addresses; the host's endpoint has none."""
        pairs = (self.status.networking.addressing if self.status.networking else None) or ()
        return tuple(address for pair in pairs for address in (pair.ipv4, pair.ipv6) if address)

    @property
    def namespace(self) -> str:
        """The namespace of its pod by its labels; empty for the host, health and ingress endpoints."""
        return self.label("k8s:io.kubernetes.pod.namespace")

    def label(self, key: str) -> str:
        """The value of a label with its source, such as `k8s:app`; empty when it has none."""
        prefix = f"{key}="
        return next((label.removeprefix(prefix) for label in self.labels if label.startswith(prefix)), "")

    @property
    def realized(self) -> EndpointPolicy | None:
        """The policy in force, if it is told."""
        return self.status.policy.realized if self.status.policy else None

    @property
    def wanted(self) -> EndpointPolicy | None:
        """The policy that should be in force, if it is told."""
        return self.status.policy.spec if self.status.policy else None

    @property
    def last_entry(self) -> LogEntry | None:
        """The newest line of its log, if it is told."""
        return (self.status.log or (None,))[0]
