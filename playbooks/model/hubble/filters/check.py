"""A check: one question about a flow, and how several become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playbooks.model.hubble.proto import flow_pb2

Holds = Callable[[flow_pb2.Flow], bool]
"""Whether something is true of a flow."""


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement of a filter."""

    holds: Holds
    """Whether a flow fulfils it."""
    needs_flow: bool = False
    """Whether an event that is no flow fails it, even where an empty flow would pass."""


def always(_flow: flow_pb2.Flow) -> bool:
    """True of every flow."""
    return True


def all_of(parts: Sequence[Holds]) -> Holds:
    """Whether all are true, asked in order."""
    if not parts:
        return always
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda flow: first(flow) and second(flow)

    def holds(flow: flow_pb2.Flow) -> bool:
        for part in parts:  # noqa: SIM110  a loop costs half of what a generator does
            if not part(flow):
                return False
        return True

    return holds


def any_of(parts: Sequence[Holds]) -> Holds:
    """Whether one is true, asked in order; none at all is always true."""
    if not parts:
        return always
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda flow: first(flow) or second(flow)

    def holds(flow: flow_pb2.Flow) -> bool:
        for part in parts:  # noqa: SIM110  a loop costs half of what a generator does
            if part(flow):
                return True
        return False

    return holds


def both(first: Holds, denied: Holds | None) -> Holds:
    """Whether the first is true and the second, if any, is not."""
    if denied is None:
        return first
    if first is always:
        return lambda flow: not denied(flow)
    return lambda flow: first(flow) and not denied(flow)
