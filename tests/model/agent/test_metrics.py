"""Counters and gauges: as the agent's command lists them, and as a page in Prometheus' format."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.cilium.agent.exposition import page_of
from playbooks.model.cilium.agent.metrics import AgentMetrics
from playbooks.model.fact import Unreadable
from tests.model.agent.reading import columns, read, recorded
from tests.model.damage import CI

PAGE = r"""
# HELP cilium_drop_count_total Total dropped packets
# TYPE cilium_drop_count_total counter
cilium_drop_count_total{direction="EGRESS",reason="Policy denied"} 3706
cilium_drop_count_total{direction="INGRESS",reason="Policy denied"} 1.1324e+04
# TYPE go_goroutines gauge
go_goroutines 2153
odd{path="C:\\new\n\"x\"",empty="",} NaN 1700000000000
seconds_bucket{le="+Inf"} 7 # {trace_id="a b"} 0.5
limit +Inf
""".removeprefix("\n")


def test_a_metric_is_found_by_name_and_labels() -> None:
    fact = recorded(AgentMetrics)
    assert fact.total("drop_count_total", reason="Policy denied") == sum(
        item.value for item in fact.of("drop_count_total") if item.has({"reason": "Policy denied"})
    )
    assert fact.total("nosuch_total") is None
    assert fact.total("controllers_failing") == 0


def test_json_and_text_of_metrics_are_alike_where_both_can_tell() -> None:
    def values(way: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        items = recorded(AgentMetrics, way).items
        return {(item.name, tuple(sorted((item.labels or {}).items()))): item.value for item in items}

    from_json, from_text = values(0), values(1)
    assert from_json.keys() == from_text.keys()
    still = [key for key in from_json if "feature" in key[0] or "capacity" in key[0] or "duration" in key[0]]
    assert len(still) > 80
    for key in still:
        assert math.isclose(from_json[key], from_text[key], rel_tol=0.02, abs_tol=1e-6), key


def test_a_histogram_in_text_tells_what_nine_of_ten_stay_below() -> None:
    body = columns(
        ("Metric", "Labels", "Value"),
        ("cilium_x_seconds", "method=GET path=/v1/a b", "10ms / 22ms / 24.7ms"),
        ("cilium_y", "", "55µ / 91µ / 99.1µ"),
        ("cilium_z", "", "1.5k / 2M / 3G"),
        ("cilium_none", "", "NaN"),
        ("go_gc_duration_seconds", "", "p0(21.28µs) p25(85.84µs) p100(5.644ms)"),
    )
    x, y, z, none = read(AgentMetrics, body, 1).items
    assert (x.value, x.labels) == (0.022, {"method": "GET", "path": "/v1/a b"})
    assert math.isclose(y.value, 91e-6)
    assert z.value == 2e6
    assert math.isnan(none.value)


@pytest.mark.parametrize("value", ["", "12 apples", "1 / 2", "a / b / c", "1e999x", "1,5"])
def test_what_is_no_value_is_unreadable(value: str) -> None:
    with pytest.raises(Unreadable, match="not a value"):
        read(AgentMetrics, columns(("Metric", "Labels", "Value"), ("cilium_x", "a=b", value)), 1)


def test_no_metric_at_all_is_unreadable() -> None:
    for body in (b"[]", b"null"):
        with pytest.raises(Unreadable, match="every agent has some"):
            read(AgentMetrics, body)


def test_a_page_tells_values_labels_and_types() -> None:
    page = page_of(PAGE)
    assert page.total("cilium_drop_count_total", reason="Policy denied") == 15030
    assert page.total("cilium_drop_count_total", reason="nosuch") is None
    assert page.types == {"cilium_drop_count_total": "counter", "go_goroutines": "gauge"}
    (odd,) = page.of("odd")
    assert (odd.labels, math.isnan(odd.value)) == ({"path": 'C:\\new\n"x"', "empty": ""}, True)
    assert [sample.value for sample in page.of("seconds_bucket", le="+Inf")] == [7]
    assert page.total("limit") == math.inf


@pytest.mark.parametrize(
    "line",
    ["name", "name{", 'name{a="b} 1', "name{a=b} 1", "1name 2", "name 1x", "name ٣", "<html>", "name "],
)
def test_a_line_that_is_no_sample_is_unreadable(line: str) -> None:
    with pytest.raises(Unreadable, match="line 10"):
        page_of(f"{PAGE}{line}\n")


def test_a_page_that_was_cut_is_unreadable_unless_that_is_known() -> None:
    cut = PAGE + "cilium_drop_count_total 37"
    with pytest.raises(Unreadable, match="middle of a line"):
        page_of(cut)
    assert repr(page_of(cut, is_truncated=True)) == repr(page_of(PAGE))
    assert page_of("").samples == ()


@CI
@given(st.one_of(st.text(), st.lists(st.tuples(st.integers(0, len(PAGE)), st.text(max_size=3)), max_size=4)))
def test_any_page_is_read_or_unreadable(damage: str | list[tuple[int, str]]) -> None:
    text = damage if isinstance(damage, str) else PAGE
    for at, put in [] if isinstance(damage, str) else damage:
        text = text[:at] + put + text[at + len(put) :]
    try:
        page = page_of(text, is_truncated=True)
    except Unreadable:
        return
    assert all(sample.name for sample in page.samples)
