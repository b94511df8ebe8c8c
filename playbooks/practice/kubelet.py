"""The kubelets: they start containers, watch them and say what they see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from playbooks.practice import agents, podstatus
from playbooks.practice.behaviours import behaviour_of
from playbooks.practice.catalog import CONFIG_MAPS, PODS, SECRETS
from playbooks.practice.events import Reporter, emit
from playbooks.practice.logs import termination_message
from playbooks.practice.objects import Json, uid_of
from playbooks.practice.runs import Container, PodRun, Run

if TYPE_CHECKING:
    from playbooks.practice.world import World

LONGEST_BACK_OFF = 300
"""Seconds at which the back-off stops growing."""
_SANDBOX_RETRY = 15.0
_NAGGING = 12
_MOUNT_RETRY, LONGEST_MOUNT_RETRY = 0.5, 122.0


def reconcile(world: World) -> None:
    """Take up new pods, let go of deleted ones, notice what answers probes."""
    present = {uid_of(pod): pod for pod in world.store.all(PODS)}
    for uid in [uid for uid in world.runs if uid not in present]:
        _let_go(world, world.runs.pop(uid))
    for uid, pod in present.items():
        run = world.runs.get(uid)
        if run is None and pod["spec"].get("nodeName"):
            _take_up(world, pod)
        elif run is not None and run.pod["metadata"].get("labels") != pod["metadata"].get("labels"):
            run.pod = pod
    for run in tuple(world.runs.values()):
        for container in run.containers.values():
            if not container.is_init and container.is_running:
                _notice(world, run, container)


def nag(world: World) -> None:
    """Repeat complaints that are still true, as kubelets do all the time."""
    for run in world.runs.values():
        for container in run.containers.values():
            if container.is_init or container.first_nag is None:
                continue
            count = 1 + int((world.now - container.first_nag).total_seconds()) // _NAGGING
            if container.waits_until is not None:
                _complain(world, run, container, count)
            elif container.is_running and not container.serves:
                _complain_of_probe(world, run, container, count)


def kubelet(node: str) -> Reporter:
    """The kubelet of a node, as it signs events."""
    return Reporter("kubelet", node)


def _take_up(world: World, pod: Json) -> None:
    spec = pod["spec"]
    run = PodRun(pod, spec["nodeName"], started=world.now)
    for entry in spec.get("initContainers") or ():
        run.containers[entry["name"]] = Container(entry["name"], is_init=True)
    for entry in spec["containers"]:
        run.containers[entry["name"]] = Container(entry["name"], is_init=False)
    world.runs[run.uid] = run
    if agents.is_agent(pod):
        world.agents[run.node] = run
    podstatus.report(world, run)
    world.after(1.0, lambda: _sandbox(world, run))


def _let_go(world: World, run: PodRun) -> None:
    for container in run.containers.values():
        if container.is_running and not container.is_init:
            message = f"Stopping container {container.name}"
            emit(world, run.pod, "Killing", message, kubelet(run.node), container=container.name, count=1)
    if run.node in world.network.nodes:
        world.network.detach(run.node, run.namespace, run.name)
    if world.agents.get(run.node) is run:
        del world.agents[run.node]
        # What hung was the process; the next one does not.
        world.silent_nodes.discard(run.node)
        world.network.give_back(run.node)


def _lives(world: World, run: PodRun) -> bool:
    return world.runs.get(run.uid) is run


def _sandbox(world: World, run: PodRun) -> None:
    if not _lives(world, run):
        return
    if (absent := missing_volume(world, run.pod)) is not None:
        volume, what = absent
        message = f'MountVolume.SetUp failed for volume "{volume}" : {what} not found'
        emit(world, run.pod, "FailedMount", message, kubelet(run.node), is_warning=True)
        podstatus.report(world, run)
        run.waits_to_mount = min(2 * run.waits_to_mount or _MOUNT_RETRY, LONGEST_MOUNT_RETRY)
        world.after(run.waits_to_mount, lambda: _sandbox(world, run))
        return
    if run.pod["spec"].get("hostNetwork"):
        run.ips = world.network.hosts[run.node].every
    elif run.node not in world.network.nodes or run.node in world.tampered.foreign:
        run.ips = world.network.outside(run.node, run.name).every
    elif not agents.is_up(world, run.node):
        _no_sandbox(world, run, agents.CNI_WITHOUT_AGENT)
        return
    elif world.tampered.is_stalled(world, run.node):
        _no_sandbox(world, run, agents.CNI_TIMED_OUT)
        return
    else:
        endpoint = world.network.attach(run.node, run.namespace, run.name, world.now)
        if endpoint is None:
            _no_sandbox(world, run, agents.CNI_RANGE_FULL)
            return
        run.ips = endpoint.addresses.every
    run.sandboxed = world.now
    _start_next(world, run)


def missing_volume(world: World, pod: Json) -> tuple[str, str] | None:
    """The first volume of a Secret or ConfigMap that is not there, and which that is."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for field, key, kind in (("secret", "secretName", SECRETS), ("configMap", "name", CONFIG_MAPS)):
            source = volume.get(field)
            if source and not source.get("optional") and not world.store.get(kind, namespace, source[key]):
                return volume["name"], f'{field.lower()} "{source[key]}"'
    return None


def _no_sandbox(world: World, run: PodRun, why: str) -> None:
    message = (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
        f'"{run.uid}": {why}'
    )
    emit(world, run.pod, "FailedCreatePodSandBox", message, kubelet(run.node), is_warning=True)
    podstatus.report(world, run)
    world.after(_SANDBOX_RETRY, lambda: _sandbox(world, run))


