"""What proxies see of a call: the request and its answer."""

from __future__ import annotations

from playbooks.practice.policies.requests import DnsQuery, HttpRequest, KafkaRequest, Request
from playbooks.practice.traffic.call import Call, Scheme
from playbooks.practice.traffic.lane import Lane, Outcome
from playbooks.practice.traffic.sight import Dns, Http, Kafka, Layer7

_NO_TTL = 4294967295
_TTL = 5
_FORBIDDEN = 403
_NOT_AUTHORIZED = 29


def asked(call: Call) -> Request | None:
    """The request as policies judge it; nothing for what no proxy understands."""
    if call.scheme is Scheme.HTTP:
        return HttpRequest(call.method, call.path, call.host)
    if call.scheme is Scheme.KAFKA:
        return KafkaRequest(call.api, call.topic)
    return DnsQuery(call.host) if call.scheme is Scheme.DNS else None


def request_of(lane: Lane) -> Layer7 | None:
    """What the proxy writes down when it is asked."""
    call = lane.call
    if lane.query is not None:
        return Layer7(is_response=False, dns=Dns(lane.query.name, (lane.query.type,)))
    if call.scheme is Scheme.HTTP:
        return Layer7(is_response=False, http=Http(call.method, call.url))
    if call.scheme is Scheme.KAFKA:
        return Layer7(is_response=False, kafka=Kafka(call.api, call.topic))
    return None


def response_of(lane: Lane) -> Layer7 | None:
    """What the proxy writes down when it answers."""
    call, is_forbidden = lane.call, lane.outcome is Outcome.FORBIDDEN
    latency = round(call.latency * 1_000_000)
    if lane.query is not None:
        return Layer7(is_response=True, dns=_answer(lane))
    if call.scheme is Scheme.HTTP:
        code = _FORBIDDEN if is_forbidden else call.status
        return Layer7(is_response=True, latency=latency, http=Http(call.method, call.url, code=code))
    if call.scheme is Scheme.KAFKA:
        code = _NOT_AUTHORIZED if is_forbidden else 0
        return Layer7(is_response=True, latency=latency, kafka=Kafka(call.api, call.topic, error_code=code))
    return None


def _answer(lane: Lane) -> Dns:
    query = lane.query
    assert query is not None
    rcode = 5 if lane.outcome is Outcome.FORBIDDEN else query.rcode
    ips = () if rcode else query.addresses
    ttl = _TTL if ips else _NO_TTL
    return Dns(query.name, (query.type,), ips, ttl, rcode, (query.type,) if ips else ())
