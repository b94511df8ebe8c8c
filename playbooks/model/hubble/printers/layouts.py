"""Layouts of time by the names that the hubble command has for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters.asked import TimeFormat
from playbooks.model.hubble.jsonpb.moments import FIRST, LAST
from playbooks.model.hubble.memory import Memory

NO_TIME = "N/A"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Second = Callable[[datetime], str]
Fraction = Callable[[int], str]


def _stamp(at: datetime) -> str:
    return f"{_MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S}"


def _rfc1123z(at: datetime) -> str:
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d} {at:%H:%M:%S} +0000"


def _rfc3339(at: datetime) -> str:
    return at.replace(tzinfo=None, microsecond=0).isoformat()


def _trimmed(digits: int) -> Fraction:
    """A fraction without zeros at its end; nothing at all for a whole second."""

    def fraction(nanos: int) -> str:
        text = f"{nanos:09d}"[:digits].rstrip("0")
        return f".{text}Z" if text else "Z"

    return fraction


_MILLIS = tuple(f".{number:03d}" for number in range(1000))
_LAYOUTS: dict[TimeFormat, tuple[Second, Fraction]] = {
    TimeFormat.YEAR_MONTH_DAY: (lambda at: _rfc3339(at)[:10], lambda nanos: ""),
    TimeFormat.YEAR_MONTH_DAY_HOUR: (lambda at: _rfc3339(at)[:13], lambda nanos: "Z"),
    TimeFormat.YEAR_MONTH_DAY_HOUR_MINUTE: (lambda at: _rfc3339(at)[:16], lambda nanos: "Z"),
    TimeFormat.STAMP_MILLI: (_stamp, lambda nanos: _MILLIS[nanos // 1_000_000]),
    TimeFormat.RFC3339: (_rfc3339, lambda nanos: "Z"),
    TimeFormat.RFC3339_MILLI: (_rfc3339, _trimmed(3)),
    TimeFormat.RFC3339_MICRO: (_rfc3339, _trimmed(6)),
    TimeFormat.RFC3339_NANO: (_rfc3339, _trimmed(9)),
    TimeFormat.RFC1123Z: (_rfc1123z, lambda nanos: ""),
}


class Clock:
    """Writes times in one layout, always in UTC; the same time twice costs once."""

    def __init__(self, layout: TimeFormat = TimeFormat.STAMP_MILLI) -> None:
        second, self._fraction = _LAYOUTS[layout]
        self._seconds = Memory[int, str](lambda seconds: second(_EPOCH + timedelta(seconds=seconds)))
        self._last, self._text = b"", NO_TIME

    def raw(self, stamp: bytes) -> str:
        """A serialized Timestamp."""
        if stamp != self._last:
            self._last, self._text = stamp, self.text(_parse(stamp))
        return self._text

    def text(self, stamp: Timestamp) -> str:
        """A time; `N/A` when it is none."""
        seconds, nanos = stamp.seconds, stamp.nanos
        if not (FIRST <= seconds <= LAST and 0 <= nanos < 1_000_000_000):
            return NO_TIME
        return self._seconds[seconds] + self._fraction(nanos)


_parse = Timestamp.FromString
