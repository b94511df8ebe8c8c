"""JSON lines to messages, as the hubble command reads them: what is unknown is left out, and said once.

Like the writer it works on one level at a time: an object that was read before is known by its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from playbooks.model.hubble.filters.wording import quoted
from playbooks.model.hubble.jsonpb.values import LEFT_OUT, Take, library, take_of, time, token
from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.proto.flow_pb2 import Flow
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.shallow import comes_again, shallow

_REMEMBERED = 16_384
_REMEMBERED_LENGTH = 2048
_WRAPPERS = ("google.protobuf.BoolValue", "google.protobuf.Int32Value", "google.protobuf.UInt32Value")
_EVENTS = frozenset(field.name for field in ExportEvent.DESCRIPTOR.oneofs_by_name["response_types"].fields)
_AROUND = ("time", "node_name")
_OF_FLOWS = frozenset(field.name for field in Flow.DESCRIPTOR.fields) - frozenset(_AROUND)
_NULL = b"null"

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_anything = msgspec.json.Decoder().decode

TakeText = Callable[[bytes, list[str]], object]
"""Reads the text of a value; adds to the list what it does not know. Raises `ValueError`."""


class Unreadable(Exception):
    """A line that is no event; the message says why, in the words of the hubble command."""


class Reader:
    """Reads lines of `{"flow": …}` and its like, and lines that are a flow without anything around it.

    Fields and names of enums that are unknown are left out; numbers of enums are kept.
    """

    def __init__(self) -> None:
        self.unknown = ""
        """The first thing that was left out, in the words of the hubble command; empty while nothing was."""

    def raw(self, line: bytes) -> bytes:
        """The event of a line, serialized: an `ExportEvent`, as which GetFlowsResponse can be read.

        Raises `Unreadable`.
        """
        unknown: list[str] = []
        try:
            document = _document(line)
            if _EVENTS.isdisjoint(document) and not _OF_FLOWS.isdisjoint(document):
                around = {key: document.pop(key) for key in _AROUND if key in document}
                document = {"flow": msgspec.Raw(line), **around}
            raw = _form(ExportEvent.DESCRIPTOR).made(document, unknown)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise Unreadable(_why(error)) from None
        if unknown and not self.unknown:
            self.unknown = _placed(unknown[0], line)
        return raw

    def event(self, line: bytes) -> ExportEvent:
        """The event of a line. Raises `Unreadable`."""
        return ExportEvent.FromString(self.raw(line))


def _why(error: Exception) -> str:
    kind = (
        "syntax error "
        if isinstance(error, (msgspec.DecodeError, RecursionError, UnicodeDecodeError))
        else ""
    )
    return f"{kind}(line 1:1): {error}"


def _placed(what: str, line: bytes) -> str:
    """With where it stands in the line: the value that is wrong, or the name of the field."""
    name = what[what.index('"') :].encode()
    return f"(line 1:{max(line.find(name), 0) + 1}): {what}"


def _document(text: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _object(text)
    except msgspec.ValidationError:
        raise ValueError(f"unexpected token {token(text)}") from None


class _Form:
    """How messages of one type are read."""

    def __init__(self, kind: Descriptor) -> None:
        self._kind = kind
        self._whole = shallow(kind)
        self._takes: dict[str, tuple[str, TakeText]] = {}
        self._remembered: dict[bytes, bytes] = {}

    def read(self, text: bytes, unknown: list[str]) -> bytes:
        """The message that a text is, serialized."""
        return self.made(_document(text), unknown)

    def remembered(self, text: bytes, unknown: list[str]) -> bytes:
        """The same, for a message that comes again and again."""
        known = self._remembered.get(text)
        if known is None:
            before = len(unknown)
            known = self.read(text, unknown)
            # What was left out has to be found again, until it was said.
            if len(unknown) == before and len(text) <= _REMEMBERED_LENGTH:
                if len(self._remembered) >= _REMEMBERED:
                    self._remembered.clear()
                self._remembered[text] = known
        return known

    def made(self, document: dict[str, msgspec.Raw], unknown: list[str]) -> bytes:
        """The message that fields are, serialized."""
        takes = self._takes or self._learn()
        fields = {}
        for key, value in document.items():
            known = takes.get(key)
            if known is None:
                unknown.append(f"unknown field {quoted(key)}")
                continue
            text = bytes(value)
            if text != _NULL:
                taken = known[1](text, unknown)
                if taken is not LEFT_OUT:
                    fields[known[0]] = taken
        return self._whole(**fields).SerializeToString()

    def _learn(self) -> dict[str, tuple[str, TakeText]]:
        # A field may also have the name that JSON gives it by default.
        for field in self._kind.fields:
            take = _repeated(field) if field.is_repeated else _single(field)
            self._takes[field.name] = self._takes[field.json_name] = (field.name, take)
        return self._takes


@cache
def _form(kind: Descriptor) -> _Form:
    return _Form(kind)


def _repeated(field: FieldDescriptor) -> TakeText:
    take = _single(field)

    def taken(text: bytes, unknown: list[str]) -> object:
        try:
            texts = _array(text)
        except msgspec.ValidationError:
            raise ValueError(f"unexpected token {token(text)}") from None
        items = [take(bytes(one), unknown) for one in texts]
        return [item for item in items if item is not LEFT_OUT]

    return taken


def _single(field: FieldDescriptor) -> TakeText:
    kind = field.message_type
    if kind is None:
        known = (
            {f'"{value.name}"'.encode(): value.number for value in field.enum_type.values}
            if field.enum_type
            else {}
        )
        return _decoded(take_of(field), known)
    if kind.full_name == "google.protobuf.Timestamp":
        return _decoded(time)
    if kind.full_name in _WRAPPERS:
        return _wrapped(kind)
    if kind.file.package == "google.protobuf":
        return _decoded(library(kind))
    return _form(kind).remembered if comes_again(kind) else _form(kind).read


def _decoded(take: Take, known: Mapping[bytes, object] | None = None) -> TakeText:
    """Reads what JSON has; `known` are texts that need not be looked at."""
    if not known:
        return lambda text, unknown: take(_anything(text), unknown)
    look_up = known.get

    def taken(text: bytes, unknown: list[str]) -> object:
        found = look_up(text)
        return take(_anything(text), unknown) if found is None else found

    return taken


def _wrapped(kind: Descriptor) -> TakeText:
    take, whole = take_of(kind.fields_by_name["value"]), GetMessageClass(kind)

    def made(text: bytes) -> bytes:
        return whole(value=take(_anything(text), [])).SerializeToString()

    memory = Memory(made)
    return lambda text, unknown: memory[text]
