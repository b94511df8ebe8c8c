"""What an agent says that it does in place of kube-proxy, feature by feature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

NODE_PORT, HOST_PORT, EXTERNAL_IPS = "NodePort", "HostPort", "externalIPs"
SESSION_AFFINITY, GRACEFUL = "Session Affinity", "Graceful Termination"
_ON = ("true", "strict")


@dataclass(frozen=True, kw_only=True)
class Replacement(Fact):
    """The part of `cilium-dbg status` on kube-proxy replacement, of one node."""

    mode: str
    """True or False; in older versions Strict, Partial, Probe or Disabled."""
    features: Mapping[str, bool]
    """Whether a kind of service is served, by its name in the status; what is not told is absent."""
    socket_lb: bool | None
    """Whether addresses of services are translated in the socket."""
    is_host_only: bool | None
    """Whether that is done for processes of the host only, so that a sidecar sees the service's address."""
    lb_mode: str
    """SNAT, DSR or Hybrid; empty when not told."""
    algorithm: str
    """Random or Maglev; empty when not told."""
    acceleration: str
    """Of XDP: Disabled, Native, Best-Effort …; empty when not told."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def is_on(self) -> bool:
        """Whether the agent takes kube-proxy's place."""
        return self.mode.lower() in _ON

    @property
    def said(self) -> str:
        """The mode as a line of evidence."""
        return f"kube-proxy-replacement.mode: {self.mode}"


# Agents leave out what is false: in one recording `nat46X64` is `{}` where the text says Disabled.
class _Switch(msgspec.Struct, frozen=True):
    enabled: bool = False


class _NodePort(msgspec.Struct, frozen=True):
    enabled: bool = False
    mode: str = ""
    algorithm: str = ""
    acceleration: str = ""


class _Features(msgspec.Struct, frozen=True, rename="camel"):
    node_port: _NodePort | None = None
    host_port: _Switch | None = None
    external_ips: _Switch | None = msgspec.field(default=None, name="externalIPs")
    session_affinity: _Switch | None = None
    graceful_termination: _Switch | None = None
    socket_lb: _Switch | None = msgspec.field(default=None, name="socketLB")
    host_reachable_services: _Switch | None = None
    host_only: bool = msgspec.field(default=False, name="bpfSocketLBHostnsOnly")


class _Replacement(msgspec.Struct, frozen=True):
    mode: str = ""
    features: _Features | None = None


class _Status(msgspec.Struct, frozen=True, rename="kebab"):
    kube_proxy_replacement: _Replacement | None = None


def _json(answer: Answer) -> Replacement:
    told = struct_of(answer, _Status).kube_proxy_replacement
    if told is None or not told.mode:
        raise Unreadable("the status tells nothing of kube-proxy replacement")
    features = told.features or _Features()
    switches = {
        NODE_PORT: features.node_port,
        HOST_PORT: features.host_port,
        EXTERNAL_IPS: features.external_ips,
        SESSION_AFFINITY: features.session_affinity,
        GRACEFUL: features.graceful_termination,
    }
    socket = features.socket_lb or features.host_reachable_services
    port = features.node_port or _NodePort()
    return Replacement(
        provenance=Provenance.of(answer.request, answer.end),
        mode=told.mode,
        features={name: one.enabled for name, one in switches.items() if one is not None},
        socket_lb=socket.enabled if socket else None,
        is_host_only=features.host_only if socket else None,
        lb_mode=port.mode,
        algorithm=port.algorithm,
        acceleration=port.acceleration,
    )


_DETAIL = re.compile(r"^ +(?:- )?([\w/ -]+?):\s+(\S.*?)\s*$")


def _text(answer: Answer) -> Replacement:
    lines = text_of(answer).split("\n")
    start = next(
        (at for at, line in enumerate(lines) if line.startswith("KubeProxyReplacement Details:")), None
    )
    if start is None:
        raise Unreadable("the status holds no details of kube-proxy replacement")
    rows: dict[str, str] = {}
    for line in lines[start + 1 :]:
        if line and not line.startswith(" "):
            break
        if match := _DETAIL.match(line):
            rows.setdefault(match[1], match[2])
    if "Status" not in rows:
        raise Unreadable("the details of kube-proxy replacement tell no status")
    names = (NODE_PORT, HOST_PORT, EXTERNAL_IPS, SESSION_AFFINITY, GRACEFUL)
    socket, coverage = rows.get("Socket LB", ""), rows.get("Socket LB Coverage", "")
    return Replacement(
        provenance=Provenance.of(answer.request, answer.end),
        mode=rows["Status"],
        features={name: rows[name].startswith("Enabled") for name in names if name in rows},
        socket_lb=socket.startswith("Enabled") if socket else None,
        is_host_only=coverage.lower().startswith("hostns") if coverage else None,
        lb_mode=rows.get("Mode", ""),
        algorithm=rows.get("Backend Selection", ""),
        acceleration=rows.get("XDP Acceleration", ""),
    )


Replacement.ways = (
    answered("agent JSON", asks("cilium-dbg", "status", "-o", "json"), _json),
    answered("agent text", asks("cilium-dbg", "status", "--verbose"), _text),
)
