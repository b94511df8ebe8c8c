"""Controllers of an agent: whether one keeps failing, and whom it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_response import Controller

LASTING = 15.0
"""Seconds of failing, by the controller's own count, from which on it is no hiccup."""

_MANY, _LONG = 10**6, 10.0 * 365 * 86400
"""More failures and more seconds than any agent has seen; what says more is not believed."""
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(h|ms|m|us|µs|ns|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_ENDPOINT = re.compile(r"(?:\bendpoint-|^sync-policymap-|^resolve-identity-)(\d{1,9})\b|\((\d{1,9})\)$")
_POD = re.compile(r"^resolve-labels-([a-z0-9.-]+)/([a-z0-9.-]+)$")


@dataclass(frozen=True, slots=True)
class Failing:
    """A controller that has failed again and again until now."""

    controller: Controller
    """The controller."""
    lasting: float
    """For how many seconds at least, by its count and its pace."""

    @property
    def name(self) -> str:
        """Its name, such as `endpoint-51-regeneration-recovery`."""
        return self.controller.name

    @property
    def message(self) -> str:
        """The last error."""
        return self.controller.status.last_failure_msg

    @property
    def kind(self) -> str:
        """Its name without the thing that it is about."""
        return re.sub(r"\d+", "N", _POD.sub("resolve-labels", self.name))

    @property
    def endpoint(self) -> int | None:
        """Id of the endpoint that it is about, if it is about one."""
        match = _ENDPOINT.search(self.name)
        return int(match[1] or match[2]) if match else None

    @property
    def pod(self) -> tuple[str, str] | None:
        """Namespace and name of the pod that its name tells."""
        match = _POD.match(self.name)
        return (match[1], match[2]) if match else None

    @property
    def row(self) -> str:
        """One line of evidence."""
        count = self.controller.status.consecutive_failure_count
        last = self.controller.last_failure
        since = f", last at {last:%Y-%m-%dT%H:%M:%SZ}" if last else ""
        return f"{self.name} failed {count} times in a row{since}: {self.message}"


def failing(status: AgentStatus) -> Iterator[Failing]:
    """Controllers whose own counters prove that they keep failing."""
    for controller in status.response.controllers or ():
        lasting = _lasting(controller)
        if lasting >= LASTING and _is_failing_now(controller):
            yield Failing(controller, lasting)


def is_in_trouble(controller: Controller) -> bool:
    """Whether its last run failed, proved to last or not."""
    return controller.status.consecutive_failure_count > 0


def seconds_of(duration: str) -> float:
    """A Go duration such as `1m5.9s`; 0 for what is none."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


def _is_failing_now(controller: Controller) -> bool:
    failure, success = controller.last_failure, controller.last_success
    return failure is not None and (success is None or failure > success)


def _lasting(controller: Controller) -> float:
    # A retry waits as many times the base as there were failures; a controller without retries its interval.
    gaps = min(controller.status.consecutive_failure_count, _MANY) - 1
    if gaps < 2:
        return 0.0
    pace = controller.configuration
    if pace.interval and not pace.error_retry:
        return min(gaps * seconds_of(pace.interval), _LONG)
    base = seconds_of(pace.error_retry_base) or 1.0
    return min(base * gaps * (gaps + 1) / 2, _LONG)
