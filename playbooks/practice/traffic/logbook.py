"""What clients write into their logs: one line for each call, with what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice.logs import Line
from playbooks.practice.traffic.call import Scheme
from playbooks.practice.traffic.lane import SECOND, Lane, Outcome

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

KEPT = 60
"""How many lines are told."""
_SPAN = 3600 * SECOND


def lines(world: World, run: PodRun, begin: datetime, end: datetime) -> list[Line]:
    """The last lines of a client between two times; none of a pod that asks for nothing."""
    traffic = world.traffic
    if traffic.epoch is None:
        return []
    until = traffic.moment(end)
    found: list[tuple[int, str]] = []
    for period in traffic.periods(max(traffic.moment(begin), until - _SPAN), until):
        for lane in period.lanes:
            if (lane.client.namespace, lane.client.pod) == (run.namespace, run.name) and _is_told(lane):
                numbers = lane.numbers(period.begin, period.end)
                found += [(lane.begins(number), _text(lane)) for number in numbers[-KEPT:]]
    told = sorted(found)[-KEPT:]
    moments = [(traffic.epoch + timedelta(microseconds=begins // 1000), text) for begins, text in told]
    return [Line(at, f"{at.strftime('%Y-%m-%dT%H:%M:%SZ')} {text}") for at, text in moments]


def _is_told(lane: Lane) -> bool:
    """Whether a lane is a call itself; lookups are told where they are what is asked for, once."""
    if lane.query is None:
        return True
    query = lane.query
    return lane.call.scheme is Scheme.DNS and query.name == f"{lane.call.host}." and query.type == "A"


def _text(lane: Lane) -> str:
    call = lane.call
    if call.scheme is Scheme.DNS:
        return f"{call.title} {_looked_up(lane)}"
    error = _error(lane)
    if not error and call.scheme is Scheme.HTTP:
        status = 403 if lane.outcome is Outcome.FORBIDDEN else call.status
        return f"{call.title} {status} {call.size} bytes"
    if not error:
        return f"{call.title} {call.reply or 'sent'}"
    if call.scheme is Scheme.HTTP:
        error = f'Get "{call.url}": {error}'
    return f"{call.title} ERR {error}"


def _looked_up(lane: Lane) -> str:
    query = lane.query
    if query is not None and query.addresses and lane.outcome is Outcome.ANSWERED:
        return " ".join(query.addresses)
    why = "no such host" if lane.outcome is Outcome.ANSWERED else "i/o timeout"
    return f"ERR lookup {lane.call.host}: {why}"


def _error(lane: Lane) -> str:
    """What the client's socket says, as Go words it; empty for an answer."""
    call = lane.call
    place = f"{call.host}:{call.port}"
    if lane.outcome is Outcome.UNKNOWN_NAME:
        return f"lookup {call.host}: no such host"
    if lane.outcome is Outcome.NO_NAME_SERVER:
        return f"lookup {call.host}: i/o timeout"
    if lane.outcome is Outcome.UNREACHABLE:
        return f"dial {call.protocol.lower()} {place}: connect: no route to host"
    if lane.outcome is Outcome.RESET:
        return f"dial {call.protocol.lower()} {place}: connect: connection refused"
    if lane.outcome is Outcome.DROPPED and call.protocol == "TCP":
        is_http = call.scheme is Scheme.HTTP
        return "context deadline exceeded" if is_http else f"dial tcp {place}: i/o timeout"
    return ""
