"""Single values of JSON to what a message is made of, as strict as protojson is."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import msgspec
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.filters.wording import quoted
from playbooks.model.hubble.jsonpb import moments

_WHOLE = {
    FieldDescriptor.CPPTYPE_INT32: ("int32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_UINT32: ("uint32", 0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_INT64: ("int64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: ("uint64", 0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: ("enum", -(1 << 31), (1 << 31) - 1),
}
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_SHOWN = 80

LEFT_OUT = object()
"""What a value that is unknown is read as."""

Take = Callable[[object, list[str]], object]
"""Reads a value; adds to the list what it does not know. Raises `ValueError` for what cannot be."""


def token(value: object) -> str:
    """A value as it stood in the line, or may have, for a message."""
    text = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return text.decode("utf-8", "replace")[:_SHOWN]


def take_of(field: FieldDescriptor) -> Take:
    """How the values of a field that is no message are read."""
    kind = field.cpp_type
    if field.enum_type:
        return _enum(field, field.enum_type)
    if kind in _WHOLE:
        return _number(field)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return _plain(field, bool, "bool")
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return _plain(field, str, "string") if field.type == FieldDescriptor.TYPE_STRING else _bytes
    return _real


def library(kind: Descriptor) -> Take:
    """How protobuf's own types are read that we have nothing for."""
    whole = GetMessageClass(kind)

    def taken(value: object, _unknown: list[str]) -> object:
        try:
            made = json_format.ParseDict(
                cast("dict[str, object]", value), whole(), ignore_unknown_fields=True
            )
            return made.SerializeToString()
        except json_format.ParseError as error:
            raise ValueError(str(error)) from None

    return taken


def time(value: object, _unknown: list[str]) -> object:
    """A time in RFC 3339, as a serialized Timestamp."""
    try:
        return _stamp(cast("str", value))
    except (TypeError, ValueError):
        raise ValueError(f"invalid google.protobuf.Timestamp value {token(value)}") from None


@lru_cache(maxsize=64)
def _stamp(text: str) -> bytes:
    seconds, nanos = moments.read(text)
    return Timestamp(seconds=seconds, nanos=nanos).SerializeToString()


def _plain(field: FieldDescriptor, kind: type, name: str) -> Take:
    def taken(value: object, _unknown: list[str]) -> object:
        if not isinstance(value, kind):
            raise ValueError(f"invalid value for {name} field {field.json_name}: {token(value)}")
        return value

    return taken


def _number(field: FieldDescriptor) -> Take:
    name, least, most = _WHOLE[field.cpp_type]

    def taken(value: object, _unknown: list[str]) -> object:
        number = value if type(value) is int else _whole(value)
        if number is None or not least <= number <= most:
            raise ValueError(f"invalid value for {name} field {field.json_name}: {token(value)}")
        return number

    return taken


def _whole(value: object) -> int | None:
    """The whole number that a value is, also written as 12.0, 1.2e1 or "12"; none when it is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        if isinstance(value, str):
            return int(value)  # exact for 64 bits, which a float is not
    except ValueError:
        pass
    try:
        return value if isinstance(value, int) else int(float(value)) if float(value).is_integer() else None
    except (ValueError, OverflowError):
        return None


def _real(value: object, _unknown: list[str]) -> object:
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"invalid value for double field: {token(value)}")
    return float(value)


def _bytes(value: object, _unknown: list[str]) -> object:
    try:
        return base64.b64decode(cast("str", value), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError(f"invalid value for bytes field: {token(value)}") from None


def _enum(field: FieldDescriptor, kind: EnumDescriptor) -> Take:
    numbers = {value.name: value.number for value in kind.values}
    take_number = _number(field)

    def taken(value: object, unknown: list[str]) -> object:
        if not isinstance(value, str):
            return take_number(value, unknown)
        number = numbers.get(value)
        if number is None:
            unknown.append(f"invalid value for enum field {field.json_name}: {quoted(value)}")
            return LEFT_OUT
        return number

    return taken
