"""JSON lines as events: what the hubble command reads, and what it says of the rest."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.model.hubble.jsonpb import Reader, Unreadable, writer_of
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from tests.model.hubble.messages import messages

CORPUS = Path(__file__).parents[1] / "golden" / "flows.jsonl"


def _read(**flow: object) -> flow_pb2.Flow:
    return Reader().event(json.dumps({"flow": flow}).encode()).flow


def test_the_corpus_is_read_as_protobuf_reads_it() -> None:
    reader = Reader()
    for line in CORPUS.read_bytes().splitlines():
        known = json_format.Parse(line, ExportEvent(), ignore_unknown_fields=True)
        assert reader.event(line) == known
    assert reader.unknown == '(line 1:1199): invalid value for enum field dropReasonDesc: "DROP_NO_DEVICE"'


@settings(max_examples=40, deadline=None)
@given(event=messages(ExportEvent.DESCRIPTOR))
def test_what_was_written_is_read_again(event: Message) -> None:
    line = writer_of(ExportEvent.DESCRIPTOR).text(event.SerializeToString())
    read = Reader().event(line.encode())
    assert writer_of(ExportEvent.DESCRIPTOR).text(read.SerializeToString()) == line


@settings(max_examples=25, deadline=None)
@given(event=messages(ExportEvent.DESCRIPTOR))
def test_names_of_either_kind_are_read(event: Message) -> None:
    line = json_format.MessageToJson(event, indent=None)
    assert json_format.MessageToDict(Reader().event(line.encode())) == json_format.MessageToDict(event)


def test_a_flow_without_anything_around_it_is_read_as_one() -> None:
    line = b'{"time":"2026-11-20T09:00:00.5+01:00","verdict":"DROPPED","node_name":"n","Summary":"SYN"}'
    event = Reader().event(line)
    assert event.flow.verdict == flow_pb2.DROPPED
    assert event.node_name == event.flow.node_name == "n"
    assert event.time.ToJsonString() == event.flow.time.ToJsonString() == "2026-11-20T08:00:00.500Z"


def test_what_is_unknown_is_left_out_and_said_once() -> None:
    reader = Reader()
    line = b'{"flow":{"uuid":"u","source":{"newer":{"a":[1]},"pod_name":"p"}}}'
    for _ in range(3):
        event = reader.event(line)
    assert (event.flow.uuid, event.flow.source.pod_name) == ("u", "p")
    assert reader.unknown == f'(line 1:{line.index(b"newer")}): unknown field "newer"'
    reader.event(b'{"flow":{"verdict":"LOST"}}')
    assert "newer" in reader.unknown


def test_numbers_of_enums_are_kept_and_names_that_are_unknown_are_not() -> None:
    assert _read(verdict=77).verdict == 77
    assert _read(verdict="FORWARDED").verdict == 1
    assert _read(verdict="NEWER", uuid="u").verdict == 0


@pytest.mark.parametrize(
    ("written", "number"),
    [("12", 12), (12, 12), (12.0, 12), ("1.2e1", 12), (18446744073709551615, (1 << 64) - 1)],
)
def test_numbers_are_read_in_each_way_that_json_has(written: object, number: int) -> None:
    assert _read(socket_cookie=written).socket_cookie == number


def test_null_is_nothing_and_false_is_not() -> None:
    flow = _read(is_reply=None, uuid=None)
    assert not flow.HasField("is_reply")
    assert _read(is_reply=False).HasField("is_reply")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"not json",
        b"[1]",
        b'"x"',
        b'{"flow":1}',
        b'{"flow":[]}',
        b'{"flow":{"verdict":true}}',
        b'{"flow":{"verdict":[]}}',
        b'{"flow":{"drop_reason":-1}}',
        b'{"flow":{"drop_reason":1.5}}',
        b'{"flow":{"drop_reason":"x"}}',
        b'{"flow":{"drop_reason":4294967296}}',
        b'{"flow":{"socket_cookie":1e400}}',
        b'{"flow":{"uuid":3}}',
        b'{"flow":{"time":"yesterday"}}',
        b'{"flow":{"time":"2026-13-20T09:00:00Z"}}',
        b'{"flow":{"time":7}}',
        b'{"flow":{"source":{"labels":"a"}}}',
        b'{"flow":{"source":{"labels":[null]}}}',
        b'{"flow":{"extensions":{"@type":"x"}}}',
        b'{"flow":{"uuid":"\xff"}}',
        b'{"flow":{"uuid":"\\ud800"}}',
        b"[" * 100_000,
        b'{"flow":' * 100_000,
    ],
)
def test_a_line_that_is_no_event_says_why(line: bytes) -> None:
    with pytest.raises(Unreadable, match="line 1"):
        Reader().raw(line)


@settings(max_examples=100, deadline=None)
@given(
    line=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["flow", "time", "source", "labels", "verdict", "l4", "TCP", "x"]), inner
            )
            | st.lists(inner, max_size=3)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_line_breaks_the_reader(line: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(Reader().event(line), ExportEvent)
