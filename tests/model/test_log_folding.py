"""Logs of many containers as one: by time, equal messages once, whatever wrote them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.cilium.log_folding import Entry, entries_of, folded, merged, shape
from playbooks.model.cilium.log_places import Component, Place
from playbooks.model.cilium.logs import lines_of, parsed


def place(node: str, component: Component = Component.AGENT) -> Place:
    return Place(component, node, "kube-system", f"pod-{node}", "main", False, True, False, False, "")


def log(node: str, text: str, component: Component = Component.AGENT) -> tuple[Entry, ...]:
    return entries_of(place(node, component), tuple(lines_of(text)))


@pytest.mark.parametrize(
    ("raw", "level", "message", "subsys"),
    [
        (
            "[2026-11-23 01:50:30.123][15][critical][main] [source/server/server.cc:1] bye",
            "error",
            "bye",
            "main",
        ),
        ("[2026-11-23 01:50:30.123][15][warning][config] gRPC stream closed", "warning", None, "config"),
        ("[2026-11-23 01:50:30.123] [15] [info] [upstream] [x.cc:3] cm init", "info", "cm init", "upstream"),
    ],
)
def test_envoy_tells_time_level_and_part(raw: str, level: str, message: str | None, subsys: str) -> None:
    line = parsed(raw)
    assert (line.level, line.message, line.fields["subsys"]) == (
        level,
        message or "gRPC stream closed",
        subsys,
    )
    assert line.time == datetime(2026, 11, 23, 1, 50, 30, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "level", "message"),
    [
        (
            "[ERROR] plugin/errors: 2 api.example. A: read udp 10.0.0.9:4->8.8.8.8:53: i/o timeout",
            "error",
            "2 api.example. A: read udp 10.0.0.9:4->8.8.8.8:53: i/o timeout",
        ),
        ("[WARNING] No files matching import glob pattern: x", "warning", None),
        ('[INFO] 10.0.0.1:4 - 3 "A IN x. udp 41 false 512" NOERROR qr,aa 106 0.0001s', "info", None),
        (".:53", "", ".:53"),
        ("[odd", "", "[odd"),
    ],
)
def test_coredns_tells_its_level(raw: str, level: str, message: str | None) -> None:
    line = parsed(raw)
    assert (line.level, line.message) == (level, message or raw.partition("] ")[2])


def test_etcd_tells_its_time_in_json() -> None:
    line = parsed('{"level":"warn","ts":"2026-11-23T01:50:30.5Z","caller":"a.go:1","msg":"slow fdatasync"}')
    assert (line.level, line.message) == ("warning", "slow fdatasync")
    assert line.time == datetime(2026, 11, 23, 1, 50, 30, 500000, tzinfo=UTC)


def test_lines_of_all_nodes_come_by_time() -> None:
    one = log(
        "a", "time=2026-01-01T00:00:01Z level=info msg=first\ntime=2026-01-01T00:00:03Z level=info msg=3"
    )
    two = log("b", "time=2026-01-01T00:00:02Z level=info msg=second")
    assert [(one.place.node, one.line.message) for one in merged([one, two])] == [
        ("a", "first"),
        ("b", "second"),
        ("a", "3"),
    ]


def test_a_line_without_a_time_stays_behind_the_one_before_it() -> None:
    trace = log("a", "time=2026-01-01T00:00:01Z level=fatal msg=bye\ngoroutine 1 [running]:\n\tmain.go:3")
    later = log("b", "time=2026-01-01T00:00:02Z level=info msg=well")
    assert [entry.line.message for entry in merged([later, trace])] == [
        "bye",
        "goroutine 1 [running]:",
        "\tmain.go:3",
        "well",
    ]


def test_a_log_without_times_comes_last_and_keeps_its_order() -> None:
    dns = log("a", ".:53\nCoreDNS-1.14.7", Component.COREDNS)
    agent = log("a", "time=2026-01-01T00:00:01Z level=info msg=x")
    entries = merged([dns, agent])
    assert [entry.line.message for entry in entries] == ["x", ".:53", "CoreDNS-1.14.7"]
    assert [entry.at is None for entry in entries] == [False, True, True]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 2.5ms for endpoint 17", "took 12s for endpoint 4"),
        ("dial tcp 10.0.0.1:4240: refused", "dial tcp 10.9.8.7:80: refused"),
        ("peer [fd00::2]:4240", "peer [fd00:10::17]:4240"),
        ("pod cilium-x7k2p gone", "pod cilium-9qqz1 gone"),
        ("uid 0f7a6f3e-12ab-4cde-9f00-1234567890ab", "uid ffffffff-0000-4cde-9f00-1234567890ac"),
        ("at 2026-11-23T01:50:30.5Z", "at 2026-11-24T02:00:00Z"),
    ],
)
def test_numbers_ids_addresses_and_times_make_no_difference(one: str, other: str) -> None:
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("IPv4 is off", "IPv6 is off"), ("cannot list pods", "cannot list nodes"), ("level a", "level b")],
)
def test_words_make_a_difference(one: str, other: str) -> None:
    assert shape(one) != shape(other)


def test_repeats_on_many_nodes_are_one_line_with_its_first_and_last_time() -> None:
    lines = 'time=2026-01-01T00:00:0{}Z level=error msg="cannot reach peer 1{}" error="timeout after {}s"'
    logs = [
        log(node, "\n".join(lines.format(n, n, n) for n in numbers))
        for node, numbers in (("a", (1, 5)), ("b", (3,)))
    ]
    (fold,) = folded(merged(logs))
    assert (fold.count, fold.nodes) == (3, ("a", "b"))
    assert (fold.first, fold.last) == (
        datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC),
    )
    assert fold.newest.line.error == "timeout after 5s"


def test_levels_errors_and_components_are_kept_apart() -> None:
    agent = log("a", "level=error msg=x error=one\nlevel=error msg=x error=two\nlevel=warning msg=x")
    relay = log("a", "level=error msg=x error=one", Component.RELAY)
    assert [fold.count for fold in folded(merged([agent, relay]))] == [1, 1, 1, 1]


@given(st.lists(st.text(max_size=60), max_size=8))
def test_no_line_is_lost_whatever_it_says(texts: list[str]) -> None:
    entries = merged([log("a", "\n".join(texts)), log("b", "level=info msg=x")])
    assert sum(fold.count for fold in folded(entries)) == len(entries)
