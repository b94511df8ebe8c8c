"""Moments as `--since` and `--until` take them: so long ago, or one of the hubble command's layouts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters.wording import WrongValue, quoted

_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_PART = re.compile(r"([0-9]*)(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h)")
_MOST = (1 << 63) - 1
_ZONE = r"(?P<zone>Z|[+-]\d{2}:\d{2})"
_LAYOUTS = tuple(
    re.compile(layout, re.ASCII)
    for layout in (
        r"(?P<day>\d{4}-\d{2}-\d{2})",
        rf"(?P<day>\d{{4}}-\d{{2}}-\d{{2}})T(?P<hour>\d{{2}}){_ZONE}",
        rf"(?P<day>\d{{4}}-\d{{2}}-\d{{2}})T(?P<hour>\d{{2}}):(?P<minute>\d{{2}}){_ZONE}",
        rf"(?P<day>\d{{4}}-\d{{2}}-\d{{2}})T(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}}):(?P<second>\d{{2}})"
        rf"(?:[.,](?P<fraction>\d+))?{_ZONE}",
    )
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MAIL = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<date>\d{2}) (?P<month>[A-Za-z]{3}) (?P<year>\d{4}) "
    r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:[.,](?P<fraction>\d+))? (?P<zone>[+-]\d{4})",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def duration(text: str) -> int:
    """Nanoseconds of a length of time such as `1h43m`; anything else is refused."""
    found = _length(text)
    if found is None:
        raise WrongValue(f"time: invalid duration {quoted(text)}")
    return found


def _length(text: str) -> int | None:
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text[1:] if text[:1] == "+" else text)
    if rest == "0":
        return 0
    total, position = 0, 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None or not (part[1] or len(part[2] or "") > 1):
            return None
        unit = _UNITS[part[3]]
        decimals = (part[2] or ".")[1:][:18]
        total += int(part[1][:30] or 0) * unit + int(decimals or 0) * unit // 10 ** len(decimals)
        position = part.end()
    return sign * total if rest and total <= _MOST else None


def moment(text: str, now: datetime) -> Timestamp:
    """The moment that a text means, seen from now; what is neither a length nor a layout is refused."""
    length = _length(text)
    nanoseconds = _since_epoch(now) - length if length is not None else _by_layout(text)
    if nanoseconds is None:
        raise WrongValue(f"failed to convert {text} to time")
    seconds, nanos = divmod(nanoseconds, _SECOND)
    return Timestamp(seconds=seconds, nanos=nanos)


def _since_epoch(when: datetime) -> int:
    passed = when - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * _SECOND + passed.microseconds * 1_000


def _by_layout(text: str) -> int | None:
    for layout in _LAYOUTS:
        if found := layout.fullmatch(text):
            parts = found.groupdict()
            year, month, day = (int(part) for part in parts["day"].split("-"))
            return _nanoseconds(year, month, day, parts)
    if (found := _MAIL.fullmatch(text)) and found["month"].lower() in _MONTHS:
        month = _MONTHS.index(found["month"].lower()) + 1
        return _nanoseconds(int(found["year"]), month, int(found["date"]), found.groupdict())
    return None


def _nanoseconds(year: int, month: int, day: int, parts: dict[str, str | None]) -> int | None:
    hour, minute, second = (int(parts.get(part) or 0) for part in ("hour", "minute", "second"))
    try:
        when = datetime(year, month, day, hour, minute, second, tzinfo=_zone(parts.get("zone") or "Z"))
        whole = _since_epoch(when)
    except (ValueError, OverflowError):
        return None
    return whole + int(((parts.get("fraction") or "") + "000000000")[:9])


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 24 or minutes > 60:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
