"""Which events of a file are shown: within time, matching, and so many of them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters.asked import ALL
from playbooks.model.hubble.filters.matching import FilterRefused, Matcher, matching
from playbooks.model.hubble.proto import observer_pb2

MOST = 1_000_000
"""The largest number of last events that are held while a file is read."""


def selected(
    request: observer_pb2.GetFlowsRequest, events: Iterable[observer_pb2.ExportEvent]
) -> Iterator[observer_pb2.ExportEvent]:
    """The events that a request asks for, in their order; FilterRefused at once where it cannot be obeyed.

    The last ones are known only when all are read; a file does not go on, so following changes nothing.
    """
    matcher = matching(request.whitelist, request.blacklist)
    found = _passing(request, matcher, events)
    if not request.number or request.number == ALL:
        return found
    if request.first:
        return islice(found, min(request.number, sys.maxsize))
    if request.number > MOST:
        raise FilterRefused(f"--last must be <= 1_000_000, got {request.number}")
    return _last(found, request.number)


def _passing(
    request: observer_pb2.GetFlowsRequest, matcher: Matcher, events: Iterable[observer_pb2.ExportEvent]
) -> Iterator[observer_pb2.ExportEvent]:
    if not (request.HasField("since") or request.HasField("until")):
        return filter(matcher.event, events)
    earliest = _nanoseconds(request.since) if request.HasField("since") else None
    latest = _nanoseconds(request.until) if request.HasField("until") else None

    def is_within(event: observer_pb2.ExportEvent) -> bool:
        when = _nanoseconds(event.time)
        return (earliest is None or earliest <= when) and (latest is None or when <= latest)

    return (event for event in events if is_within(event) and matcher.event(event))


def _last(events: Iterator[observer_pb2.ExportEvent], number: int) -> Iterator[observer_pb2.ExportEvent]:
    yield from deque(events, maxlen=number)


def _nanoseconds(when: Timestamp) -> int:
    return when.seconds * 1_000_000_000 + when.nanos
