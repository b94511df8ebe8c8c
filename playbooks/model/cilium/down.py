"""Conditions that explain why an agent or the operator does not run."""

from __future__ import annotations

import re

from playbooks.model.condition import Condition, ConditionKind

_OF_NODE = (
    ConditionKind.AGENT_CONFIG_REFUSED,
    ConditionKind.API_SERVER_UNREACHABLE,
    ConditionKind.PERMISSION_MISSING,
    ConditionKind.SECRET_MISSING,
    ConditionKind.NODE_UNFIT,
    ConditionKind.IPAM_EXHAUSTED,
    ConditionKind.NODE_UNREACHABLE,
)
_OF_CLUSTER = (
    ConditionKind.CRDS_MISSING,
    ConditionKind.OPERATOR_DOWN,
    ConditionKind.KVSTORE_DOWN,
    ConditionKind.SECRET_MISSING,
    ConditionKind.PERMISSION_MISSING,
)
OPERATOR = "operator"
"""Tells conditions of the operator from those of agents."""


def keeps_agent_down(node: str) -> tuple[Condition, ...]:
    """What can keep the agent of a node from running."""
    return (
        *(Condition(kind, node) for kind in _OF_NODE),
        *(Condition(kind) for kind in _OF_CLUSTER),
        asked_at_wrong_port(node),
    )


def asked_at_wrong_port(node: str) -> Condition:
    """The agent of a node is asked for its health where it does not listen."""
    return Condition(ConditionKind.AGENT_DOWN, node, "probe port")


def ended_by_probe(node: str) -> Condition:
    """The agent of a node is down because kubelet ended it."""
    return Condition(ConditionKind.AGENT_DOWN, node, "probe")


def keeps_operator_down(node: str) -> tuple[Condition, ...]:
    """What can keep an operator pod on a node from running."""
    return (
        Condition(ConditionKind.AGENT_CONFIG_REFUSED, detail=OPERATOR),
        Condition(ConditionKind.PERMISSION_MISSING, detail=OPERATOR),
        Condition(ConditionKind.API_SERVER_UNREACHABLE, node),
        Condition(ConditionKind.NODE_UNREACHABLE, node),
        Condition(ConditionKind.KVSTORE_DOWN),
    )


def alike(text: str) -> str:
    """A text without what differs from node to node, as a key for equal faults."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "N", text)[:200]