def _start_next(world: World, run: PodRun) -> None:
    for container in run.containers.values():
        if container.is_init and (container.run is None or container.run.exit_code):
            _start(world, run, container)
            return
    for container in run.containers.values():
        if not container.is_init and container.run is None:
            _start(world, run, container)
    podstatus.report(world, run)


def _start(world: World, run: PodRun, container: Container) -> None:
    container.previous, container.run = container.run, Run(world.names.digest(), world.now)
    container.waits_until = None
    container.serves = container.is_up = container.is_ready = container.is_started = False
    container.since = world.now
    if container.previous is not None and not container.is_init:
        container.restarts += 1
    if container.is_init and container.name == "config":
        config = world.store.get(CONFIG_MAPS, run.namespace, "cilium-config")
        run.config = dict((config or {}).get("data") or {})
    for reason, message in (
        (
            "Pulled",
            f'Container image "{podstatus.image_of(run.pod, container.name)}" already present on machine',
        ),
        ("Created", f"Created container: {container.name}"),
        ("Started", f"Started container {container.name}"),
    ):
        emit(world, run.pod, reason, message, kubelet(run.node), container=container.name)
    behaviour = behaviour_of(run, container.name)
    current = container.run
    ends = behaviour.exit(world, run)
    if container.is_init:
        world.after(1.0, lambda: _finish(world, run, container, current, 0))
    elif ends is not None:
        world.after(ends.seconds, lambda: _finish(world, run, container, current, ends.code))
    elif behaviour.probe is not None and behaviour.probe.startup:
        world.after(behaviour.probe.startup, lambda: _judge(world, run, container, current))
    podstatus.report(world, run)


def _notice(world: World, run: PodRun, container: Container) -> None:
    behaviour = behaviour_of(run, container.name)
    serves = behaviour.exit(world, run) is None and behaviour.serves(world, run)
    if serves == container.serves:
        return
    container.serves, container.since = serves, world.now
    current = container.run
    if serves:
        world.after(behaviour.boot, lambda: _judge(world, run, container, current))
        return
    container.is_up = False
    if behaviour.probe is not None:
        container.first_nag = container.first_nag or world.now
        for seconds in (behaviour.probe.unready_after, behaviour.probe.killed_after):
            if seconds:
                world.after(seconds, lambda: _judge(world, run, container, current))


def _judge(world: World, run: PodRun, container: Container, current: Run | None) -> None:
    """What the probes of a container come to at this moment."""
    if not _lives(world, run) or container.run is not current or not container.is_running:
        return
    behaviour = behaviour_of(run, container.name)
    waited = (world.now - (container.since or world.now)).total_seconds()
    if container.serves:
        if waited >= behaviour.boot and not container.is_ready:
            container.is_up = container.is_ready = container.is_started = True
            container.first_nag = None
            podstatus.report(world, run)
        return
    probe = behaviour.probe
    if probe is None or container.run is None:
        return
    if container.is_ready and waited >= probe.unready_after:
        container.is_ready = False
        podstatus.report(world, run)
    age = (world.now - container.run.started).total_seconds()
    if container.is_started and probe.killed_after and waited >= probe.killed_after:
        _kill(world, run, container, "liveness", probe.exit_code)
    elif not container.is_started and probe.startup and age >= probe.startup:
        container.first_nag = container.first_nag or container.run.started
        _kill(world, run, container, "startup", probe.exit_code)


def _kill(world: World, run: PodRun, container: Container, probe: str, exit_code: int) -> None:
    _complain_of_probe(world, run, container, 0)
    message = f"Container {container.name} failed {probe} probe, will be restarted"
    emit(world, run.pod, "Killing", message, kubelet(run.node), container=container.name)
    _finish(world, run, container, container.run, exit_code)


def _finish(world: World, run: PodRun, container: Container, current: Run | None, exit_code: int) -> None:
    if (
        not _lives(world, run)
        or current is None
        or container.run is not current
        or current.finished is not None
    ):
        return
    current.finished, current.exit_code = world.now, exit_code
    current.reason = "Error" if exit_code else "Completed"
    container.serves = container.is_up = container.is_ready = container.is_started = False
    container.since = world.now
    if container.is_init:
        container.is_ready = True
        _start_next(world, run)
        return
    if exit_code:
        current.message = termination_message(world, run, container, current)
    lasted = (world.now - current.started).total_seconds()
    container.back_off = 0 if lasted > 2 * LONGEST_BACK_OFF else container.back_off
    wait: float = container.back_off
    container.back_off = min(2 * container.back_off or 10, LONGEST_BACK_OFF)
    if wait:
        container.first_nag = container.first_nag or world.now
        container.waits_until = world.now + timedelta(seconds=wait)
        _complain(world, run, container, 0)
    podstatus.report(world, run)
    world.after(wait or 0.5, lambda: _restart(world, run, container, current))


def _restart(world: World, run: PodRun, container: Container, last: Run) -> None:
    if _lives(world, run) and container.run is last:
        _start(world, run, container)


def _complain(world: World, run: PodRun, container: Container, count: int) -> None:
    message = (
        f"Back-off restarting failed container {container.name} in pod {run.name}_{run.namespace}({run.uid})"
    )
    emit(
        world,
        run.pod,
        "BackOff",
        message,
        kubelet(run.node),
        is_warning=True,
        container=container.name,
        count=count,
    )


def _complain_of_probe(world: World, run: PodRun, container: Container, count: int) -> None:
    probe = behaviour_of(run, container.name).probe
    if probe is None:
        return
    kinds = ("Liveness", "Readiness") if container.is_started else ("Startup",)
    for kind in kinds:
        message = f"{kind} probe failed: {probe.failure}"
        emit(
            world, run.pod, "Unhealthy", message, kubelet(run.node),
            is_warning=True, container=container.name, count=count,
        )  # fmt: skip
