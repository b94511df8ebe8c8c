"""Messages to JSON lines, fast: one level is parsed at a time, what is inside is remembered by its bytes."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from functools import cache
from json.encoder import encode_basestring
from typing import cast

from google.protobuf import any_pb2, json_format, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from playbooks.model.hubble.jsonpb.moments import rfc3339
from playbooks.model.hubble.jsonpb.shortcuts import Shortcut, ip, tcp
from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.shallow import comes_again, shallow

_LONG = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
_REAL = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
_WRAPPERS = frozenset(
    message.DESCRIPTOR.full_name
    for message in (
        wrappers_pb2.BoolValue,
        wrappers_pb2.Int32Value,
        wrappers_pb2.UInt32Value,
    )
)

Told = Callable[[object], str]
"""A value as JSON."""


class Writer:
    """Tells messages of one type as JSON, with original names; equal messages inside are told once.

    The result is what `google.protobuf.json_format` makes, as JSON; numbers of enums that have no name
    stay numbers, fields that we do not know are left out.
    """

    def __init__(self, whole: Descriptor) -> None:
        """`whole` is the type of the messages."""
        self._parse = shallow(whole).FromString
        own = shallow(whole).DESCRIPTOR.fields_by_name
        self._told: dict[int, tuple[str, Told]] = {}
        # By identity: hashing a descriptor takes longer than telling a number. The class holds them.
        self._held = tuple(own[field.name] for field in whole.fields)
        self._fields = tuple(whole.fields)
        self._shortcut = _shortcut(whole)
        # Of what comes again a look-up is all that is left, without a call of ours.
        self.told = Memory(self._shortened).__getitem__ if comes_again(whole) else self.text
        """The same as `text`, remembered where that helps."""

    def text(self, message: bytes) -> str:
        """A serialized message as JSON on one line. Raises `DecodeError` or `ValueError`."""
        return self.of_parsed(self._parse(message))

    def of_parsed(self, message: Message) -> str:
        """The same, for one of which the first level was parsed already."""
        told = self._told or self._learn()
        parts = []
        for field, value in message.ListFields():
            name, tell = told[id(field)]
            parts.append(name + tell(value))
        return "{" + ",".join(parts) + "}"

    def _shortened(self, message: bytes) -> str:
        short = self._shortcut
        return (short(message) if short else None) or self.text(message)

    def _learn(self) -> dict[int, tuple[str, Told]]:
        # Not before the first message: types hold each other, and most are never seen.
        for own, field in zip(self._held, self._fields, strict=True):
            self._told[id(own)] = (f'"{field.name}":', _values(field))
        return self._told


def _shortcut(kind: Descriptor) -> Shortcut | None:
    if kind is flow_pb2.IP.DESCRIPTOR:
        return ip
    return tcp(writer_of(flow_pb2.TCPFlags.DESCRIPTOR).text) if kind is flow_pb2.Layer4.DESCRIPTOR else None


@cache
def writer_of(whole: Descriptor) -> Writer:
    """The writer of a type, with what it remembers."""
    return Writer(whole)


def _values(field: FieldDescriptor) -> Told:
    tell = _value(field)
    if field.is_repeated:
        return lambda values: "[" + ",".join(map(tell, cast("list[object]", values))) + "]"
    return tell


def _value(field: FieldDescriptor) -> Told:
    kind = field.cpp_type
    if field.message_type:
        return _message(field.message_type)
    if field.enum_type:
        return _enum(field.enum_type)
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return cast("Told", encode_basestring) if field.type == FieldDescriptor.TYPE_STRING else _base64
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return cast("Told", {True: "true", False: "false"}.__getitem__)
    if kind in _LONG:
        return lambda value: f'"{value}"'
    return _real if kind in _REAL else str


def _message(kind: Descriptor) -> Told:
    if kind.full_name == timestamp_pb2.Timestamp.DESCRIPTOR.full_name:
        return _TIMES.text
    if kind.full_name in _WRAPPERS:
        return _wrapped(kind)
    if kind.full_name == any_pb2.Any.DESCRIPTOR.full_name:
        return _any
    if kind.file.package == "google.protobuf":
        whole = GetMessageClass(kind)
        return lambda value: _by_library(whole.FromString(cast("bytes", value)))
    return cast("Told", writer_of(kind).told)


class _Times:
    """Tells times as JSON; the last one is remembered, since an event's and its flow's are one."""

    def __init__(self) -> None:
        self._last: object = None
        self._text = ""

    def text(self, value: object) -> str:
        """A serialized Timestamp as JSON. Raises `ValueError` when it is no time."""
        if value != self._last:
            stamp = timestamp_pb2.Timestamp.FromString(cast("bytes", value))
            self._text = f'"{rfc3339(stamp.seconds, stamp.nanos)}"'
            self._last = value
        return self._text


def _enum(kind: EnumDescriptor) -> Told:
    names = Memory[int, str](str)
    names.update({value.number: f'"{value.name}"' for value in kind.values})
    return cast("Told", names.__getitem__)


def _wrapped(kind: Descriptor) -> Told:
    parse, tell = GetMessageClass(kind).FromString, _value(kind.fields_by_name["value"])

    def told(raw: bytes) -> str:
        return tell(getattr(parse(raw), "value"))  # noqa: B009  no stub names it

    return cast("Told", Memory(told).__getitem__)


def _base64(value: object) -> str:
    return f'"{base64.b64encode(cast("bytes", value)).decode()}"'


def _real(value: object) -> str:
    number = cast("float", value)
    if math.isfinite(number):
        return json.dumps(number)
    return '"NaN"' if math.isnan(number) else '"Infinity"' if number > 0 else '"-Infinity"'


def _any(value: object) -> str:
    """What is inside when its type is known to us, otherwise its bytes: never nothing."""
    message = any_pb2.Any.FromString(cast("bytes", value))
    try:
        return _by_library(message)
    except (TypeError, ValueError):
        return f'{{"@type":{encode_basestring(message.type_url)},"value":{_base64(message.value)}}}'


def _by_library(message: Message) -> str:
    document = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


_TIMES = _Times()


def time_text(stamp: bytes) -> str:
    """A serialized Timestamp as JSON. Raises `ValueError` when it is no time."""
    return _TIMES.text(stamp)
