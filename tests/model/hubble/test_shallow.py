"""Messages of which only the first level is parsed, and what is remembered by their bytes."""

from __future__ import annotations

from google.protobuf.message import Message
from hypothesis import given, settings

from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.shallow import shallow
from tests.model.hubble.messages import messages

SHALLOW = shallow(flow_pb2.Flow.DESCRIPTOR)


@settings(max_examples=40, deadline=None)
@given(flow=messages(flow_pb2.Flow.DESCRIPTOR))
def test_the_same_fields_are_there_and_the_same_bytes_come_out(flow: Message) -> None:
    raw = flow.SerializeToString()
    made = SHALLOW.FromString(raw)
    assert [field.name for field, _ in made.ListFields()] == [field.name for field, _ in flow.ListFields()]
    assert flow_pb2.Flow.FromString(made.SerializeToString()).SerializeToString(deterministic=True) == (
        flow_pb2.Flow.FromString(raw).SerializeToString(deterministic=True)
    )


def test_an_empty_message_inside_is_told_from_none() -> None:
    assert SHALLOW.FromString(flow_pb2.Flow(is_reply={}).SerializeToString()).HasField("is_reply")
    assert not SHALLOW.FromString(b"").HasField("is_reply")
    layer = shallow(flow_pb2.Layer4.DESCRIPTOR)
    assert layer.FromString(flow_pb2.Layer4(UDP={}).SerializeToString()).WhichOneof("protocol") == "UDP"


def test_what_is_known_is_made_once_and_all_is_forgotten_when_it_is_full() -> None:
    made: list[int] = []
    memory = Memory[int, str](lambda key: made.append(key) or str(key), size=3)
    assert [memory[key] for key in (1, 1, 2, 3, 1)] == ["1", "1", "2", "3", "1"]
    assert made == [1, 2, 3]
    assert memory[4] == "4"
    assert list(memory) == [4]


def test_long_keys_are_not_kept() -> None:
    memory = Memory[bytes, int](len)
    assert memory[b"x" * 5000] == 5000
    assert not memory
