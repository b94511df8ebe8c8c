"""What flows come to: counted once, for rules and views alike; pure, bounded, a batch at a time."""

from __future__ import annotations

from playbooks.model.hubble.aggregation.dns import Lookups, NameLookups, Silence, Unanswered
from playbooks.model.hubble.aggregation.handshakes import Handshake, Handshakes, Pair
from playbooks.model.hubble.aggregation.metrics import Metric, Metrics
from playbooks.model.hubble.aggregation.requests import Answers, Call, Requests, Route, Slow, Topic
from playbooks.model.hubble.aggregation.tally import Row, Tally
from playbooks.model.hubble.aggregation.totals import Losses, Totals
from playbooks.model.hubble.aggregation.traffic import By, Edge, Lane, Traffic

__all__ = [
    "Answers",
    "By",
    "Call",
    "Edge",
    "Handshake",
    "Handshakes",
    "Lane",
    "Lookups",
    "Losses",
    "Metric",
    "Metrics",
    "NameLookups",
    "Pair",
    "Requests",
    "Route",
    "Row",
    "Silence",
    "Slow",
    "Tally",
    "Topic",
    "Totals",
    "Traffic",
    "Unanswered",
]
