"""Whether a proxy lets a request through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from playbooks.practice.objects import Json
from playbooks.practice.policies.peers import Named
from playbooks.practice.policies.requests import DnsQuery, HttpRequest, KafkaRequest, Request

_ROLES = {
    "produce": frozenset({"produce", "metadata", "apiversions"}),
    "consume": frozenset(
        {
            "fetch", "offsets", "metadata", "offsetcommit", "offsetfetch", "findcoordinator", "joingroup",
            "heartbeat", "leavegroup", "syncgroup", "apiversions",
        }
    ),
}  # fmt: skip


def is_allowed(asked: Iterable[Mapping[str, list[Json]]], request: Request) -> bool:
    """Whether one of the proxy's rules fits the request; an empty one fits every request."""
    return any(_fits(one, request) for rules in asked for kind in rules for one in rules[kind])


def _fits(rule: Json, request: Request) -> bool:
    if not rule:
        return True
    if isinstance(request, HttpRequest):
        return _fits_http(rule, request)
    if isinstance(request, DnsQuery):
        return _fits_dns(rule, request)
    return _fits_kafka(rule, request)


def _fits_http(rule: Json, request: HttpRequest) -> bool:
    if rule.keys() & {"matchName", "matchPattern", "topic", "role", "apiKey"}:
        return False
    headers = {name.lower(): value for name, value in request.headers}
    for key, value in (("method", request.method), ("path", request.path), ("host", request.host)):
        if rule.get(key) and not re.fullmatch(rule[key], value):
            return False
    for text in rule.get("headers") or ():
        name, _, value = text.partition(" ")
        if name.rstrip(":").lower() not in headers:
            return False
        if value and headers[name.rstrip(":").lower()] != value.strip():
            return False
    return all(
        one.get("mismatch") or headers.get(one["name"].lower()) == one.get("value", "")
        for one in rule.get("headerMatches") or ()
    )


def _fits_dns(rule: Json, request: DnsQuery) -> bool:
    if not rule.keys() & {"matchName", "matchPattern"}:
        return False
    return Named(rule.get("matchName", ""), rule.get("matchPattern", "")).fits(request.name)


def _fits_kafka(rule: Json, request: KafkaRequest) -> bool:
    key = (request.key or request.role).lower()
    roles = _ROLES.get(rule.get("role", ""), frozenset())
    if rule.get("role") and key != rule["role"] and key not in roles:
        return False
    if rule.get("apiKey") and key != rule["apiKey"].lower():
        return False
    return (not rule.get("topic") or rule["topic"] == request.topic) and (
        not rule.get("clientID") or rule["clientID"] == request.client
    )
