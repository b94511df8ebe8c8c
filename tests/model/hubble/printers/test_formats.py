"""Text for terminals, columns, times and events that the corpus does not hold."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from playbooks.model.hubble.filters.asked import Look, Output, TimeFormat
from playbooks.model.hubble.printers import COLUMNS, Screen, printer
from playbooks.model.hubble.printers.columns import Columns
from playbooks.model.hubble.printers.layouts import Clock
from playbooks.model.hubble.printers.telling import joined_path
from playbooks.model.hubble.proto import flow_pb2, observer_pb2, relay_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

AT = {"seconds": 1_795_165_201, "nanos": 5_000_000}
HOSTILE = "\x1b[31mred\x1b]0;t\x07\r\n\t\u202egpj\u200b\x85\x00"
OURS = ("\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[36m")


def _printed(*events: ExportEvent, look: Look = Look(), screen: Screen = Screen()) -> tuple[str, str]:  # noqa: B008
    out: list[str] = []
    err: list[str] = []
    made = printer(look, out.append, err.append, screen)
    for event in events:
        kind = event.WhichOneof("response_types")
        if kind == "agent_event":
            made.agent_event(event)
        elif kind == "debug_event":
            made.debug_event(event)
        else:
            made.response(event.SerializeToString())
    made.close()
    return "".join(out), "".join(err)


def _flow(**fields: object) -> ExportEvent:
    return ExportEvent(flow={"time": AT, **fields}, node_name="n", time=AT)


def _hostile() -> list[ExportEvent]:
    flow = flow_pb2.Flow(
        time=AT,
        verdict=flow_pb2.DROPPED,
        IP={"source": HOSTILE, "destination": HOSTILE},
        source={"pod_name": HOSTILE, "namespace": HOSTILE, "labels": [HOSTILE]},
        destination_names=[HOSTILE],
        node_name=HOSTILE,
        event_type={"type": 5},
        traffic_direction=flow_pb2.INGRESS,
        Summary=HOSTILE,
        ingress_denied_by=[{"name": HOSTILE, "kind": HOSTILE}],
        l7={"type": 1, "dns": {"observation_source": HOSTILE}},
        uuid=HOSTILE,
    )
    ethernet = flow_pb2.Flow(time=AT, ethernet={"source": HOSTILE, "destination": HOSTILE}, Summary=HOSTILE)
    status = relay_pb2.NodeStatusEvent(state_change=2, node_names=[HOSTILE], message=HOSTILE)
    around = {"node_name": HOSTILE, "time": AT}
    return [
        ExportEvent(flow=flow, **around),
        ExportEvent(flow=ethernet, **around),
        ExportEvent(node_status=status, **around),
        ExportEvent(node_status=relay_pb2.NodeStatusEvent(state_change=4, message=HOSTILE), **around),
        ExportEvent(lost_events={"num_events_lost": 3}, **around),
    ]


def _others() -> list[ExportEvent]:
    around = {"node_name": HOSTILE, "time": AT}
    unknown = {"type": HOSTILE, "notification": HOSTILE}
    return [
        ExportEvent(agent_event={"unknown": unknown}, **around),
        ExportEvent(debug_event={"message": HOSTILE, "source": {"labels": [HOSTILE]}}, **around),
    ]


@pytest.mark.parametrize("output", Output)
@pytest.mark.parametrize("is_colored", [True, False])
def test_on_a_terminal_nothing_hidden_is_left(output: Output, is_colored: bool) -> None:
    look = Look(output, node_name=True, policy_names=True, debug=True)
    screen = Screen(is_colored, is_terminal=True, is_error_terminal=True)
    for events in (_hostile(), _others()):
        for text in _printed(*events, look=look, screen=screen):
            for ours in OURS if is_colored else ():
                text = text.replace(ours, "")
            hidden = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
            assert hidden <= {"\n"}


def test_on_a_terminal_json_stays_the_same_json() -> None:
    look = replace(Look(Output.JSONPB), debug=True)
    shown, _ = _printed(*_hostile(), look=look, screen=Screen(is_terminal=True))
    plain, _ = _printed(*_hostile(), look=look)
    assert shown != plain
    assert [json.loads(line) for line in shown.splitlines()] == [
        json.loads(line) for line in plain.split("\n") if line
    ]


def test_on_a_pipe_escapes_and_carriage_returns_are_written_out_and_the_rest_is_left() -> None:
    out, _ = _printed(_flow(Summary="a\x1b[31mb\rc\x07d\u202e"))
    assert out.endswith("(a^[[31mb\\rc\x07d\u202e)\n")


def test_what_looks_like_a_colour_of_ours_passes_on_a_pipe_with_colours() -> None:
    out, _ = _printed(_flow(Summary="a\x1b[31mb\x1b[99mc"), screen=Screen(is_colored=True))
    assert out.endswith("(a\x1b[31mb^[[99mc)\n")


def test_a_table_has_no_colours() -> None:
    out, _ = _printed(_flow(verdict=1), look=Look(Output.TABLE), screen=Screen(is_colored=True))
    assert "\x1b" not in out
    assert out.startswith("TIMESTAMP")


def test_numbers_without_a_name_are_told_as_numbers() -> None:
    event = _flow(verdict=99, event_type={"type": 4, "sub_type": 77}, auth_type=9, Summary="S")
    assert _printed(event)[0].endswith(" 77 99 (S; Auth: 9)\n")
    point = _flow(event_type={"type": 3}, debug_capture_point=50)
    assert " 50 VERDICT_UNKNOWN" in _printed(point)[0]
    assert (
        "policy-verdict:unknown 9 "
        in _printed(_flow(event_type={"type": 5}, policy_match_type=40, traffic_direction=9))[0]
    )


def test_an_empty_message_prints_nothing_and_an_empty_flow_a_line() -> None:
    assert _printed(ExportEvent()) == ("", "")
    assert _printed(ExportEvent(flow={}))[0] == "N/A:  (unknown) <>  (unknown) UNKNOWN VERDICT_UNKNOWN ()\n"
    assert _printed(ExportEvent(flow={}), look=Look(Output.JSONPB))[0] == '{"flow":{}}\n'


def test_a_reply_that_is_known_to_be_none_is_told_from_one_that_is_unknown() -> None:
    arrows = [_printed(_flow(is_reply=reply))[0].split()[4] for reply in ({}, {"value": True})]
    assert arrows == ["->", "<-"]
    assert _printed(_flow())[0].split()[4] == "<>"


def test_the_namespace_of_a_service_counts_for_the_pod() -> None:
    ends = {"IP": {"source": "1.1.1.1"}, "source": {"namespace": "a", "pod_name": "p"}}
    assert " a/p (" in _printed(_flow(**ends))[0]
    assert " b/p (" in _printed(_flow(**ends, source_service={"namespace": "b", "name": "s"}))[0]


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("a", "b"), "a/b"),
        (("", "b"), "b"),
        (("a", "../b"), "b"),
        (("a", "./b//c/"), "a/b/c"),
        (("/", "../x"), "/x"),
        (("..", "x"), "../x"),
        ((".", "."), "."),
        (("", ""), ""),
        (("a.b", "c.d"), "a.b/c.d"),
    ],
)
def test_names_are_joined_as_go_joins_paths(parts: tuple[str, ...], path: str) -> None:
    assert joined_path(*parts) == path


@pytest.mark.parametrize(
    ("layout", "whole", "part"),
    [
        (TimeFormat.STAMP_MILLI, "Nov  3 04:05:06.000", "Nov  3 04:05:06.120"),
        (TimeFormat.YEAR_MONTH_DAY, "2026-11-03", "2026-11-03"),
        (TimeFormat.YEAR_MONTH_DAY_HOUR, "2026-11-03T04Z", "2026-11-03T04Z"),
        (TimeFormat.YEAR_MONTH_DAY_HOUR_MINUTE, "2026-11-03T04:05Z", "2026-11-03T04:05Z"),
        (TimeFormat.RFC3339, "2026-11-03T04:05:06Z", "2026-11-03T04:05:06Z"),
        (TimeFormat.RFC3339_MILLI, "2026-11-03T04:05:06Z", "2026-11-03T04:05:06.12Z"),
        (TimeFormat.RFC3339_MICRO, "2026-11-03T04:05:06Z", "2026-11-03T04:05:06.12Z"),
        (TimeFormat.RFC3339_NANO, "2026-11-03T04:05:06Z", "2026-11-03T04:05:06.12000003Z"),
        (TimeFormat.RFC1123Z, "Tue, 03 Nov 2026 04:05:06 +0000", "Tue, 03 Nov 2026 04:05:06 +0000"),
    ],
)
def test_layouts_of_time(layout: TimeFormat, whole: str, part: str) -> None:
    stamp = ExportEvent().time
    stamp.FromDatetime(datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC))
    clock = Clock(layout)
    assert clock.text(stamp) == clock.raw(stamp.SerializeToString()) == whole
    stamp.nanos = 120_000_030
    assert clock.text(stamp) == part
    stamp.nanos = -1
    assert clock.text(stamp) == "N/A"
    stamp.seconds, stamp.nanos = 1 << 60, 0
    assert clock.text(stamp) == "N/A"


def test_columns_are_aligned_only_with_their_neighbours() -> None:
    columns = Columns()
    columns.add("a\tb\tc\nlonger\tb\tc\nno cells\nx\ty\nxx\t\tz\n")
    assert columns.flush() == "a        b   c\nlonger   b   c\nno cells\nx    y\nxx      z\n"
    assert columns.flush() == ""
    assert columns.add("a\tb\x0c") == "a   b\n"


AGENT_EVENTS: list[tuple[dict[str, object], str]] = [
    ({"unknown": {"type": "t", "notification": "n"}}, "AGENT_EVENT_UNKNOWN (type: t, notification: n)"),
    ({"type": 2, "agent_start": {"time": AT}}, "AGENT_STARTED (start time: Nov 20 09:00:01.005)"),
    ({"type": 2, "agent_start": {}}, "AGENT_STARTED (start time: N/A)"),
    (
        {"type": 3, "policy_update": {"labels": ["a", "b"], "revision": 7, "rule_count": 1}},
        "POLICY_UPDATED (labels: [a,b], revision: 7, count: 1)",
    ),
    ({"type": 4, "policy_update": {}}, "POLICY_DELETED (labels: [], revision: 0, count: 0)"),
    ({"type": 5, "endpoint_regenerate": {"id": 3}}, "ENDPOINT_REGENERATE_SUCCESS (id: 3, labels: [])"),
    (
        {"type": 6, "endpoint_regenerate": {"id": 3, "labels": ["x"], "error": "e"}},
        "ENDPOINT_REGENERATE_FAILURE (id: 3, labels: [x], error: e)",
    ),
    (
        {"type": 7, "endpoint_update": {"id": 3, "namespace": "n", "pod_name": "p"}},
        "ENDPOINT_CREATED (id: 3, namespace: n, pod name: p)",
    ),
    ({"type": 8, "endpoint_update": {"id": 3}}, "ENDPOINT_DELETED (id: 3)"),
    (
        {
            "type": 9,
            "ipcache_update": {
                "cidr": "c",
                "identity": 2,
                "old_identity": {},
                "host_ip": "h",
                "old_host_ip": "o",
                "encrypt_key": 1,
            },
        },
        "IPCACHE_UPSERTED (cidr: c, identity: 2, old identity: 0, host ip: h, old host ip: o, "
        "encrypt key: 1)",
    ),
    ({"type": 10, "ipcache_update": {}}, "IPCACHE_DELETED (cidr: , identity: 0, encrypt key: 0)"),
    (
        {
            "type": 11,
            "service_upsert": {
                "id": 1,
                "frontend_address": {"ip": "fd00::1", "port": 80},
                "backend_addresses": [{"ip": "1.2.3.4", "port": 8}],
                "type": "T",
                "namespace": "n",
                "name": "s",
            },
        },
        "SERVICE_UPSERTED (id: 1, frontend: [fd00::1]:80, backends: [1.2.3.4:8], type: T, "
        "namespace: n, name: s)",
    ),
    ({"type": 12, "service_delete": {"id": 4}}, "SERVICE_DELETED (id: 4)"),
    ({"type": 9}, "IPCACHE_UPSERTED (UNKNOWN)"),
    ({"type": 77}, "77 (UNKNOWN)"),
]


@pytest.mark.parametrize(("event", "told"), AGENT_EVENTS)
def test_agent_events(event: dict[str, object], told: str) -> None:
    made = ExportEvent(agent_event=event, node_name="node-1", time=AT)
    assert _printed(made)[0] == f"Nov 20 09:00:01.005: {told}\n"
    assert _printed(made, look=Look(node_name=True))[0] == f"Nov 20 09:00:01.005 [node-1]: {told}\n"


def test_agent_events_in_other_formats() -> None:
    made = ExportEvent(agent_event={"type": 8, "endpoint_update": {"id": 3}}, node_name="n", time=AT)
    blocks, _ = _printed(made, made, look=Look(Output.DICT, node_name=True))
    block = "  TIMESTAMP: Nov 20 09:00:01.005\n       NODE: n\n"
    block += "       TYPE: ENDPOINT_DELETED\n    DETAILS: id: 3\n"
    assert blocks == f"{block}------------{block}"
    table, _ = _printed(made, look=Look(Output.TABLE))
    assert (
        table == "TIMESTAMP             TYPE               DETAILS\n"
        "Nov 20 09:00:01.005   ENDPOINT_DELETED   id: 3\n"
    )
    told = observer_pb2.GetAgentEventsResponse(agent_event=made.agent_event, node_name="n", time=AT)
    out: list[str] = []
    printer(Look(Output.JSONPB), out.append, out.append, Screen()).agent_event(told)
    assert json.loads("".join(out))["agent_event"] == {
        "type": "ENDPOINT_DELETED",
        "endpoint_update": {"id": "3"},
    }
    assert (
        _printed(made, look=Look(Output.CSV))[0].splitlines()[1]
        == "2026-11-20T09:00:01.005Z,n,ENDPOINT_DELETED,id: 3"
    )


DEBUG_EVENTS: list[tuple[dict[str, object], str]] = [
    ({"type": 1, "message": "m"}, "N/A DBG_GENERIC MARK: N/A CPU: N/A (m)"),
    (
        {
            "type": 2,
            "source": {"ID": 5, "namespace": "n", "pod_name": "p"},
            "hash": {"value": 255},
            "cpu": {"value": 3},
        },
        "n/p (ID: 5) DBG_LOCAL_DELIVERY MARK: 0xff CPU: 03 ()",
    ),
    (
        {"source": {"ID": 5, "labels": ["reserved:host"]}},
        "reserved:host (ID: 5) DBG_EVENT_UNKNOWN MARK: N/A CPU: N/A ()",
    ),
    (
        {"source": {"ID": 5, "labels": ["k8s:a=b"]}, "hash": {}},
        "ID: 5 DBG_EVENT_UNKNOWN MARK: 0x0 CPU: N/A ()",
    ),
]


@pytest.mark.parametrize(("event", "told"), DEBUG_EVENTS)
def test_debug_events(event: dict[str, object], told: str) -> None:
    made = ExportEvent(debug_event=event, node_name="n", time=AT)
    assert _printed(made)[0] == f"Nov 20 09:00:01.005: {told}\n"


def test_debug_events_in_other_formats() -> None:
    made = ExportEvent(debug_event={"type": 1, "message": "m"}, node_name="n", time=AT)
    table, _ = _printed(made, look=Look(Output.TABLE))
    assert table.splitlines()[0].split() == [
        "TIMESTAMP",
        "FROM",
        "TYPE",
        "CPU/MARK",
        "MESSAGE",
    ]
    blocks, _ = _printed(made, look=Look(Output.DICT))
    assert [line.split(":")[0].strip() for line in blocks.splitlines()] == [
        "TIMESTAMP",
        "TYPE",
        "FROM",
        "MARK",
        "CPU",
        "MESSAGE",
    ]
    assert _printed(made, look=Look(Output.CSV))[0].splitlines()[1].endswith(",N/A,N/A,N/A,m")


def test_states_of_nodes() -> None:
    def told(state: int, count: int = 1, **look: object) -> str:
        names = [f"default/node-{number:02}" for number in range(count)]
        status = relay_pb2.NodeStatusEvent(state_change=state, node_names=names, message='no "way"')
        return _printed(ExportEvent(node_status=status, node_name="relay", time=AT), look=Look(**look))[1]

    assert told(1) == told(3) == told(9) == ""
    assert told(1, debug=True).endswith("[relay]: Receiving flows from 1 nodes: default/node-00\n")
    assert told(3, debug=True).endswith("[relay]: 1 nodes removed from cluster: default/node-00\n")
    assert "unknown node status event" in told(9, debug=True)
    assert told(4).endswith('Error "no \\"way\\"" on 1 nodes: default/node-00\n')
    assert told(2, 9).endswith("9 nodes are unavailable: default/node-00, default/node-01 (and 7 more)\n")
    assert told(2, output=Output.CSV) == told(2)
    assert told(2, silent_errors=True) == ""


def _rows(*events: ExportEvent) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_printed(*events, look=Look(Output.CSV))[0])))


def test_csv_has_its_columns_and_what_was_lost_is_a_row() -> None:
    flow = _flow(
        verdict=2,
        drop_reason_desc=133,
        event_type={"type": 1, "sub_type": 133},
        traffic_direction=2,
        is_reply={},
        IP={"source": "1.1.1.1", "destination": "2.2.2.2"},
        l4={"TCP": {"source_port": 1234, "destination_port": 80}},
        source={
            "namespace": "shop",
            "pod_name": "cart",
            "identity": 300,
            "workloads": [{"kind": "Deployment", "name": "cart"}],
        },
        destination={"identity": 2},
        destination_names=["a.example", "b.example"],
        node_name="n",
        l7={"latency_ns": 5},
        Summary='said "a, b"',
        uuid="u",
    )
    first, second = _rows(
        flow, ExportEvent(lost_events={"source": 3, "num_events_lost": 12}, node_name="n", time=AT)
    )
    assert tuple(first) == COLUMNS
    assert first["type"] == "l7-unknown_l7_type"
    assert {name: first[name] for name in ("verdict", "drop_reason", "direction", "reply", "protocol")} == {
        "verdict": "DROPPED",
        "drop_reason": "POLICY_DENIED",
        "direction": "EGRESS",
        "reply": "no",
        "protocol": "TCP",
    }
    assert (first["source_pod"], first["source_workload"], first["source_port"]) == (
        "cart",
        "Deployment/cart",
        "1234",
    )
    assert (first["destination_identity"], first["destination_identity_name"]) == ("2", "world")
    assert first["destination_names"] == "a.example b.example"
    assert first["summary"] == 'said "a, b"'
    assert (second["type"], second["node"]) == ("EVENTS LOST", "n")
    assert second["summary"].startswith("12 events lost: HUBBLE_RING_BUFFER")


def test_csv_holds_no_formula_and_no_line_break() -> None:
    (row,) = _rows(_flow(Summary="=HYPERLINK(1)\nx", node_name="@a", uuid="-1"))
    assert (row["summary"], row["node"], row["uuid"]) == ("'=HYPERLINK(1)\\nx", "'@a", "'-1")


def test_nothing_is_printed_of_an_event_that_is_not_for_this_command() -> None:
    render: Callable[..., tuple[str, str]] = _printed
    out: list[str] = []
    made = printer(Look(), out.append, out.append, Screen())
    made.response(ExportEvent(debug_event={"message": "m"}).SerializeToString())
    assert out == []
    assert render() == ("", "")
