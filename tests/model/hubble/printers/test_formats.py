"""Text for terminals, columns, times and events that the corpus does not hold."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from playbooks.model.hubble.filters.asked import Look, Output, TimeFormat
from playbooks.model.hubble.printers import Screen, printer
from playbooks.model.hubble.printers.columns import Columns
from playbooks.model.hubble.printers.layouts import Clock
from playbooks.model.hubble.printers.telling import joined_path
from playbooks.model.hubble.proto import flow_pb2, relay_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from tests.model.hubble.printers.printing import AT, flow, printed

HOSTILE = "\x1b[31mred\x1b]0;t\x07\r\n\t\u202egpj\u200b\x85\x00"
OURS = ("\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[36m")


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
        for text in printed(*events, look=look, screen=screen):
            for ours in OURS if is_colored else ():
                text = text.replace(ours, "")
            hidden = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
            assert hidden <= {"\n"}


def test_on_a_terminal_json_stays_the_same_json() -> None:
    look = replace(Look(Output.JSONPB), debug=True)
    shown, _ = printed(*_hostile(), look=look, screen=Screen(is_terminal=True))
    plain, _ = printed(*_hostile(), look=look)
    assert shown != plain
    assert [json.loads(line) for line in shown.splitlines()] == [
        json.loads(line) for line in plain.split("\n") if line
    ]


def test_on_a_pipe_escapes_and_carriage_returns_are_written_out_and_the_rest_is_left() -> None:
    out, _ = printed(flow(Summary="a\x1b[31mb\rc\x07d\u202e"))
    assert out.endswith("(a^[[31mb\\rc\x07d\u202e)\n")


def test_what_looks_like_a_colour_of_ours_passes_on_a_pipe_with_colours() -> None:
    out, _ = printed(flow(Summary="a\x1b[31mb\x1b[99mc"), screen=Screen(is_colored=True))
    assert out.endswith("(a\x1b[31mb^[[99mc)\n")


def test_a_table_has_no_colours() -> None:
    out, _ = printed(flow(verdict=1), look=Look(Output.TABLE), screen=Screen(is_colored=True))
    assert "\x1b" not in out
    assert out.startswith("TIMESTAMP")


def test_numbers_without_a_name_are_told_as_numbers() -> None:
    event = flow(verdict=99, event_type={"type": 4, "sub_type": 77}, auth_type=9, Summary="S")
    assert printed(event)[0].endswith(" 77 99 (S; Auth: 9)\n")
    point = flow(event_type={"type": 3}, debug_capture_point=50)
    assert " 50 VERDICT_UNKNOWN" in printed(point)[0]
    assert (
        "policy-verdict:unknown 9 "
        in printed(flow(event_type={"type": 5}, policy_match_type=40, traffic_direction=9))[0]
    )


def test_an_empty_message_prints_nothing_and_an_empty_flow_a_line() -> None:
    assert printed(ExportEvent()) == ("", "")
    assert printed(ExportEvent(flow={}))[0] == "N/A:  (unknown) <>  (unknown) UNKNOWN VERDICT_UNKNOWN ()\n"
    assert printed(ExportEvent(flow={}), look=Look(Output.JSONPB))[0] == '{"flow":{}}\n'


def test_a_reply_that_is_known_to_be_none_is_told_from_one_that_is_unknown() -> None:
    arrows = [printed(flow(is_reply=reply))[0].split()[4] for reply in ({}, {"value": True})]
    assert arrows == ["->", "<-"]
    assert printed(flow())[0].split()[4] == "<>"


def test_the_namespace_of_a_service_counts_for_the_pod() -> None:
    ends = {"IP": {"source": "1.1.1.1"}, "source": {"namespace": "a", "pod_name": "p"}}
    assert " a/p (" in printed(flow(**ends))[0]
    assert " b/p (" in printed(flow(**ends, source_service={"namespace": "b", "name": "s"}))[0]


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


def test_nothing_is_printed_of_an_event_that_is_not_for_this_command() -> None:
    out: list[str] = []
    made = printer(Look(), out.append, out.append, Screen())
    made.response(ExportEvent(debug_event={"message": "m"}).SerializeToString())
    assert out == []
