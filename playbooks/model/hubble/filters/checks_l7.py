"""Checks of what HTTP and DNS carried."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from playbooks.model.hubble.filters import patterns
from playbooks.model.hubble.filters.check import Check
from playbooks.model.hubble.filters.wording import WrongValue, quoted
from playbooks.model.hubble.proto import flow_pb2

_L7 = 129
_STATUS = re.compile(r"[1-5][0-9]{2}", re.ASCII)
_STATUS_START = re.compile(r"([1-5][0-9]?)\+", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WRONG_IN_HOST = re.compile(r'[\s<>"\\^`{|}#/]')
_PORT = re.compile(r"(?::[0-9]*)?", re.ASCII)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_WRONGLY_ESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def http(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """Status, method, path, URL and headers; only events of layer 7 have them."""
    if wanted.http_status_code:
        _check_type(wanted, "status code")
        yield _status(wanted.http_status_code)
    if wanted.http_method:
        _check_type(wanted, "method")
        methods = frozenset(method.casefold() for method in wanted.http_method if method)
        yield Check(lambda flow: flow.l7.http.method.casefold() in methods)
    if wanted.http_path:
        _check_type(wanted, "path")
        yield _path(_regular("http path", wanted.http_path))
    if wanted.http_url:
        _check_type(wanted, "url")
        is_url = _regular("http url", wanted.http_url)
        yield Check(lambda flow: bool(url := flow.l7.http.url) and is_url(url))
    if wanted.http_header:
        _check_type(wanted, "headers")
        yield _header([(header.key, header.value) for header in wanted.http_header])


def dns(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The name that DNS was asked for."""
    if wanted.dns_query:
        is_query = _regular("DNS query", wanted.dns_query)
        yield Check(lambda flow: flow.l7.HasField("dns") and is_query(flow.l7.dns.query))


def _check_type(wanted: flow_pb2.FlowFilter, what: str) -> None:
    if wanted.event_type and all(each.type != _L7 for each in wanted.event_type):
        raise WrongValue(f"filtering by http {what} requires the event type filter to only match 'l7' events")


def _regular(what: str, texts: Sequence[str]) -> patterns.Finder:
    for text in texts:
        try:
            patterns.regular(text)
        except WrongValue as wrong:
            told = f"failed to compile regexp: {wrong}" if what.startswith("DNS") else f"{text}: {wrong}"
            raise WrongValue(f"invalid {what} filter: {told}") from None
    return patterns.any_regular(texts)


def _status(texts: Sequence[str]) -> Check:
    whole, starts = set(), []
    for text in texts:
        if _STATUS.fullmatch(text):
            whole.add(text)
        elif start := _STATUS_START.fullmatch(text):
            starts.append(start[1])
        else:
            raise WrongValue(f"invalid http status code filter: invalid status code prefix: {quoted(text)}")
    codes, prefixes = frozenset(whole), tuple(starts)

    def holds(flow: flow_pb2.Flow) -> bool:
        code = flow.l7.http.code
        if not code:
            return False
        status = f"{code:03d}"
        return status in codes or status.startswith(prefixes)

    return Check(holds)


def _path(is_path: patterns.Finder) -> Check:
    def holds(flow: flow_pb2.Flow) -> bool:
        path = path_of(flow.l7.http.url)
        return path is not None and is_path(path)

    return Check(holds)


def _header(wanted: Sequence[tuple[str, str]]) -> Check:
    def holds(flow: flow_pb2.Flow) -> bool:
        for header in flow.l7.http.headers:
            for key, value in wanted:
                if (not key or key == header.key) and (not value or value == header.value):
                    return True
        return False

    return Check(holds)


def path_of(url: str) -> str | None:
    """The path that a request's target names, unescaped; None where it is no target."""
    if not url or any(character < " " or character == "\x7f" for character in url):
        return None
    if url == "*":
        return url
    scheme = _SCHEME.match(url)
    rest = url[scheme.end() :] if scheme else url
    rest = rest.partition("?")[0]
    if not rest.startswith("/"):
        return "" if scheme else None
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        if not _is_authority(authority):
            return None
        rest = slash + path
    return None if _WRONGLY_ESCAPED.search(rest) else _unescaped(rest)


def _is_authority(text: str) -> bool:
    host = text.rpartition("@")[2]
    if host.startswith("["):
        _, bracket, port = host.partition("]")
        return bool(bracket) and _PORT.fullmatch(port) is not None
    name, colon, port = host.partition(":")
    return not _WRONG_IN_HOST.search(name) and _PORT.fullmatch(colon + port) is not None


def _unescaped(path: str) -> str:
    if "%" not in path:
        return path
    plain = _ESCAPED.sub(lambda escape: bytes([int(escape[1], 16)]), path.encode())
    return plain.decode(errors="replace")
