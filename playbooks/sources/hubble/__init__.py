"""Hubble as a source: flows, agent and debug events, from whoever in the cluster can tell them.

`events.py` is what consumers see; nothing here imports grpc before a connection is wanted.
"""

from playbooks.sources.hubble.events import (
    Batch,
    Dropped,
    Event,
    FlowStream,
    Hole,
    Left,
    Lost,
    NodeStatus,
    Phase,
    Rung,
    Skew,
    State,
    Traffic,
)

__all__ = [
    "Batch",
    "Dropped",
    "Event",
    "FlowStream",
    "Hole",
    "Left",
    "Lost",
    "NodeStatus",
    "Phase",
    "Rung",
    "Skew",
    "State",
    "Traffic",
]
