"""Filters compiled once, and asked of every event: with equal results to those of a Hubble server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from playbooks.model.hubble.filters import checks_ends, checks_event, checks_l7
from playbooks.model.hubble.filters.check import Check, Holds, all_of, any_of, both
from playbooks.model.hubble.filters.wording import WrongValue
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

_BUILDERS: tuple[Callable[[flow_pb2.FlowFilter], Iterator[Check]], ...] = (
    checks_event.identifiers,
    checks_event.event_types,
    checks_event.verdicts,
    checks_event.replies,
    checks_ends.identities,
    checks_event.protocols,
    checks_ends.addresses,
    checks_event.internet,
    checks_ends.pods,
    checks_ends.workloads,
    checks_ends.services,
    checks_ends.clusters,
    checks_ends.domain_names,
    checks_l7.dns,
    checks_ends.endpoint_labels,
    checks_ends.ports,
    checks_l7.http,
    checks_event.tcp_flags,
    checks_event.places,
    checks_event.expressions,
)


class FilterRefused(ValueError):
    """A filter that no server would take; the text is Hubble's kind of message."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Two lists of filters, ready to be asked."""

    flow: Holds
    """Whether a flow passes."""
    without_flow: bool
    """Whether events that are no flows pass: lost events, states of nodes, agent and debug events.

    So the hubble command decides for a file, where most filters hide them. Who watches a live stream shows
    what was lost whatever the filter says.
    """

    def event(self, event: observer_pb2.ExportEvent | observer_pb2.GetFlowsResponse) -> bool:
        """Whether an event passes, as the hubble command decides it for events of a file."""
        return self.flow(event.flow) if event.HasField("flow") else self.without_flow


def matching(
    allowlist: Iterable[flow_pb2.FlowFilter], denylist: Iterable[flow_pb2.FlowFilter] = ()
) -> Matcher:
    """A matcher of these lists; FilterRefused tells what is wrong with a filter."""
    try:
        allowed = [_checks(each) for each in allowlist]
        denied = [_checks(each) for each in denylist]
    except WrongValue as wrong:
        raise FilterRefused(str(wrong)) from None
    nothing = flow_pb2.Flow()
    without_flow = both(
        any_of([_without_flow(checks) for checks in allowed]),
        any_of([_without_flow(checks) for checks in denied]) if denied else None,
    )(nothing)
    flow = both(
        any_of([_with_flow(checks) for checks in allowed]),
        any_of([_with_flow(checks) for checks in denied]) if denied else None,
    )
    return Matcher(flow, without_flow)


def _checks(wanted: flow_pb2.FlowFilter) -> list[Check]:
    return [check for build in _BUILDERS for check in build(wanted)]


def _with_flow(checks: list[Check]) -> Holds:
    return all_of([check.holds for check in checks])


def _without_flow(checks: list[Check]) -> Holds:
    if any(check.needs_flow for check in checks):
        return lambda flow: False
    return _with_flow(checks)
