"""Arbitrary messages: every field of a message may be there, with text that nobody expects."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_TEXTS = st.one_of(
    st.sampled_from(
        ["", "shop", "shop/", "/", "cart-1", "k8s:app=cart", "reserved:world", "10.0.0.1", "fe80::1%x"]
    ),
    st.sampled_from(
        ["https://a.example.com:99x/%zz", "/v1/%41?q", "\x1b[2J", "default/node-1", "$a", "=", ":", "a=b=c"]
    ),
    st.text(max_size=12),
)
_NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1) | st.integers(0, 130),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1) | st.integers(0, 600),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-3, 250),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
}


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 4) -> Message:
    """A message with some of its fields filled."""
    made = GetMessageClass(descriptor)()
    fields = [field for field in descriptor.fields if depth or not field.message_type]
    for field in draw(st.lists(st.sampled_from(fields), max_size=6, unique=True)) if fields else ():
        for _ in range(draw(st.integers(1, 3)) if field.is_repeated else 1):
            _fill(draw, made, field, depth)
    return made


def _fill(draw: st.DrawFn, made: Message, field: FieldDescriptor, depth: int) -> None:
    if field.message_type:
        value = draw(messages(field.message_type, depth - 1))
        if field.is_repeated:
            getattr(made, field.name).append(value)
        else:
            getattr(made, field.name).CopyFrom(value)
        return
    value = draw(_scalars(field))
    if field.is_repeated:
        getattr(made, field.name).append(value)
    else:
        setattr(made, field.name, value)


def _scalars(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=8)
    return _TEXTS if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else _NUMBERS[field.cpp_type]
