"""Filters as JSON: read from `--allowlist` and `--denylist`, printed by `--print-raw-filters`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from google.protobuf import json_format

from playbooks.model.hubble.filters.wording import WrongValue
from playbooks.model.hubble.proto import flow_pb2

_ORDER = (
    *("uuid", "source_ip", "source_ip_xlated", "source_pod", "source_fqdn", "source_label"),
    *("source_service", "source_workload", "source_cluster_name"),
    *("destination_ip", "destination_pod", "destination_fqdn", "destination_label"),
    *("destination_service", "destination_workload", "destination_cluster_name"),
    *("traffic_direction", "verdict", "drop_reason_desc", "interface", "event_type"),
    *("http_status_code", "protocol", "source_port", "destination_port", "reply", "dns_query"),
    *("source_identity", "destination_identity", "http_method", "http_path", "http_url", "http_header"),
    *("tcp_flags", "node_name", "node_labels", "ip_version", "trace_id", "ip_trace_id"),
    *("encrypted", "experimental"),
)
_PLACE = {name: place for place, name in enumerate(_ORDER)}
_ESCAPED = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_PHRASES = {
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ',' delimiter": "after a value",
    "Expecting ':' delimiter": "after object key",
}
_PLAIN_END = 0x7E


def printed(allowlist: Iterable[flow_pb2.FlowFilter], denylist: Iterable[flow_pb2.FlowFilter]) -> str:
    """Both lists as YAML that the hubble command takes back."""
    lines = [*_list("allowlist", allowlist), *_list("denylist", denylist)]
    return "\n".join([*lines, ""]) if lines else "{}\n"


def _list(name: str, filters: Iterable[flow_pb2.FlowFilter]) -> Iterator[str]:
    texts = [as_json(each) for each in filters]
    if texts:
        yield f"{name}:"
    for text in texts:
        yield f"    - {_yaml(text)}"


def as_json(filter: flow_pb2.FlowFilter) -> str:
    """One filter as the hubble command writes it: names of the protocol, in the protocol's order."""
    fields = json_format.MessageToDict(filter, preserving_proto_field_name=True)
    ordered = {name: fields[name] for name in sorted(fields, key=lambda name: _PLACE.get(name, len(_PLACE)))}
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED)


def _yaml(text: str) -> str:
    if all(character <= chr(_PLAIN_END) or character.isprintable() for character in text):
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)


def read(texts: Iterable[str]) -> list[flow_pb2.FlowFilter]:
    """The filters of these texts, each any number of JSON objects one after the other."""
    return [each for text in texts for each in _filters(text)]


def _filters(text: str) -> Iterator[flow_pb2.FlowFilter]:
    decoder, rest = json.JSONDecoder(), text.strip(" \t\r\n")
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
            yield json_format.ParseDict(value, flow_pb2.FlowFilter())
        except json.JSONDecodeError as wrong:
            raise WrongValue(f"failed to decode '{text}': {_reason(wrong)}") from None
        except (json_format.ParseError, AttributeError, TypeError, ValueError, RecursionError) as wrong:
            raise WrongValue(f"failed to decode '{text}': proto: {wrong}") from None
        rest = rest[end:].lstrip(" \t\r\n")


def _reason(wrong: json.JSONDecodeError) -> str:
    if wrong.pos >= len(wrong.doc):
        return "unexpected EOF"
    phrase = _PHRASES.get(wrong.msg, f"in string ({wrong.msg})")
    return f"invalid character {wrong.doc[wrong.pos]!r} {phrase}"
