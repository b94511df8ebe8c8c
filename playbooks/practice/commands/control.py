"""The agent's controllers: what it does again and again, and how that went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.practice.commands.columns import duration, since
from playbooks.practice.commands.view import AgentView, LocalEndpoint
from playbooks.practice.naming import stable_uuid
from playbooks.practice.objects import Json, milli_stamp

NEVER = "0001-01-01T00:00:00.000Z"
"""How the agent writes that something has not happened."""
_LONGEST_WAIT = 300.0


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller."""

    name: str
    """Its name."""
    interval: float = 0.0
    """Seconds between two runs; 0 for once."""
    retry_base: float = 0.0
    """Seconds of the first retry, where it is not the default."""
    succeeded: datetime | None = None
    """When it last did."""
    successes: int = 0
    """How often it did."""
    failed: datetime | None = None
    """When it last failed, since it last succeeded."""
    failures: int = 0
    """How often it did so."""
    error: str = ""
    """Why."""

    def document(self, boot: str) -> Json:
        """As the API shows it."""
        configuration: Json = {"error-retry": True}
        if self.retry_base:
            configuration["error-retry-base"] = duration(self.retry_base)
        if self.interval:
            configuration["interval"] = _whole(self.interval)
        status: Json = {
            "last-failure-timestamp": milli_stamp(self.failed) if self.failed else NEVER,
            "last-success-timestamp": milli_stamp(self.succeeded) if self.succeeded else NEVER,
        }
        if self.successes:
            status["success-count"] = self.successes
        if self.failures:
            counted = dict.fromkeys(("consecutive-failure-count", "failure-count"), self.failures)
            status |= {**counted, "last-failure-msg": self.error}
        return {
            "configuration": configuration,
            "name": self.name,
            "status": status,
            "uuid": stable_uuid(f"{boot}{self.name}"),
        }

    def row(self, now: datetime) -> str:
        """As text shows it."""
        last = f"{since(self.succeeded, now)}\t{since(self.failed, now)}"
        return f"  {self.name}\t{last}\t{self.failures}\t{self.error or 'no error'}\t"


def controllers(view: AgentView) -> list[Controller]:
    """All controllers of an agent."""
    found = [
        _periodic(view, "ct-map-pressure", 30),
        _periodic(view, "endpoint-gc", 300),
        _periodic(view, "endpoint-periodic-regeneration", 120),
        _periodic(view, "k8s-heartbeat", 30),
        Controller(
            "ipcache-inject-labels",
            succeeded=view.last(60, "inject")[0],
            successes=view.last(60, "inject")[1],
        ),
        Controller("local-identity-checkpoint", succeeded=view.started, successes=1),
    ]
    if view.network.health is not None:
        found.append(_periodic(view, "cilium-health-ep", 60))
    if view.config.get("write-cni-conf-when-ready"):
        found.append(Controller("write-cni-file", retry_base=10, succeeded=view.started, successes=1))
    for entry in view.endpoints:
        found += of_endpoint(view, entry)
    return sorted(found, key=lambda controller: controller.name)


def of_endpoint(view: AgentView, entry: LocalEndpoint) -> Iterator[Controller]:
    """The controllers of one endpoint."""
    number = entry.id
    begun = view.started if entry.endpoint is None else max(view.started, entry.endpoint.created)
    recovery = Controller(f"endpoint-{number}-regeneration-recovery", 1, 2)
    if entry.failing is not None:
        failed, count = retried(entry.failing, view.now)
        error = "regeneration recovery failed"
        recovery = Controller(recovery.name, 1, 2, failed=failed, failures=count, error=error)
    yield recovery
    if not entry.is_restored:
        yield _begun(_periodic(view, f"resolve-identity-{number}", 300), begun)
    if entry.pod or entry.endpoint is None:
        yield Controller(f"resolve-labels-{entry.title}", succeeded=begun, successes=2)
    if entry.is_restored:
        yield Controller(f"restoring-ep-identity ({number})", succeeded=view.started, successes=1)
        if entry.pod:
            name = f"waiting-initial-global-identities-ep ({number})"
            yield Controller(name, succeeded=view.started, successes=1)
    yield _begun(_periodic(view, f"sync-policymap-{number}", 900), begun)
    if entry.pod and not view.is_on("disable-endpoint-crd"):
        yield _begun(_periodic(view, f"sync-to-k8s-ciliumendpoint ({number})", 10), begun)


def retried(begun: datetime, now: datetime) -> tuple[datetime, int]:
    """When something that is tried again ever more seldom was tried last, and how often it was."""
    at, wait, count = begun, 2.0, 1
    while at + timedelta(seconds=wait) <= now:
        at, wait, count = at + timedelta(seconds=wait), min(2 * wait, _LONGEST_WAIT), count + 1
    return at, count


def _periodic(view: AgentView, name: str, period: float) -> Controller:
    last, count = view.last(period, name)
    return Controller(name, period, succeeded=last, successes=count)


def _begun(controller: Controller, begun: datetime) -> Controller:
    if controller.succeeded is not None and controller.succeeded < begun:
        return Controller(controller.name, controller.interval, controller.retry_base, begun, 1)
    return controller


def _whole(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
