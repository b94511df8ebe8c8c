"""Whatever is typed and whatever arrives, there is an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.model.hubble.filters.asked import Help, Observe
from playbooks.model.hubble.filters.flag import Kind
from playbooks.model.hubble.filters.flags import flags_of
from playbooks.model.hubble.filters.matching import FilterRefused, Matcher, matching
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.selection import selected
from playbooks.model.hubble.filters.wording import Refused
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from tests.model.hubble.filters import golden
from tests.model.hubble.filters.hostile import messages

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VALUES = sorted({argument for entry in golden.entries("filters") for argument in entry["args"]})
ARGUMENTS = st.one_of(
    st.sampled_from([f"--{flag.name}" for flag in flags_of(Kind.FLOWS)]),
    st.sampled_from(VALUES),
    st.text(max_size=8),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=8).map(lambda text: f"-{text}"),
    st.tuples(st.sampled_from([f"--{flag.name}" for flag in flags_of(Kind.FLOWS)]), st.text(max_size=8)).map(
        "=".join
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ARGUMENTS, max_size=8))
def test_arguments_are_obeyed_or_refused_with_words(argv: list[str]) -> None:
    found = observe(argv, NOW)
    if isinstance(found, Refused):
        assert found.message
        return
    if isinstance(found, Help):
        return
    assert found.raw_filters()
    assert found.request().SerializeToString() is not None
    try:
        matching(found.allowlist, found.denylist)
    except FilterRefused:
        return


@settings(max_examples=150, deadline=None)
@given(messages(flow_pb2.FlowFilter.DESCRIPTOR))
def test_filters_of_others_are_compiled_or_refused(wanted: flow_pb2.FlowFilter) -> None:
    try:
        matcher = matching([wanted])
    except FilterRefused:
        return
    for event in golden.events()[::40]:
        assert matcher.event(event) in (True, False)


@cache
def matchers() -> tuple[Matcher, ...]:
    asked = (observe(entry["args"], NOW) for entry in golden.entries("filters") if not entry["exit"])
    return tuple(matching(each.allowlist, each.denylist) for each in asked if isinstance(each, Observe))


@settings(max_examples=150, deadline=None)
@given(messages(observer_pb2.ExportEvent.DESCRIPTOR, depth=5), messages(flow_pb2.Flow.DESCRIPTOR))
def test_every_event_gets_an_answer(event: observer_pb2.ExportEvent, flow: flow_pb2.Flow) -> None:
    for matcher in matchers():
        assert matcher.event(event) in (True, False)
        assert matcher.event(observer_pb2.ExportEvent(flow=flow)) in (True, False)


@settings(max_examples=100, deadline=None)
@given(messages(observer_pb2.GetFlowsRequest.DESCRIPTOR))
def test_any_request_is_answered_or_refused(request: observer_pb2.GetFlowsRequest) -> None:
    try:
        found = list(selected(request, golden.events()))
    except FilterRefused:
        return
    assert len(found) <= len(golden.events())
