"""`cilium-dbg monitor -j`: drops as JSON, policy verdicts as text, as they happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from playbooks.knowledge.drop_reasons import printed_text
from playbooks.knowledge.identities import RESERVED
from playbooks.practice.hubble.past import past_of
from playbooks.practice.naming import stable
from playbooks.practice.traffic.sight import Event, Ruling, Way

if TYPE_CHECKING:
    from playbooks.practice.commands.view import AgentView
    from playbooks.practice.hubble.encoding import Encoder
    from playbooks.practice.objects import Json
    from playbooks.practice.traffic.flows import WorldFlow
    from playbooks.practice.traffic.sight import Sight

_TYPES = {"drop": Event.DROP, "policy-verdict": Event.POLICY_VERDICT}
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")
_MATCHES = ("none", "L3-Only", "L3-L4", "L4-Only", "all", "L3-Proto", "Proto-Only")
_ACTIONS = {Ruling.FORWARDED: "allow", Ruling.REDIRECTED: "redirect", Ruling.AUDIT: "audit"}
_NUMBERS = {"TCP": 6, "UDP": 17}
_FILES = {"bpf_host.c": 1, "bpf_lxc.c": 2}
_NAMES = dict(enumerate(RESERVED))
_ETHERNET = 14


def follow(view: AgentView, words: tuple[str, ...]) -> Callable[[], bytes] | None:
    """What prints on, for the arguments that are understood here: `-j`, and `-t` with a type."""
    types: set[Event] = set()
    rest = list(words)
    has_json = False
    while rest:
        word = rest.pop(0)
        if word in ("-j", "--json"):
            has_json = True
        elif word in ("-t", "--type") and rest and rest[0] in _TYPES:
            types.add(_TYPES[rest.pop(0)])
        else:
            return None
    if not has_json:
        return None
    return _Monitor(view, types or set(_TYPES.values())).more


class _Monitor:
    """One command."""

    def __init__(self, view: AgentView, types: set[Event]) -> None:
        self._view = view
        past = past_of(view.world)
        self._at = past.now
        self._telling = past.telling(lambda sight: sight.node == view.node and sight.event in types, self._at)

    def more(self) -> bytes:
        """Lines of what happened since the last time."""
        past = past_of(self._view.world)
        encoder = self._view.world.hubble.encoder(self._view.world)
        flows = self._telling.more(past.periods(self._at, past.now), past.now)
        self._at = past.now
        lines = [_dropped(one, encoder) if one.sight.event is Event.DROP else _judged(one) for one in flows]
        return "".join(f"{line}\n" for line in lines).encode()


def _judged(one: WorldFlow) -> str:
    sight = one.sight
    here, there = sight.destination, sight.source
    if sight.direction is Way.EGRESS:
        here, there = there, here
    flags = " " + ", ".join(sight.flags) if sight.flags else ""
    return (
        f"Policy verdict log: flow {_mark(one)} local EP ID {here.endpoint}, "
        f"remote ID {_NAMES.get(there.identity, there.identity)}, proto {_NUMBERS[sight.protocol]}, "
        f"{sight.direction.lower()}, action {_ACTIONS.get(sight.verdict, 'deny')}, auth: disabled, "
        f"match {_MATCHES[sight.match]}, {_place(sight.source.ip, one.source_port)} -> "
        f"{_place(sight.destination.ip, one.destination_port)} {sight.protocol.lower()}{flags}"
    )


def _dropped(one: WorldFlow, encoder: Encoder) -> str:
    sight = one.sight
    is_ingress = sight.direction is Way.INGRESS
    here = sight.destination if is_ingress else sight.source
    document: Json = {
        "cpu": "CPU 00:",
        "type": "drop",
        "mark": _mark(one),
        "reason": printed_text(sight.drop_reason),
        "source": here.endpoint,
        "bytes": 74 if sight.flags else 70,
        "srcLabel": sight.source.identity,
        "dstLabel": sight.destination.identity,
        "dstID": sight.destination.endpoint if is_ingress else 0,
        "Line": sight.line,
        "File": _FILES.get(sight.file, 0),
        "ExtError": 0,
        "Ifindex": here.interface_index,
        "summary": _summary(one, sight, encoder),
    }
    return msgspec.json.encode(document).decode()


def _summary(one: WorldFlow, sight: Sight, encoder: Encoder) -> Json:
    ethernet = encoder.shared(sight).ethernet
    family = "IPv6" if ":" in sight.source.ip else "IPv4"
    ports = f"SrcPort={one.source_port} DstPort={one.destination_port}"
    flags = " ".join(f"{flag}={str(flag in sight.flags).lower()}" for flag in _FLAGS)
    told = f"{ports} Seq=0 Ack=0 DataOffset=10 {flags}" if sight.protocol == "TCP" else ports
    return {
        "ethernet": f"Ethernet\t{{Contents=[..{_ETHERNET}..] SrcMAC={ethernet.source} "
        f"DstMAC={ethernet.destination} EthernetType={family} Length=0}}",
        family.lower(): f"{family}\t{{Protocol={sight.protocol} SrcIP={sight.source.ip} "
        f"DstIP={sight.destination.ip}}}",
        sight.protocol.lower(): f"{sight.protocol}\t{{{told}}}",
        "l2": {"src": ethernet.source, "dst": ethernet.destination},
        "l3": {"src": sight.source.ip, "dst": sight.destination.ip},
        "l4": {"src": str(one.source_port), "dst": str(one.destination_port)},
    }


def _mark(one: WorldFlow) -> str:
    return f"0x{stable(f'{one.serial >> 8}', 0, (1 << 32) - 1):x}"


def _place(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
