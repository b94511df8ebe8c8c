"""Encryption between nodes as the kernel of a node has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.wire import struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_JSON_SINCE = (1, 16)
_MODE = re.compile(r"^Encryption:\s*(\w+)", re.MULTILINE)


class WireguardPeer(msgspec.Struct, frozen=True, rename="kebab"):
    """Another node at the end of the tunnel; zeros are left out by the agent."""

    public_key: str = ""
    endpoint: str = ""
    """`ip:port`."""
    last_handshake_time: str = ""
    transfer_rx: int = 0
    transfer_tx: int = 0
    allowed_ips: tuple[str, ...] | None = None

    @property
    def last_handshake(self) -> datetime | None:
        """When keys were last agreed; nothing when never."""
        return time_of(self.last_handshake_time)


class WireguardInterface(msgspec.Struct, frozen=True, rename="kebab"):
    """The tunnel's device."""

    name: str = ""
    public_key: str = ""
    listen_port: int | None = None
    peer_count: int | None = None
    peers: tuple[WireguardPeer, ...] | None = None


class Wireguard(msgspec.Struct, frozen=True, rename="kebab"):
    """WireGuard."""

    node_encryption: str = ""
    interfaces: tuple[WireguardInterface, ...] | None = None


class Ipsec(msgspec.Struct, frozen=True, rename="kebab"):
    """IPsec."""

    decrypt_interfaces: tuple[str, ...] | None = None
    keys_in_use: int | None = None
    max_seq_number: str = ""
    error_count: int | None = None
    xfrm_errors: dict[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class AgentEncryption(Fact):
    """`cilium-dbg encrypt status` of one node."""

    mode: str
    """Disabled, IPsec, Wireguard or Ztunnel."""
    message: str
    """What it adds, such as that kernel and agent disagree; empty for nothing."""
    wireguard: Wireguard | None
    """Nothing when not in use or not told."""
    ipsec: Ipsec | None
    """Nothing when not in use or not told; told since 1.16."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def is_off(self) -> bool:
        """Whether nothing is encrypted."""
        return self.mode.lower() == "disabled"


class _Response(msgspec.Struct, frozen=True):
    mode: str = ""
    msg: str = ""
    wireguard: Wireguard | None = None
    ipsec: Ipsec | None = None


def _decode_json(answer: Answer) -> AgentEncryption | Gap:
    response = struct_of(answer, _Response)
    if not response.mode and response.msg:
        return _failed(answer, response.msg)
    if not response.mode:
        raise Unreadable("the answer does not say which encryption is used")
    return AgentEncryption(
        provenance=Provenance.of(answer.request, answer.end),
        mode=response.mode,
        message=response.msg,
        wireguard=response.wireguard,
        ipsec=response.ipsec,
    )


def _decode_text(answer: Answer) -> AgentEncryption | Gap:
    text = text_of(answer)
    match = _MODE.search(text)
    if not match and text.startswith("Msg: "):
        return _failed(answer, text.removeprefix("Msg: ").split("\n", 1)[0])
    if not match:
        raise Unreadable("no line says which encryption is used", 0)
    return AgentEncryption(
        provenance=Provenance.of(answer.request, answer.end),
        mode=match[1],
        message="",
        wireguard=None,
        ipsec=None,
    )


def _failed(answer: Answer, message: str) -> Gap:
    end = answer.end
    detail = f"the command could not tell: {message[:300]}"
    return Gap(GapKind.FAILED, detail, end.command, "", answer.request.node, end.taken_at)


_STATUS = ("cilium-dbg", "encrypt", "status")
AgentEncryption.ways = (
    answered("agent's encryption", asks(*_STATUS, "-o", "json", since=_JSON_SINCE), _decode_json),
    answered("agent's encryption as text", asks(*_STATUS), _decode_text),
)
