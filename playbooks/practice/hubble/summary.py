"""The summary that agents write into each flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.practice.traffic.sight import Dns, Http, Kafka, Layer7, Sight

_FLAGS = ("SYN", "ACK", "RST", "FIN", "PSH", "URG", "ECE", "CWR", "NS")
_RCODES = {1: "Format Error", 2: "Server Failure", 3: "Non-Existent Domain", 5: "Query Refused"}
_MILLISECOND = 1_000_000


def summary(sight: Sight) -> str:
    """One line on what was seen."""
    if sight.l7 is not None:
        return _of_layer7(sight.l7)
    if sight.flags:
        return f"TCP Flags: {', '.join(flag for flag in _FLAGS if flag in sight.flags)}"
    return sight.protocol


def _of_layer7(seen: Layer7) -> str:
    if seen.dns is not None:
        return _of_dns(seen.dns, is_response=seen.is_response)
    if seen.http is not None:
        return _of_http(seen.http, seen.latency if seen.is_response else None)
    return _of_kafka(seen.kafka, is_response=seen.is_response) if seen.kafka is not None else ""


def _of_dns(dns: Dns, *, is_response: bool) -> str:
    asked = f"{dns.query} {','.join(dns.qtypes)}"
    if not is_response:
        return f"DNS Query {asked}"
    told = f"RCode: {_RCODES.get(dns.rcode, dns.rcode)}" if dns.rcode else ""
    if dns.ips:
        told = f'"{",".join(dns.ips)}"'
    return f"DNS Answer {told} TTL: {dns.ttl} (Proxy {asked})"


def _of_http(http: Http, latency: int | None) -> str:
    asked = f"{http.method} {http.url}"
    if latency is None:
        return f"{http.protocol} {asked}"
    return f"{http.protocol} {http.code} {latency // _MILLISECOND}ms ({asked})"


def _of_kafka(kafka: Kafka, *, is_response: bool) -> str:
    kind = "response" if is_response else "request"
    return f"Kafka {kind} {kafka.api_key} correlation id 0 topic '{kafka.topic}'"
