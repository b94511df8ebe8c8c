"""The agent's table `health`: how each of its modules is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from playbooks.practice import manifests
from playbooks.practice.catalog import NAMESPACES, SERVICES
from playbooks.practice.commands.columns import age, laid_out
from playbooks.practice.commands.control import retried
from playbooks.practice.commands.view import AgentView
from playbooks.practice.naming import stable
from playbooks.practice.objects import Json
from playbooks.practice.policies import lockdown


@dataclass(frozen=True, slots=True)
class Report:
    """What one component last said of itself."""

    module: tuple[str, ...]
    """Path of the module."""
    component: tuple[str, ...]
    """Path of the component in it."""
    message: str
    """What it said."""
    updated: datetime
    """When."""
    count: int
    """How often it has said so."""
    error: str = ""
    """What is wrong with it; empty where nothing is."""

    @property
    def level(self) -> str:
        """How it is, in a word."""
        return "Degraded" if self.error else "OK"

    @property
    def sort_key(self) -> tuple[str, str]:
        """The order of the table."""
        return ".".join(self.module), ".".join(self.component)


def reports(view: AgentView) -> list[Report]:
    """All components, in the table's order."""
    store = view.world.store
    next_collection, _ = view.last(300, "job-collect")
    facts = {
        "options": len(view.config),
        "namespaces": store.count(NAMESPACES),
        "pods": view.pod_count,
        "frontends": sum(len(service["spec"]["ports"]) for service in store.all(SERVICES)),
        "next_collection": next_collection.strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC"),
    }
    found = []
    for module, component, message, period, counts in manifests.table("agent-modules"):
        if ".hubble" in module and not view.is_on("enable-hubble"):
            continue
        updated, count = view.last(period, component) if period else (view.started, 1)
        path = tuple(module.split("."))
        found.append(Report(path, (component,), message.format(**facts), updated, count if counts else 1))
    found += _of_endpoints(view)
    return sorted(found, key=lambda report: report.sort_key)


def summary(found: list[Report]) -> str:
    """The line that counts."""
    bad = sum(bool(one.error) for one in found)
    return f"Modules Health:\tStopped(0) Degraded({bad}) OK({len(found) - bad})"


def documents(view: AgentView) -> list[Json]:
    """The rows as objects."""
    return [
        {
            "ID": {"Module": list(report.module), "Component": list(report.component)},
            "Level": report.level,
            "Message": report.message,
            "Error": report.error,
            "LastOK": "0001-01-01T00:00:00Z" if report.error else _nanoseconds(report),
            "Updated": _nanoseconds(report),
            "Stopped": "0001-01-01T00:00:00Z",
            "Final": "",
            "Count": report.count,
        }
        for report in reports(view)
    ]


def table(view: AgentView) -> str:
    """The rows as text."""
    lines = ["Module\tComponent\tLevel\tMessage\t"]
    lines += [
        f"{'.'.join(report.module)}\t{'.'.join(report.component)}\t{report.level}\t{report.message[:88]}\t"
        for report in reports(view)
    ]
    return laid_out("\n".join(lines)) + "\n"


def tree(view: AgentView, found: list[Report]) -> str:
    """The rows as `status --verbose` draws them."""
    root: Json = {}
    for report in found:
        branch = root
        for part in (*report.module, *report.component[:-1]):
            branch = branch.setdefault(part, {})
        branch[report.component[-1]] = report
    lines = []
    for name, branch in root.items():
        lines.append(f"  {name}")
        lines += _branches(view, branch, "  ")
    return "\n".join(lines)


def _branches(view: AgentView, branch: Json, prefix: str) -> Iterator[str]:
    entries = sorted(branch.items())
    for number, (name, inner) in enumerate(entries):
        is_last = number == len(entries) - 1
        head = f"{prefix}{'└── ' if is_last else '├── '}{name}"
        if isinstance(inner, Report):
            column = max(50 if len(prefix) < 6 else 66, len(head) + 4)
            when = age((view.now - inner.updated).total_seconds())
            yield f"{head.ljust(column)}[{inner.level.upper()}] {inner.message} ({when}, x{inner.count})"
        else:
            yield head
            yield from _branches(view, inner, prefix + ("    " if is_last else "│   "))


def _of_endpoints(view: AgentView) -> Iterator[Report]:
    module = ("agent", "controlplane", "endpoint-manager")
    for entry in view.endpoints:
        name = f"cilium-endpoint-{entry.id} ({entry.title})"
        begun = view.started if entry.endpoint is None else max(view.started, entry.endpoint.created)
        if entry.pod and not view.is_on("disable-endpoint-crd"):
            synced, count = view.last(10, f"cep{entry.id}")
            yield Report(
                module,
                (name, "cep-k8s-sync"),
                f"sync-to-k8s-ciliumendpoint ({entry.id})",
                max(begun, synced),
                count,
            )
        regenerated, count = view.last(120, "endpoint-periodic-regeneration")
        if entry.failing is not None:
            at, failures = retried(entry.failing, view.now)
            what = (name, "datapath-regenerate")
            yield Report(module, what, "Endpoint regeneration failed", at, failures, lockdown.ERROR)
        else:
            message = "Endpoint regeneration successful"
            yield Report(module, (name, "datapath-regenerate"), message, max(begun, regenerated), count)
        swept, _ = view.last(900, f"policymap{entry.id}")
        yield Report(module, (name, "policymap-sync"), f"sync-policymap-{entry.id}", max(begun, swept), 1)


def _nanoseconds(report: Report) -> str:
    rest = stable(f"{report.sort_key}{report.updated}", 0, 999)
    return f"{report.updated.strftime('%Y-%m-%dT%H:%M:%S.%f')}{rest:03}Z"
