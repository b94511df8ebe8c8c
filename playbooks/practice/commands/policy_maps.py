"""The policy maps as `bpf policy get` prints them."""

from __future__ import annotations

from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.realized import place_of, places
from playbooks.practice.commands.view import AgentView, LocalEndpoint
from playbooks.practice.objects import Json
from playbooks.practice.policies.ends import Place, proxy_of
from playbooks.practice.policies.hits import Hits, hits
from playbooks.practice.policies.rows import Row
from playbooks.practice.policies.rules import PROTOCOLS, Origin

_UNCOUNTED = (1 << 64) - 1
_COUNTS_COOKIES = (1, 19)
_NAMES = {number: name for name, number in PROTOCOLS.items()}
_HEAD = "PORT/PROTO\tPROXY PORT\tAUTH TYPE\tBYTES\tPACKETS\tPREFIX"


def all_documents(view: AgentView) -> list[Json]:
    """The answer of `bpf policy get --all -o json`."""
    return [
        {"EndpointID": str(place.number), "Path": _path(place), "Content": _content(view, place)}
        for place in places(view)
    ]


def documents(view: AgentView, number: int) -> list[Json] | None:
    """The answer of `bpf policy get ID -o json`; nothing for an endpoint that is not there."""
    return next((_content(view, place) for place in places(view) if place.number == number), None)


def all_labels(view: AgentView) -> str:
    """The answer of `bpf policy get --all`."""
    return _all(view, is_numeric=False)


def all_numbers(view: AgentView) -> str:
    """The answer of `bpf policy get --all -n`."""
    return _all(view, is_numeric=True)


def _all(view: AgentView, *, is_numeric: bool) -> str:
    tables = (
        f"Endpoint ID: {place.number}\nPath: {_path(place)}\n\n{_table(view, place, is_numeric=is_numeric)}"
        for place in places(view)
    )
    return "\n\n".join(tables) + "\n\n"


def text(view: AgentView, number: int, *, is_numeric: bool) -> str | None:
    """The answer of `bpf policy get ID`; nothing for an endpoint that is not there."""
    return next(
        (_table(view, place, is_numeric=is_numeric) for place in places(view) if place.number == number), None
    )


def _path(place: Place) -> str:
    return f"/sys/fs/bpf/tc/globals/cilium_policy_v3_{place.number:05}"


def _content(view: AgentView, place: Place) -> list[Json]:
    counted = hits(view.world, place)
    return [_document(view, row, counted.get(row.key)) for row in place.map(view.world).rows]


def _document(view: AgentView, row: Row, counted: Hits | None) -> Json:
    key = row.key
    is_new = view.world.profile.minor >= _COUNTS_COOKIES
    order: Json = {"Precedence": row.precedence, "Cookie": 0}
    return {
        "ProxyPortNetwork": _swapped(_proxy_port(view, row)),
        "Flags": row.flags,
        "AuthRequirement": 0,
        **(order if is_new else {"ProxyPortPriority": row.precedence & 0xFF if row.kind else 0}),
        "Packets": counted.packets if counted else _UNCOUNTED,
        "Bytes": counted.bytes if counted else _UNCOUNTED,
        "Key": {
            "Prefixlen": key.length,
            "Identity": key.identity,
            "TrafficDirection": int(key.is_egress),
            "Nexthdr": key.protocol,
            "DestPortNetwork": _swapped(key.port),
        },
    }


def _table(view: AgentView, place: Place, *, is_numeric: bool) -> str:
    is_new = view.world.profile.minor >= _COUNTS_COOKIES
    who = "IDENTITY" if is_numeric else "LABELS (source:key[=value])"
    lines = [f"POLICY\tDIRECTION\t{who}\t{_HEAD}" + ("\tCOOKIE" if is_new else "")]
    known = view.world.policies.universe(view.node).labels
    every = hits(view.world, place)
    for row in place.map(view.world).rows:
        counted = every.get(row.key)
        port = _proxy_port(view, row)
        labels = known.get(row.key.identity, (str(row.key.identity),)) if row.key.identity else ("ANY",)
        first, *others = (str(row.key.identity),) if is_numeric else labels
        cells = (
            "Deny" if row.is_deny else "Allow",
            "Egress" if row.key.is_egress else "Ingress",
            first,
            _port(row),
            str(port) if port else "NONE",
            "disabled",
            str(counted.bytes) if counted else "-",
            str(counted.packets) if counted else "-",
            str(row.key.decided),
        )
        lines.append("\t".join(cells) + ("\t0" if is_new else ""))
        lines += [f"\t\t{label}" + "\t" * (7 if is_new else 6) for label in others]
    return laid_out("\n".join(lines)) + "\n"


def _port(row: Row) -> str:
    key = row.key
    if not key.protocol:
        return "ANY"
    name = _NAMES[key.protocol]
    if not key.bits:
        return f"ANY/{name}"
    return f"{key.port}-{key.last}/{name}" if key.last != key.port else f"{key.port}/{name}"


def _proxy_port(view: AgentView, row: Row) -> int:
    return proxy_of(view.world, view.node, row.kind, is_ingress=not row.key.is_egress)[1]


def _swapped(port: int) -> int:
    """A port in the order of the network."""
    return (port & 0xFF) << 8 | port >> 8


def wanted(view: AgentView) -> str:
    """The answer of `policy/mapstate/entries` in the shell: the maps as the agent wants them."""
    blocks = [_wanted(view, entry) for entry in view.endpoints]
    return "\n".join(blocks) + "\n"


def _wanted(view: AgentView, entry: LocalEndpoint) -> str:
    place = place_of(view, entry)
    rows = place.held(view.world).map.rows
    head = f"ID: {place.number}\tNamespace: {entry.namespace}\tName: {entry.pod}\tEntries:{len(rows)}\n"
    lines = ["Direction\tIdentity\tProto+Port\tPriority\tListenerPrio\tVerdict\tProxyPort\tCookie\tOrigins"]
    for row in rows:
        key = row.key
        name = _NAMES.get(key.protocol, "")
        ports = f"{key.port}-{key.last}" if key.last != key.port else str(key.port)
        cells = (
            "Egress" if key.is_egress else "Ingress",
            str(key.identity),
            (f"{name}/{ports}" if key.bits else name) or "*",
            str(0xFFFFFF - (row.precedence >> 8)),
            str(255 - (row.precedence & 0xFF)),
            "deny" if row.is_deny else "allow",
            str(_proxy_port(view, row)),
            "0",
            ",".join(map(_origin, row.origins)) or f"allow-any-{'egress' if key.is_egress else 'ingress'}",
        )
        lines.append("\t".join(cells))
    return head + laid_out("\n".join(lines)) + "\n"


def _origin(one: Origin) -> str:
    place = f"{one.namespace}/{one.name}" if one.namespace else one.name
    return f"{one.kind}:{place}" if one.kind else place
