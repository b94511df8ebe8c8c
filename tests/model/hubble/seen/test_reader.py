from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.seen import Layer4, Lost, NodeStatus, Other, Reader, Seen, TcpFlags
from playbooks.model.hubble.seen.decoding import Decoded
from tests.model.hubble.seen.events import GOLDEN, RECORDED, any_event, messages
from tests.model.hubble.seen.whole import expected

FILES = [pytest.param(path, id=path.stem) for path in (GOLDEN, RECORDED)]


@pytest.mark.parametrize("path", FILES)
def test_a_flow_read_fast_is_the_flow_read_whole(path) -> None:
    reader = Reader()
    kinds, home = set(), ""
    for message in messages(path):
        event = reader.read(message.SerializeToString())
        kinds.add(type(event))
        home = home or (event.node.rpartition("/")[0] if isinstance(event, Seen) else "")
        assert event == expected(message, home)
    assert Seen in kinds


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_event())
def test_whatever_an_event_holds_it_is_read_as_the_whole_schema_reads_it(message: ExportEvent) -> None:
    home = (message.flow.node_name or message.node_name).rpartition("/")[0]
    assert Reader().read(message.SerializeToString()) == expected(message, home)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_raise(outer: bytes, inner: bytes) -> None:
    reader = Reader()
    assert reader.read(outer) is not None
    for tag in (0x0A, 0x12, 0x1A):
        assert reader.read(bytes((tag, len(inner))) + inner) is not None


def test_what_repeats_is_shared() -> None:
    reader = Reader()
    flow = flow_pb2.Flow(source=flow_pb2.Endpoint(pod_name="cart-1", labels=["k8s:app=cart"]), node_name="n")
    first, second = reader.read_all([ExportEvent(flow=flow).SerializeToString()] * 2)
    assert isinstance(first, Seen)
    assert isinstance(second, Seen)
    assert first.source is second.source
    assert first.node is second.node


def test_the_collector_has_nothing_to_look_at() -> None:
    event = Reader().read(next(messages(GOLDEN)).SerializeToString())
    assert isinstance(event, Seen)
    assert not gc.is_tracked(event)
    assert not gc.is_tracked(event.source)


def test_a_reply_unknown_is_not_a_reply_denied() -> None:
    reader = Reader()
    told = [
        ExportEvent(flow={"node_name": "n", **({} if value is None else {"is_reply": {"value": value}})})
        for value in (None, False, True)
    ]
    assert [reader.read(one.SerializeToString()).is_reply for one in told] == [None, False, True]  # type: ignore[union-attr]


def test_numbers_unknown_here_stay_numbers() -> None:
    event = Reader().read(ExportEvent(flow={"verdict": 77, "drop_reason_desc": 999}).SerializeToString())
    assert isinstance(event, Seen)
    assert (event.verdict, event.drop_reason) == (77, 999)


def test_a_protocol_unknown_here_is_named_by_its_field() -> None:
    l4 = b"\x4a\x02\x08\x07"
    event = Reader().read(b"\x0a\x06\x32\x04" + l4)
    assert isinstance(event, Seen)
    assert event.l4 == Layer4("protocol field 9")


def test_a_kind_of_event_unknown_here_is_named_by_its_field() -> None:
    event = Reader().read(b"\x3a\x00")
    assert isinstance(event, Other)
    assert event.kind == "event field 7"


def test_an_empty_message_says_so() -> None:
    event = Reader().read(b"")
    assert isinstance(event, Other)
    assert event.kind == "empty"


def test_a_flow_without_anything_is_a_flow_without_anything() -> None:
    event = Reader().read(b"\x0a\x00")
    assert isinstance(event, Seen)
    assert (event.time, event.node, event.is_reply, event.l7) == (0, "", None, None)


def test_a_message_of_16_mb_is_named_and_not_decoded() -> None:
    flow = flow_pb2.Flow(source=flow_pb2.Endpoint(pod_name="x" * 16_000_000))
    event = Reader().read(ExportEvent(flow=flow).SerializeToString())
    assert isinstance(event, Other)
    assert (event.kind, event.size > 16_000_000) == ("large", True)


def test_names_that_are_not_utf8_cost_no_flow() -> None:
    event = Reader().read(b"\x0a\x04\x5a\x02\xff\xfe")
    assert isinstance(event, Seen)
    assert event.node == "\ufffd\ufffd"


def test_lost_events_keep_their_count_and_cpu() -> None:
    lost = flow_pb2.LostEvent(source=1, num_events_lost=12, cpu={"value": 0})
    event = Reader().read(ExportEvent(lost_events=lost, node_name="n").SerializeToString())
    assert event == Lost(0, "n", 1, 12, 0, 0, 0)


def test_node_states_name_their_nodes() -> None:
    event = Reader().read(
        ExportEvent(node_status={"state_change": 2, "node_names": ["a"]}).SerializeToString()
    )
    assert event == NodeStatus(0, "", 2, ("a",), "")


def test_flags_are_named() -> None:
    flags = TcpFlags.SYN | TcpFlags.ACK
    assert Layer4("TCP", 1, 2, flags).flag_names == ("SYN", "ACK")


def test_decoded_parts_are_bounded_and_those_in_use_stay() -> None:
    asked: list[bytes] = []

    def decode(raw: bytes) -> str:
        asked.append(raw)
        return raw.decode()

    parts = Decoded(decode, 4)
    for number in range(40):
        assert parts[b"%d" % number] == str(number)
        assert parts[b"0"] == "0"
    assert asked.count(b"0") == 1
    assert len(parts) <= 4
    assert parts[b"x" * 5000] == "x" * 5000
    assert b"x" * 5000 not in parts


@pytest.mark.parametrize(
    ("endpoint", "counts_as"),
    [
        ({"namespace": "shop", "pod_name": "cart-1", "workloads": [{"name": "cart"}]}, "shop/cart"),
        ({"namespace": "shop", "pod_name": "cart-1"}, "shop/cart-1"),
        ({"namespace": "shop", "pod_name": "cart-1", "cluster_name": "east"}, "shop/cart-1"),
        ({"namespace": "shop", "pod_name": "cart-1", "cluster_name": "west"}, "west/shop/cart-1"),
        ({"identity": 1, "labels": ["reserved:host", "reserved:kube-apiserver"]}, "kube-apiserver"),
        ({"identity": 2, "labels": ["reserved:world"]}, "world"),
        ({"identity": 10, "labels": ["reserved:world-ipv6"]}, "world-ipv6"),
        ({"identity": 77}, "identity 77"),
        ({}, ""),
    ],
)
def test_an_endpoint_counts_as_its_workload(endpoint: dict[str, object], counts_as: str) -> None:
    raw = ExportEvent(flow={"node_name": "east/n", "source": endpoint}).SerializeToString()
    event = Reader().read(raw)
    assert isinstance(event, Seen)
    assert event.source.workload == counts_as
