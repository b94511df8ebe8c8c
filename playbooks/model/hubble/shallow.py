"""Messages of which only the first level is parsed: what is inside stays bytes, equal bytes a cache knows."""

from __future__ import annotations

from functools import cache

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto


@cache
def shallow(whole: Descriptor) -> type[Message]:
    """A class that reads the same bytes, with `bytes` for every message inside and numbers for enums.

    Presence is kept, so that an empty message inside is told from none.
    """
    source, made = descriptor_pb2.DescriptorProto(), descriptor_pb2.DescriptorProto(name=whole.name)
    whole.CopyToProto(source)
    made.oneof_decl.extend(descriptor_pb2.OneofDescriptorProto(name=one.name) for one in source.oneof_decl)
    flattened = [_flattened(field) for field in source.field]
    for field in flattened:
        if field.proto3_optional:
            field.oneof_index = len(made.oneof_decl)
            made.oneof_decl.add(name=f"_{field.name}")
    made.field.extend(flattened)
    pool = descriptor_pool.DescriptorPool()
    package = f"shallow.{whole.file.package}"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"shallow/{whole.full_name}", package=package, syntax="proto3", message_type=[made]
    )
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{whole.name}"))


def comes_again(kind: Descriptor) -> bool:
    """Whether messages of a type are worth remembering: what holds a time of its own is never the same."""
    return all(field.name != "time" for field in kind.fields)


def _flattened(field: _Field) -> _Field:
    made = _Field(name=field.name, number=field.number, label=field.label, type=field.type)
    if field.HasField("oneof_index"):
        made.oneof_index = field.oneof_index
    if field.type == _Field.TYPE_ENUM:
        made.type = _Field.TYPE_INT32
    elif field.type == _Field.TYPE_MESSAGE:
        made.type = _Field.TYPE_BYTES
        if field.label != _Field.LABEL_REPEATED and not field.HasField("oneof_index"):
            made.proto3_optional = True
    return made
