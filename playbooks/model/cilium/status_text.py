"""The text of `cilium-dbg status --verbose`, for what text can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from playbooks.model.cilium.status_response import (
    Cluster,
    Controller,
    Counts,
    Hubble,
    Ipam,
    Masquerading,
    Mode,
    Monitor,
    Part,
    Proxy,
    Redirect,
    Routing,
    StatusResponse,
)
from playbooks.model.fact import Unreadable

_ROW = re.compile(r"^([A-Z][\w /()-]*?):[ \t]*(.*)$")
_STATE = re.compile(r"^(Ok|Warning|Failure|Disabled)\b\s*(.*)$", re.IGNORECASE)
_PARTS = {
    "KVStore": "kvstore",
    "ContainerRuntime": "container-runtime",
    "Kubernetes": "kubernetes",
    "Cilium": "cilium",
    "Cilium health daemon": "cilium-health",
    "Hubble": "hubble",
}
"""Rows that begin with a state, and the part's name in the JSON."""
_AGE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|µs|us|ns|h|m|s|d)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_ALLOCATED = re.compile(r"^\s+([0-9a-fA-F.:]+) \((.*)\)$")
_NUMBER = re.compile(r"[0-9]{1,18}")
_LOST = re.compile(r"(\d{1,18}) events lost, (\d{1,18}) unknown")
_STALE = re.compile(r'"([^"]+)" since ([^",]+)')


@dataclass(slots=True)
class Row:
    """One label of the status with what stands behind and below it."""

    value: str
    """Behind the colon."""
    below: list[str] = field(default_factory=list)
    """Indented lines below."""


def read_status(text: str, now: datetime) -> tuple[StatusResponse, dict[str, Part]]:
    """The status and its parts; ages become times before `now`. Raises `Unreadable`."""
    rows = _rows(text)
    parts = dict(_parts(rows))
    if "cilium" not in parts:
        raise Unreadable("no row of the status says how Cilium is")
    response = StatusResponse(
        cilium=parts["cilium"],
        kvstore=parts.get("kvstore"),
        kubernetes=parts.get("kubernetes"),
        hubble=_hubble(parts.get("hubble")),
        cluster=Cluster(parts["cilium-health"]) if "cilium-health" in parts else None,
        controllers=_controllers(rows.get("Controller Status"), now),
        stale=_stale(rows.get("Stale status")),
        ipam=_ipam(rows),
        node_monitor=_monitor(rows.get("NodeMonitor")),
        proxy=_proxy(rows.get("Proxy Status")),
        encryption=_mode(rows.get("Encryption")),
        masquerading=_masquerading(rows.get("Masquerading")),
        kube_proxy_replacement=_mode(rows.get("KubeProxyReplacement")),
        host_firewall=_mode(rows.get("Host firewall")),
        routing=_routing(rows.get("Routing")),
    )
    return response, parts


def _rows(text: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    current = Row("")
    for line in text.splitlines():
        match = _ROW.match(line)
        if match:
            current = rows.setdefault(match[1], Row(match[2].strip()))
        else:
            current.below.append(line)
    return rows


def _parts(rows: dict[str, Row]) -> Iterator[tuple[str, Part]]:
    for label, name in _PARTS.items():
        match = _STATE.match(rows[label].value) if label in rows else None
        if match:
            yield name, Part(match[1].capitalize(), match[2].strip())


def _hubble(part: Part | None) -> Hubble | None:
    return Hubble(part.state, part.msg) if part else None


def _cells(line: str, most: int) -> list[str]:
    # Columns are padded to stand at least three blanks apart; names hold single blanks.
    return re.split(r"\s{3,}", line.strip(), maxsplit=most)


def _controllers(row: Row | None, now: datetime) -> tuple[Controller, ...] | None:
    if row is None:
        return None
    found = []
    for line in row.below:
        cells = _cells(line, 4)
        if len(cells) >= 4 and _NUMBER.fullmatch(cells[3]):
            counts = Counts(
                consecutive_failure_count=int(cells[3]),
                last_success_timestamp=_ago(cells[1], now),
                last_failure_timestamp=_ago(cells[2], now),
                last_failure_msg=cells[4] if len(cells) > 4 and cells[4] != "no error" else "",
            )
            found.append(Controller(cells[0], status=counts))
    return tuple(found)


def _ago(age: str, now: datetime) -> datetime | None:
    parts = _AGE.findall(age)
    if not parts:
        return None
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return now - timedelta(seconds=min(seconds, 10.0 * 365 * 86400))


def _stale(row: Row | None) -> dict[str, datetime]:
    found = {}
    for name, since in _STALE.findall(row.value) if row else ():
        try:
            time = datetime.fromisoformat(since.strip())
        except ValueError as error:
            raise Unreadable(f"no time in the stale status: {since}") from error
        found[name] = time if time.tzinfo else time.replace(tzinfo=UTC)
    return found


def _monitor(row: Row | None) -> Monitor | None:
    match = _LOST.search("\n".join(row.below)) if row else None
    if match:
        return Monitor(int(match[1]), int(match[2]))
    return Monitor() if row and row.value.startswith("Listening") else None


def _proxy(row: Row | None) -> Proxy | None:
    if row is None or not row.value.startswith("OK"):
        return None
    cells = [_cells(line, 2) for line in row.below]
    redirects = [one for one in cells if len(one) == 3 and _NUMBER.fullmatch(one[2])]
    mode = re.search(r"Envoy: (\w+)", row.value)
    return Proxy(
        tuple(Redirect(name, proxy, int(port)) for proxy, name, port in redirects), mode[1] if mode else ""
    )


def _ipam(rows: dict[str, Row]) -> Ipam | None:
    if "IPAM" not in rows:
        return None
    below = rows["Allocated addresses"].below if "Allocated addresses" in rows else []
    given = {match[1]: match[2] for line in below if (match := _ALLOCATED.match(line))}
    return Ipam(rows["IPAM"].value, given or None)


def _mode(row: Row | None) -> Mode | None:
    words = row.value.split() if row else []
    return Mode(words[0], " ".join(words[1:])) if words else None


def _masquerading(row: Row | None) -> Masquerading | None:
    mode = _mode(row)
    if mode is None:
        return None
    is_enabled = mode.mode != "Disabled" and "IPv4: Disabled, IPv6: Disabled" not in mode.msg
    return Masquerading(mode.mode, mode.msg, is_enabled)


def _routing(row: Row | None) -> Routing | None:
    match = re.search(r"Network: (\w+)(?: \[(\w+)\])?\s+Host: (\w+)", row.value) if row else None
    return Routing(match[1], match[3], match[2] or "") if match else None
