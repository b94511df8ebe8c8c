"""Messages of any type with arbitrary content, for property tests."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
_NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
}
_SECONDS = st.integers(-62135596800, 253402300799)


@st.composite
def messages(draw: st.DrawFn, kind: Descriptor) -> Message:
    """A message with some of its fields set, also to nothing, and enums beyond what is known."""
    message = GetMessageClass(kind)()
    if kind.full_name == "google.protobuf.Timestamp":
        message.seconds, message.nanos = draw(_SECONDS), draw(st.integers(0, 999_999_999))
        return message
    usable = [field for field in kind.fields if field.name != "extensions"]
    for field in (
        draw(st.lists(st.sampled_from(usable), max_size=6, unique_by=lambda one: one.name)) if usable else ()
    ):
        values = st.lists(_values(field), max_size=3) if field.is_repeated else _values(field)
        value = draw(values)
        if field.is_repeated:
            getattr(message, field.name).extend(value)
        elif field.message_type:
            getattr(message, field.name).CopyFrom(value)
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, value)
    return message


def _values(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.message_type:
        return messages(field.message_type)
    if field.enum_type:
        known = st.sampled_from([value.number for value in field.enum_type.values])
        return known | st.integers(-(1 << 31), (1 << 31) - 1)
    return _NUMBERS.get(field.cpp_type, _TEXT)
