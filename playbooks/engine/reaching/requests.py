"""Which requests a proxy lets through, by the rules that an agent realized."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from playbooks.model.cilium.agent.realized import PortPolicy, Verdict
from playbooks.model.cilium.policies import FqdnSelector, HttpRule
from playbooks.model.policies.peers import fits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to be judged."""

    method: str = ""
    path: str = ""
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    dns: str = ""
    """A name that is looked up."""

    @property
    def is_http(self) -> bool:
        """Whether it is a request of HTTP."""
        return bool(self.method or self.path or self.headers)


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
            is_unreadable = is_unreadable or bool(verdict.kafka or verdict.listener)
    return Requests(tuple(http), tuple(dns), is_open, is_unreadable)


def _decoded(verdict: Verdict, kind: str, form: type[T]) -> list[T]:
    return [msgspec.json.decode(raw, type=form) for raw in getattr(verdict, kind) or ()]


def _passes(rule: HttpRule, asked: Asked) -> bool | None:
    """Whether one rule lets a request pass; nothing for an expression that cannot be read."""
    try:
        parts = (
            not rule.method or re.fullmatch(rule.method, asked.method, re.IGNORECASE),
            not rule.path or re.fullmatch(rule.path, asked.path.partition("?")[0]),
            not rule.host or re.fullmatch(rule.host, asked.host, re.IGNORECASE),
        )
    except re.error:
        return None
    carried = {name.lower(): value for name, value in asked.headers}
    wanted = [_split(header) for header in rule.headers or ()]
    wanted += [(one.name.lower(), one.value) for one in rule.header_matches or () if not one.mismatch]
    has = all(name in carried and value in ("", carried[name]) for name, value in wanted)
    return all(parts) and has


def _split(header: str) -> tuple[str, str]:
    name, _, value = header.partition(":")
    if not value:
        name, _, value = header.partition(" ")
    return name.strip().lower(), value.strip()


def _http(rule: HttpRule) -> str:
    headers = [*(rule.headers or ()), *(f"{one.name}: {one.value}" for one in rule.header_matches or ())]
    parts = (rule.method or "any method", rule.path or "any path", f"host {rule.host}" if rule.host else "")
    told = " ".join(part for part in parts if part)
    return f"{told} with {', '.join(headers)}" if headers else told
