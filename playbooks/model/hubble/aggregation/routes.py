"""What requests ask for, without what differs from one to the next."""

from __future__ import annotations

import re
from functools import lru_cache

from playbooks.model.hubble.seen import Http

SEGMENTS = 12
"""Segments of a path that tell routes apart; what follows them is written as `…`."""

LENGTH = 200
"""Letters of a segment that are kept."""

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_NUMBER = re.compile(r"[0-9]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}")
_CALL = re.compile(r"/(?P<service>[A-Za-z_][\w.]*)/(?P<method>[A-Za-z_]\w*)")
_GRPC = "application/grpc"
_READING = ("GET", "HEAD", "OPTIONS")


@lru_cache(8192)
def route(url: str) -> str:
    """The path of a URL with `{id}` for numbers, UUIDs and long hexadecimal; without host and query."""
    origin = _ORIGIN.match(url)
    path = re.split(r"[?#]", url[origin.end() :] if origin else url, maxsplit=1)[0]
    segments = path.split("/")
    kept = [_named(segment) for segment in segments[: SEGMENTS + 1]]
    return "/".join(kept) + ("/…" if len(segments) > SEGMENTS + 1 else "") or "/"


def _named(segment: str) -> str:
    if _NUMBER.fullmatch(segment) or _UUID.fullmatch(segment) or _HEX.fullmatch(segment):
        return "{id}"
    return segment if len(segment) <= LENGTH else segment[:LENGTH] + "…"


def call(http: Http) -> tuple[str, str] | None:
    """Service and method of a gRPC call; None for other requests.

    It is one by its content type. Where proxies hide headers: by HTTP/2, a method with a body and a path of
    two names of which the first is qualified, which no other kind of request has by chance.
    """
    match = _CALL.fullmatch(http.url[origin.end() :] if (origin := _ORIGIN.match(http.url)) else http.url)
    if not match:
        return None
    kind = header(http, "content-type")
    is_by_shape = (
        kind is None
        and http.protocol.startswith("HTTP/2")
        and http.method not in _READING
        and "." in match["service"]
    )
    if is_by_shape or (kind is not None and kind.startswith(_GRPC)):
        return match["service"], match["method"]
    return None


def header(http: Http, name: str) -> str | None:
    """The value of a header, whatever the case of its name; None where it is not told."""
    return next((value for key, value in http.headers if key.lower() == name), None)
