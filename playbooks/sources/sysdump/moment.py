"""When an archive was collected, in UTC.

The collector stamps names with the time of its own time zone, which it does not name. A wrong guess would
age everything by hours, so that every lease looked abandoned. In UTC are the times of files in a zip, and
what the cluster itself wrote: the names of the agents' debuginfo, and the leases that every node renews each
ten seconds.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterable
from datetime import UTC, datetime
from time import strptime

_QUARTER = 900
"""Seconds; the offset of every time zone is a multiple."""
_SKEW = 60
"""Seconds that the collector's clock may be ahead of the cluster's."""
_WIDEST = 15 * 3600
"""Seconds; no time zone is further from UTC."""
_LONGEST = 3 * 3600
"""Seconds that a collection may take."""
_DEBUGINFO = re.compile(r"cilium-debuginfo-(\d{8}-\d{6})\.\d+\+0000-UTC\.")
_RENEWED = re.compile(rb'^ {2,8}renewTime: "?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.\d]*Z', re.MULTILINE)


def seconds_of(stamp: str) -> float:
    """A stamp `YYYYMMDD-HHMMSS` read as UTC; 0 when it is none."""
    try:
        return float(timegm(strptime(stamp, "%Y%m%d-%H%M%S")))
    except ValueError:
        return 0.0


def debuginfo_time(names: Iterable[str]) -> float:
    """When the first of some agents' debuginfo was written, UTC, by its name; 0 when there is none."""
    times = (seconds_of(match[1]) for name in names if (match := _DEBUGINFO.match(name)))
    return min(times, default=0.0)


def newest_lease(yaml: bytes) -> float:
    """When a lease was renewed last, UTC; 0 when there is none."""
    newest = max(_RENEWED.findall(yaml), default=b"")
    return float(timegm(strptime(newest.decode(), "%Y-%m-%dT%H:%M:%S"))) if newest else 0.0


def anchor_of(debuginfo: float, lease: float, written: float) -> float:
    """A time in UTC shortly after collection began; each of the three is 0 when not known.

    `written` is when the first file was written, by the clock that made the stamp, but it may be the time of
    a copy: it counts only where the cluster's own times are shortly after it. Of those the earliest is taken.
    What is too early makes things look too young, which hides a fault; too late, and it makes one up.
    """
    said = [time for time in (debuginfo, lease) if time]
    if written and (not said or any(-_SKEW <= time - written <= _LONGEST for time in said)):
        return written
    return min((time for time in said if time >= max(said) - _LONGEST), default=0.0)


def began_at(stamp: str, anchor: float) -> float:
    """When collection began, UTC: the stamp, moved by the time zone that `anchor` (0 for none) shows."""
    local = seconds_of(stamp)
    if not local or not anchor:
        return local or anchor
    offset = (anchor - local + _SKEW) // _QUARTER * _QUARTER
    return local + offset if abs(offset) <= _WIDEST else anchor


def is_within(began: float, time: float) -> bool:
    """Whether a time can be one of a collection that began then."""
    return bool(time) and began - _SKEW <= time <= began + _LONGEST


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(seconds, UTC)
