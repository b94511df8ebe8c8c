"""Events to read: the corpus of the hubble command, recorded lines, and messages made of anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

GOLDEN = Path(__file__).parents[1] / "golden" / "flows.jsonl"
RECORDED = Path(__file__).parent / "recorded.jsonl"


def messages(path: Path) -> Iterator[ExportEvent]:
    """The messages in a file of JSON lines; fields unknown to our schema are left out."""
    for line in path.read_text().splitlines():
        yield json_format.ParseDict(json.loads(line), ExportEvent(), ignore_unknown_fields=True)


def raw(path: Path) -> list[bytes]:
    """The messages of a file as they are on the wire."""
    return [message.SerializeToString() for message in messages(path)]


_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_ENUM: (-(2**31), 2**31 - 1),
}
_TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


def _value(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    match field.type:
        case FieldDescriptor.TYPE_MESSAGE:
            return st.deferred(lambda: any_message(field.message_type))
        case FieldDescriptor.TYPE_STRING:
            return _TEXT
        case FieldDescriptor.TYPE_BYTES:
            return st.binary(max_size=4)
        case FieldDescriptor.TYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.TYPE_ENUM:
            known = [value.number for value in field.enum_type.values]
            return st.sampled_from(known) | st.integers(*_INTEGERS[field.type])
    return st.integers(*_INTEGERS[field.type])


def any_message(descriptor: Descriptor) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a message, as its constructor takes them; any of them may be missing."""
    fields = {
        field.name: st.lists(_value(field), max_size=2) if field.is_repeated else _value(field)
        for field in descriptor.fields
    }
    return st.fixed_dictionaries({}, optional=fields)


def any_event() -> st.SearchStrategy[ExportEvent]:
    """An event with any fields."""
    flow = any_message(ExportEvent.DESCRIPTOR.fields_by_name["flow"].message_type)
    flows = st.builds(lambda fields: ExportEvent(flow=fields), flow)
    return flows | any_message(ExportEvent.DESCRIPTOR).map(lambda fields: ExportEvent(**fields))
