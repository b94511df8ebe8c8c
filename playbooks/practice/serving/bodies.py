"""What clients send: JSON, YAML, and the few messages for which kubectl insists on protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from aiohttp import web

from playbooks.practice import refusals
from playbooks.practice.objects import Json

_MAGIC = b"k8s\x00"
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_MORE = 0x80

Schema = dict[int, "str | tuple[str, Schema]"]
"""Field numbers of a message: the name of a text, or the name and schema of a message."""

_ENVELOPE: Schema = {1: ("type", {1: "apiVersion", 2: "kind"})}
_RAW = 2
_RESOURCE: Schema = {
    1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name",
}  # fmt: skip
_SCHEMAS: dict[str, Schema] = {
    "SelfSubjectAccessReview": {
        2: (
            "spec",
            {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", {1: "path", 2: "verb"})},
        )
    },
    "SelfSubjectRulesReview": {2: ("spec", {1: "namespace"})},
    "Namespace": {1: ("metadata", {1: "name"})},
}


async def body_of(request: web.Request) -> Any:
    """The body of a request. Raises `Refused`."""
    data = await request.read()
    if not data:
        return {}
    if request.content_type == _PROTOBUF:
        return _from_protobuf(data)
    try:
        if "yaml" in request.content_type:
            return yaml.safe_load(data)
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, yaml.YAMLError) as error:
        raise refusals.bad_request(f"the body cannot be read: {error}") from error


def _from_protobuf(data: bytes) -> Json:
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("no envelope")
        envelope = data[len(_MAGIC) :]
        kind = _read(envelope, _ENVELOPE)["type"]
        raw = next((value for number, value in _fields(envelope) if number == _RAW), b"")
        if kind["kind"] not in _SCHEMAS:
            raise refusals.unsupported_media_type()
        return {**kind, **_read(raw, _SCHEMAS[kind["kind"]])}
    except (ValueError, IndexError, KeyError) as error:
        raise refusals.bad_request(f"the body cannot be read: {error}") from error


def _read(data: bytes, schema: Schema) -> Json:
    found: Json = {}
    for number, value in _fields(data):
        meaning = schema.get(number)
        if isinstance(meaning, str):
            found[meaning] = value.decode()
        elif meaning is not None:
            found[meaning[0]] = _read(value, meaning[1])
    return found


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, form = tag >> 3, tag & 7
        if form == _VARINT:
            _, at = _varint(data, at)
        elif form == _BYTES:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        elif form in (_EIGHT, _FOUR):
            at += 8 if form == _EIGHT else 4
        else:
            raise ValueError(f"unknown wire type {form}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & ~_MORE) << shift
        at, shift = at + 1, shift + 7
        if not byte & _MORE:
            return value, at
