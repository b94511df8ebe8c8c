"""Messages as JSON: the same as protobuf's own, only quicker."""

from __future__ import annotations

import json

import pytest
from google.protobuf import any_pb2, json_format
from google.protobuf.message import DecodeError, Message
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.model.hubble.jsonpb import writer_of
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from tests.model.hubble.messages import messages

KINDS = (
    observer_pb2.ExportEvent,
    observer_pb2.GetFlowsResponse,
    observer_pb2.GetAgentEventsResponse,
    observer_pb2.GetDebugEventsResponse,
    observer_pb2.ServerStatusResponse,
    flow_pb2.FlowFilter,
)


def _told(message: Message) -> object:
    return json.loads(writer_of(message.DESCRIPTOR).text(message.SerializeToString()))


def _by_protobuf(message: Message) -> object:
    return json.loads(json_format.MessageToJson(message, preserving_proto_field_name=True))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_json_is_what_protobuf_makes(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(kind.DESCRIPTOR))
    assert _told(message) == _by_protobuf(message)


@settings(max_examples=50, deadline=None)
@given(message=messages(flow_pb2.Flow.DESCRIPTOR))
def test_flows_are_told_twice_the_same(message: Message) -> None:
    assert _told(message) == _told(message) == _by_protobuf(message)


def test_usual_and_unusual_addresses_and_ports_are_told_alike() -> None:
    for layer in (
        {"TCP": {"source_port": 1, "destination_port": 2, "flags": {"SYN": True}}},
        {"TCP": {"source_port": 1, "destination_port": 2, "flags": {}}},
        {"TCP": {"destination_port": 2, "flags": {"ACK": True}}},
        {"TCP": {}},
        {"UDP": {"source_port": 53}},
    ):
        for ends in (
            {"source": "1.2.3.4", "destination": "5.6.7.8", "ipVersion": 1},
            {"source": "::1", "destination": "fd00::2", "ipVersion": 2, "encrypted": True},
            {"source": 'a"b', "destination": "x", "ipVersion": 9, "source_xlated": "y"},
            {"source": "\x1b", "ipVersion": 2},
        ):
            flow = flow_pb2.Flow(l4=layer, IP=ends)
            assert _told(flow) == _by_protobuf(flow)


def test_an_extension_is_never_lost() -> None:
    unknown = any_pb2.Any(type_url="type.googleapis.com/some.Thing", value=b"\x01\xff")
    told = _told(flow_pb2.Flow(uuid="u", extensions=unknown))
    assert told == {"uuid": "u", "extensions": {"@type": unknown.type_url, "value": "Af8="}}
    known = any_pb2.Any()
    known.Pack(flow_pb2.Service(name="cart"))
    told = _told(flow_pb2.Flow(extensions=known))
    assert told == {"extensions": {"@type": "type.googleapis.com/flow.Service", "name": "cart"}}


def test_what_is_broken_inside_is_an_error_and_not_a_flow() -> None:
    write = writer_of(flow_pb2.Flow.DESCRIPTOR).text
    for broken in (b"\x42\x02\x0a\xff", b"\xff", b"\x5a\x02\xff\xfe"):
        with pytest.raises(DecodeError):
            write(broken)
    with pytest.raises(ValueError):
        write(flow_pb2.Flow(time={"seconds": 1 << 50}).SerializeToString())


def test_strangers_cannot_fill_the_memory() -> None:
    write = writer_of(flow_pb2.Flow.DESCRIPTOR).text
    for number in range(30_000):
        write(flow_pb2.Flow(source={"pod_name": f"pod-{number}"}).SerializeToString())
    write(flow_pb2.Flow(source={"pod_name": "x" * 1_000_000}).SerializeToString())
    memory = writer_of(flow_pb2.Endpoint.DESCRIPTOR).told.__self__  # type: ignore[attr-defined]
    assert 0 < len(memory) <= 8192
    assert max(map(len, memory)) <= 2048
