"""Requests as text, as the hubble command's log has them."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from playbooks.model.hubble.filters.wording import quoted


def as_text(message: Message) -> str:
    """The fields that are set, on one line."""
    return "  ".join(_fields(message))


def _fields(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            yield f"{field.name}:{_value(field, one)}"


def _value(field: FieldDescriptor, value: object) -> str:
    if isinstance(value, Message):
        return "{" + as_text(value) + "}"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.enum_type and isinstance(value, int) and value in field.enum_type.values_by_number:
        return field.enum_type.values_by_number[value].name
    return str(value)
