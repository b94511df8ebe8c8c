"""What programs have logged by now, derived from what happened to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice import agents, manifests
from playbooks.practice.catalog import SERVICES
from playbooks.practice.naming import stable
from playbooks.practice.network import identity_range
from playbooks.practice.policies import lockdown
from playbooks.practice.runs import Container, PodRun, Run

if TYPE_CHECKING:
    from playbooks.practice.world import World

_WAITING_EVERY = 20.0
_LONGEST_MESSAGE = 2048
_LOCKED_DOWN = (
    'msg="The policy map exceeds the max entries limit, enable-endpoint-lockdown-on-policy-overflow is '
    'enabled, locking the endpoint down."'
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    at: datetime
    """When it was written."""
    text: str
    """The line, without its line feed."""


def nothing(_world: World, _run: PodRun, _container: Container, _current: Run) -> list[Line]:
    """A program that logs nothing."""
    return []


def sysctl(_world: World, _run: PodRun, _container: Container, current: Run) -> list[Line]:
    """The init container that sets kernel options."""
    return [Line(current.started, "sysctl config up-to-date, nothing to do")]


def bpf_mount(_world: World, _run: PodRun, _container: Container, current: Run) -> list[Line]:
    """The init container that mounts the BPF filesystem."""
    return [Line(current.started, "none on /sys/fs/bpf type bpf (rw,nosuid,nodev,noexec,relatime,mode=700)")]


def install_cni(_world: World, _run: PodRun, _container: Container, current: Run) -> list[Line]:
    """The init container that copies the CNI plugin."""
    return [
        Line(current.started, "Installing cilium-cni to /host/opt/cni/bin/cilium-cni ..."),
        Line(current.started, "Wrote /host/opt/cni/bin/cilium-cni"),
    ]


def build_config(world: World, run: PodRun, _container: Container, current: Run) -> list[Line]:
    """The init container that reads the configuration."""
    facts = {"api_server": _api_server(world), "options": len(run.config)}
    return _until(world, current, _phase("config", current.started, facts))


def coredns(_world: World, _run: PodRun, _container: Container, current: Run) -> list[Line]:
    """CoreDNS."""
    text = (
        "maxprocs: Leaving GOMAXPROCS=4: CPU quota undefined",
        ".:53",
        "CoreDNS-1.14.7",
        "linux/amd64, go1.26.8, ",
    )
    return [Line(current.started, line) for line in text]


def client(world: World, run: PodRun, _container: Container, current: Run) -> list[Line]:
    """A client of the shop, or a server, which says nothing."""
    from playbooks.practice.traffic.logbook import lines

    return lines(world, run, current.started, current.finished or world.now)


def operator(world: World, _run: PodRun, _container: Container, current: Run) -> list[Line]:
    """The operator."""
    lines = [*_phase("operator_start", current.started, {"api_server": _api_server(world)})]
    if "leading" in current.noticed:
        leading = current.noticed["leading"]
        lines += _phase("operator_leading", leading, {})
        if "registered" in current.noticed:
            seconds = (current.noticed["registered"] - leading).total_seconds()
            module = "module=operator.operator-controlplane.leader-lifecycle.create-crds"
            for number, kind in enumerate(world.profile.kinds):
                at = leading + timedelta(seconds=seconds * (number + 1) / (len(world.profile.kinds) + 1))
                text = 'msg="CRD (CustomResourceDefinition) is installed and up-to-date"'
                lines.append(_line(at, "info", f"{text} {module} name={kind.qualified}"))
            lines += _phase("operator_registered", current.noticed["registered"], {})
    return _until(world, current, lines)


def relay(world: World, run: PodRun, _container: Container, current: Run) -> list[Line]:
    """Hubble Relay."""
    lines = [*_phase("relay_start", current.started, {})]
    if "connected" in current.noticed:
        for node, network in world.network.nodes.items():
            facts = {"peer": f"{world.cluster}/{node}", "address": network.node_ip}
            lines += _phase("relay_peer", current.noticed["connected"] + timedelta(seconds=0.7), facts)
    if "lost" in current.noticed:
        lines += _phase("relay_lost", current.noticed["lost"], {})
    lost = current.noticed.get("lost") or (None if "connected" in current.noticed else current.started)
    if lost is not None and not agents.is_up(world, run.node):
        service = world.store.get(SERVICES, "kube-system", "hubble-peer") or {"spec": {"clusterIP": ""}}
        at = lost + timedelta(seconds=30)
        while at <= (current.finished or world.now):
            lines += _phase("relay_retry", at, {"service": service["spec"]["clusterIP"]})
            at += timedelta(seconds=30)
    return _until(world, current, lines)


def agent(world: World, run: PodRun, _container: Container, current: Run) -> list[Line]:
    """The agent, from its start to where it has come."""
    lines = list(_start(run, current))
    refused = agents.refusal(run.config)
    if refused:
        lines += _phase("agent_refused", current.started, {"refusal": refused.replace('"', '\\"')})
        return _until(world, current, lines)
    lines += _phase("agent_connect", current.started, {"api_server": _api_server(world)})
    found = current.noticed.get("definitions")
    lines += _waiting(world, current, found)
    if found is not None:
        network = world.network.nodes[run.node]
        begin = max(current.started, found - timedelta(seconds=0.42))
        first, last = identity_range(world.cluster_id)
        facts = {
            "boot_id": network.boot_id,
            "cluster": world.cluster,
            "cluster_id": world.cluster_id,
            "first_identity": first,
            "last_identity": last,
            "endpoints": sum(other.node == run.node and bool(other.ip) for other in world.runs.values()),
            "node": run.node,
            "node_ip": network.node_ip,
            "pod_cidr": network.pod_cidr,
        }
        lines += _phase("agent_up", begin, facts)
        lines += _locked_down(world, run, current)
    return _until(world, current, lines)


def _locked_down(world: World, run: PodRun, current: Run) -> list[Line]:
    """What an agent says when it shuts an endpoint off: once for each."""
    found = []
    for pod in world.policies.census.pods(run.node):
        endpoint = world.network.endpoints[pod.namespace, pod.name]
        at = lockdown.since(current, endpoint.id)
        if at is not None:
            who = f"endpointID={endpoint.id} ipv4={endpoint.ip} k8sPodName={pod.namespace}/{pod.name}"
            found.append(
                _line(at, "warn", f"{_LOCKED_DOWN} module=agent.controlplane.endpoint-manager {who}")
            )
    return sorted(found, key=lambda line: line.at)


def termination_message(world: World, run: PodRun, container: Container, current: Run) -> str:
    """What the kubelet keeps of a failed run: the end of its log, where the container asks for that."""
    from playbooks.practice.behaviours import behaviour_of

    entries = [*(run.pod["spec"].get("initContainers") or ()), *run.pod["spec"]["containers"]]
    policy = next(entry for entry in entries if entry["name"] == container.name).get(
        "terminationMessagePolicy"
    )
    if policy != "FallbackToLogsOnError":
        return ""
    lines = behaviour_of(run, container.name).lines(world, run, container, current)[-80:]
    text = "".join(f"{line.text}\n" for line in lines)
    return text.encode()[-_LONGEST_MESSAGE:].decode(errors="ignore")


def _start(run: PodRun, current: Run) -> Iterator[Line]:
    for seconds, level, text in manifests.log_lines("agent_start"):
        at = current.started + timedelta(seconds=seconds)
        if text == "flags":
            for number, (key, value) in enumerate(sorted(run.config.items())):
                moment = at + timedelta(microseconds=4 * number)
                yield _line(moment, level, f"msg=\"  --{key}='{value}'\"")
        else:
            yield _line(at, level, text)


def _waiting(world: World, current: Run, found: datetime | None) -> Iterator[Line]:
    end = found or current.finished or world.now
    at = current.started + timedelta(seconds=_WAITING_EVERY)
    missing = " ".join(f"crd:{name}" for name in agents.missing_definitions(world))
    missing = missing or " ".join(f"crd:{kind.qualified}" for kind in world.profile.kinds)
    while at < end:
        yield from _phase("agent_waiting", at, {"missing": missing})
        at += timedelta(seconds=_WAITING_EVERY)


def _phase(phase: str, begin: datetime, facts: Mapping[str, object]) -> Iterator[Line]:
    for seconds, level, text in manifests.log_lines(phase):
        filled = text.format(**facts) if "{" in text else text
        yield _line(begin + timedelta(seconds=seconds), level, filled)


def _line(at: datetime, level: str, text: str) -> Line:
    nanoseconds = stable(f"{at.isoformat()}{text}", 0, 999)
    return Line(at, f"time={at.strftime('%Y-%m-%dT%H:%M:%S.%f')}{nanoseconds:03}Z level={level} {text}")


def _until(world: World, current: Run, lines: Iterator[Line] | list[Line]) -> list[Line]:
    end = current.finished or world.now
    return [line for line in lines if line.at <= end]


def _api_server(world: World) -> str:
    return next(iter(world.network.nodes.values())).node_ip
