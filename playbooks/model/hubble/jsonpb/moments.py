"""Times as JSON has them: RFC 3339 in UTC with 0, 3, 6 or 9 digits of a second."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from playbooks.model.hubble.memory import Memory

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
FIRST, LAST = -62135596800, 253402300799
"""Seconds since 1970 that a time may have: the years 1 to 9999."""


def _second(seconds: int) -> str:
    if not FIRST <= seconds <= LAST:
        raise ValueError(f"no time: {seconds} seconds")
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


_SECONDS = Memory(_second)


def rfc3339(seconds: int, nanos: int) -> str:
    """A time. Raises `ValueError` when it is none, as beyond the years 1 to 9999."""
    second = _SECONDS[seconds]
    if not nanos:
        return f"{second}Z"
    if not 0 < nanos < 1_000_000_000:
        raise ValueError(f"no time: {nanos} nanoseconds")
    if nanos % 1000:
        return f"{second}.{nanos:09d}Z"
    return f"{second}.{nanos // 1000:06d}Z" if nanos % 1_000_000 else f"{second}.{nanos // 1_000_000:03d}Z"


@lru_cache(maxsize=1024)
def _seconds(date: str, time: str, zone: str) -> int:
    moment = datetime.fromisoformat(f"{date}T{time}{'+00:00' if zone == 'Z' else zone}")
    return round((moment - _EPOCH).total_seconds())


def read(text: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds. Raises `ValueError` when it is no time."""
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError(f"no time: {text}")
    date, time, fraction, zone = match.groups()
    return _seconds(date, time, zone), int((fraction or "0").ljust(9, "0"))
