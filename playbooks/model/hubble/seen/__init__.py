"""Flows as they are kept hot, and their reader."""

from __future__ import annotations

from playbooks.model.hubble.seen.event import Event, Lost, NodeStatus, Other, Seen
from playbooks.model.hubble.seen.parts import (
    Addresses,
    Correlated,
    Dns,
    Endpoint,
    Http,
    Kafka,
    Layer4,
    Layer7,
    Policy,
    TcpFlags,
    Workload,
)
from playbooks.model.hubble.seen.reader import Reader

__all__ = [
    "Addresses",
    "Correlated",
    "Dns",
    "Endpoint",
    "Event",
    "Http",
    "Kafka",
    "Layer4",
    "Layer7",
    "Lost",
    "NodeStatus",
    "Other",
    "Policy",
    "Reader",
    "Seen",
    "TcpFlags",
    "Workload",
]
