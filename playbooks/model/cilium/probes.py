"""Whether a run was ended by a probe: what the kubelet complained about when it ended."""

from __future__ import annotations

from datetime import timedelta

from playbooks.model.cilium.last_run import LastRun
from playbooks.model.cilium.logs import LAST
from playbooks.model.kube.events import Event, Warnings

_KILLED = frozenset({0, 2, 137, 143})
"""Exit codes of a process that was told to end."""
_STARTUP = timedelta(seconds=90)
"""A run shorter than this was not ended by a startup probe: every start fails a few of them."""
_BEFORE, _AFTER = timedelta(minutes=5), timedelta(minutes=1)


def killing_probe(run: LastRun, warnings: Warnings | None) -> Event | None:
    """The complaint of the probe that ended the last run, if one did."""
    end = run.end
    if warnings is None or end is None or end.reason == "OOMKilled" or end.finished_at is None:
        return None
    if end.exit_code not in _KILLED or (run.last is not None and run.last.level in LAST):
        return None
    for event in warnings.about(run.agent.pod, "Unhealthy"):
        is_of_agent = run.agent.container in (event.involved_object.field_path or run.agent.container)
        if is_of_agent and event.last and -_BEFORE <= event.last - end.finished_at <= _AFTER:
            if event.text.startswith("Liveness probe"):
                return event
            is_long = end.started_at is not None and end.finished_at - end.started_at >= _STARTUP
            if event.text.startswith("Startup probe") and is_long:
                return event
    return None
