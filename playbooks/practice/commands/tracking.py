"""Connections and translations as the agent's command prints its maps."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import Iterator

from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json
from playbooks.practice.traffic.tables import Tracked, Translated, tracked, translated, uptime

_NUMBERS = {"TCP": 6, "UDP": 17}
_FLAGS = ((0x01, "RxClosing"), (0x02, "TxClosing"), (0x10, "SeenNonSyn"), (0x40, "ProxyRedirect"))
_SLOTS = 33


def conntrack_documents(view: AgentView) -> list[Json]:
    """The answer of `bpf ct list global -o json`."""
    return [_connection(one) for one in tracked(view.world, view.node)]


def conntrack_text(view: AgentView) -> str:
    """The answer of `bpf ct list global`."""
    return "".join(f"{_line(one)}\n" for one in tracked(view.world, view.node)) + "\n"


def conntrack_aged(view: AgentView) -> str:
    """The answer of `bpf ct list global -d`."""
    now = uptime(view.world, view.node)
    lines = (
        _line(one, f" (remaining: {one.expires - now} sec(s))") for one in tracked(view.world, view.node)
    )
    return "".join(f"{line}\n" for line in lines) + "\n"


def nat_documents(view: AgentView) -> list[Json]:
    """The answer of `bpf nat list -o json`."""
    return [entry for one in translated(view.world, view.node) for entry in _translations(one)]


def nat_text(view: AgentView) -> str:
    """The answer of `bpf nat list`."""
    now = uptime(view.world, view.node)
    lines = []
    for one in translated(view.world, view.node):
        age = f"Created={now - one.created}sec ago NeedsCT=0"
        client, seen = _place(one.client, one.port), _place(one.address, one.port)
        server = _place(one.server, one.server_port)
        lines.append(f"{one.protocol} OUT {client} -> {server} XLATE_SRC {seen} {age}")
        lines.append(f"{one.protocol} IN {server} -> {seen} XLATE_DST {client} {age}")
    return "".join(f"{line}\n" for line in lines) + "\n"


def nat_retries(view: AgentView) -> str:
    """The answer of `bpf nat retries list`: a port was always found at once."""
    found = ""
    for family in view.world.profile.families:
        made = _made(view, is_ipv6=family == "IPv6")
        found += "".join(f"{slot}:\t{0 if slot else made}\n" for slot in range(_SLOTS))
    return found


def nat_stats(view: AgentView) -> str:
    """The table `nat-stats`."""
    lines = ["IPFamily\tProto\tEgressIP\tRemoteAddr\tCount"]
    for (protocol, address, server, port), count in _uses(view):
        lines.append(f"{_family(server)}\t{protocol}\t{address}\t{_place(server, port)}\t{count}")
    return laid_out("\n".join(lines)) + "\n"


def _made(view: AgentView, *, is_ipv6: bool) -> int:
    """How many translations were ever made."""
    traffic = view.world.traffic
    return sum(
        lane.count(period.begin, period.end)
        for period in traffic.periods(0, traffic.now)
        for lane in period.lanes
        if lane.masquerade and lane.client.node == view.node and (":" in lane.masquerade) == is_ipv6
    )


def _uses(view: AgentView) -> list[tuple[tuple[str, str, str, int], int]]:
    every = translated(view.world, view.node)
    return sorted(Counter((one.protocol, one.address, one.server, one.server_port) for one in every).items())


def _family(ip: str) -> str:
    return "ipv6" if ":" in ip else "ipv4"


def _connection(one: Tracked) -> Json:
    return {
        "Key": {
            # The datapath keeps both addresses the other way round.
            "DestAddr": _octets(one.client),
            "SourceAddr": _octets(one.server),
            "DestPort": socket.htons(one.server_port),
            "SourcePort": socket.htons(one.client_port),
            "NextHeader": _NUMBERS[one.protocol],
            "Flags": int(one.kind),
        },
        "Value": {
            "Union0": [0, 0],
            "Packets": 0,
            "Bytes": 0,
            "Lifetime": one.expires,
            "Flags": one.flags,
            "RevNAT": 0,
            "NatPort": 0,
            "TxFlagsSeen": one.sent_flags,
            "RxFlagsSeen": one.answered_flags,
            "SourceSecurityID": one.identity,
            "LastTxReport": one.sent,
            "LastRxReport": one.answered,
        },
    }


def _line(one: Tracked, age: str = "") -> str:
    flags = "".join(f"{name} " for bit, name in _FLAGS if one.flags & bit)
    return (
        f"{one.protocol} {one.kind.name} {_place(one.client, one.client_port)} -> "
        f"{_place(one.server, one.server_port)} expires={one.expires}{age} Packets=0 Bytes=0 "
        f"RxFlagsSeen=0x{one.answered_flags:02x} LastRxReport={one.answered} "
        f"TxFlagsSeen=0x{one.sent_flags:02x} LastTxReport={one.sent} Flags=0x{one.flags:04x} [ {flags}] "
        f"RevNAT=0 SourceSecurityID={one.identity} BackendID=0 NatPort=0 "
    )


def _translations(one: Translated) -> Iterator[Json]:
    client, seen, server = map(_octets, (one.client, one.address, one.server))
    port, server_port = socket.htons(one.port), socket.htons(one.server_port)
    for kind, (source, source_port), (target, target_port), address in (
        (0, (client, port), (server, server_port), seen),
        (1, (server, server_port), (seen, port), client),
    ):
        yield {
            "Key": {
                "DestAddr": target,
                "SourceAddr": source,
                "DestPort": target_port,
                "SourcePort": source_port,
                "NextHeader": _NUMBERS[one.protocol],
                "Flags": kind,
            },
            "Value": {
                "Created": one.created,
                "NeedsCT": 0,
                "Pad1": 0,
                "Pad2": 0,
                "Addr": address,
                "Port": port,
            },
        }


def _octets(ip: str) -> list[int]:
    return list(ipaddress.ip_address(ip).packed)


def _place(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
