"""Which requests a proxy lets through, by the rules that an agent realized."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from playbooks.model.cilium.agent.realized import PortPolicy, Verdict
from playbooks.model.cilium.policies import FqdnSelector, HeaderMatch, HttpRule
from playbooks.model.policies.peers import fits
from playbooks.model.policies.requesting import Entry, dns_entry, http_entry
from playbooks.model.policies.written import Rule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to be judged."""

    method: str = ""
    path: str = ""
    """With the query behind it, if there is one."""
    host: str = ""
    """Whom it asks for, where that is told."""
    headers: tuple[tuple[str, str], ...] = ()
    dns: str = ""
    """A name that is looked up."""

    @property
    def is_http(self) -> bool:
        """Whether it is a request of HTTP."""
        return bool(self.method or self.path or self.headers)

    @property
    def entry(self) -> Entry:
        """The entry of a policy that lets it pass, and nothing else."""
        if self.dns:
            return dns_entry(self.dns)
        return http_entry(self.method, self.path, self.host, self.headers)


@dataclass(frozen=True, slots=True)
class Requests:
    """What passes at a port for one peer."""

    http: tuple[HttpRule, ...]
    dns: tuple[FqdnSelector, ...]
    is_open: bool
    """Whether a rule without requests lets everything pass."""
    is_unreadable: bool
    """Whether rules are of a kind that is not known here."""

    @property
    def said(self) -> tuple[str, ...]:
        """Every request that passes, in words."""
        if self.is_open:
            return ("every request",)
        http = (_http(rule) for rule in self.http)
        dns = (f"DNS {one.match_name or one.match_pattern}" for one in self.dns)
        return (*http, *dns)

    def lets(self, asked: Asked) -> bool | None:
        """Whether a request passes; nothing where rules cannot be read or it is of another protocol."""
        if self.is_open:
            return True
        if asked.dns:
            if any(fits(one.match_name or one.match_pattern, asked.dns) for one in self.dns):
                return True
            return None if self.is_unreadable or not self.dns else False
        found = [_passes(rule, asked) for rule in self.http]
        if True in found:
            return True
        return None if self.is_unreadable or None in found or not self.http else False


def requests_at(ports: Iterable[PortPolicy], selected: Mapping[str, bool]) -> Requests:
    """The rules for a peer: of the selectors that select it, by their text."""
    http: list[HttpRule] = []
    dns: list[FqdnSelector] = []
    is_open = is_unreadable = False
    for port in ports:
        for selector, verdict in port.selectors.items():
            if not selected.get(selector) or verdict.is_deny:
                continue
            is_open = is_open or not verdict.is_redirect
            try:
                http += _decoded(verdict, "http", HttpRule)
                dns += _decoded(verdict, "dns", FqdnSelector)
            except (msgspec.MsgspecError, UnicodeError):
                is_unreadable = True
            is_unreadable = is_unreadable or verdict.has_more
    return Requests(tuple(http), tuple(dns), is_open, is_unreadable)


def requests_written(rules: Iterable[Rule], port: int, protocol: str, names: tuple[str, ...]) -> Requests:
    """The same by the policies as written, for a peer whom these rules admit at the port."""
    http: list[HttpRule] = []
    dns: list[FqdnSelector] = []
    is_open = is_unreadable = False
    for rule in rules:
        here = [one for one in rule.entries if one.is_at(port, protocol, names)]
        is_open = is_open or not rule.entries
        for one in here:
            http += (one.l7.http if one.l7 else None) or ()
            dns += (one.l7.dns if one.l7 else None) or ()
            is_open = is_open or not (one.l7 or one.has_more)
            is_unreadable = is_unreadable or one.has_more
            is_unreadable = is_unreadable or bool(one.l7 and (one.l7.kafka or one.l7.l7proto))
    return Requests(tuple(http), tuple(dns), is_open, is_unreadable)


def _decoded(verdict: Verdict, kind: str, form: type[T]) -> list[T]:
    return [msgspec.json.decode(raw, type=form) for raw in getattr(verdict, kind) or ()]


def _passes(rule: HttpRule, asked: Asked) -> bool | None:
    """Whether one rule lets a request pass; nothing where that cannot be told."""
    try:
        parts = [
            not rule.method or bool(re.fullmatch(rule.method, asked.method)),
            # The proxy compares what it gets, with the query behind the path.
            not rule.path or bool(re.fullmatch(rule.path, asked.path)),
            *((_is_host(rule.host, asked.host),) if rule.host else ()),
        ]
    except re.error:
        return None
    carried = {name.lower(): value for name, value in asked.headers}
    parts += [
        name in carried and value in ("", carried[name]) for name, value in map(_split, rule.headers or ())
    ]
    parts += [_fits(one, carried) for one in rule.header_matches or () if not one.mismatch]
    return False if False in parts else None if None in parts else True


def _is_host(pattern: str, host: str) -> bool | None:
    return bool(re.fullmatch(pattern, host)) if host else None


def _fits(match: HeaderMatch, carried: Mapping[str, str]) -> bool | None:
    """Whether a header has the value of a rule; what a secret holds is not known."""
    value = carried.get(match.name.lower())
    if value is None or match.secret is None:
        return value is not None and match.value in ("", value)
    return None


def _split(header: str) -> tuple[str, str]:
    """Name and value as the agent reads them: without a space between them there is only a name."""
    name, mark, value = header.partition(" ")
    return (name.rstrip(":") if mark else name).lower(), value


def _http(rule: HttpRule) -> str:
    headers = [*(rule.headers or ()), *(f"{one.name}: {one.value}" for one in rule.header_matches or ())]
    parts = (rule.method or "any method", rule.path or "any path", f"host {rule.host}" if rule.host else "")
    told = " ".join(part for part in parts if part)
    return f"{told} with {', '.join(headers)}" if headers else told
