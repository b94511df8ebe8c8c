"""The status of a pod, derived from how its containers run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from playbooks.practice.catalog import PODS
from playbooks.practice.objects import Json, stamp
from playbooks.practice.runs import Container, PodRun, Run

if TYPE_CHECKING:
    from playbooks.practice.world import World


def image_of(pod: Json, container: str) -> str:
    """The image of a container."""
    return str(_spec_of(pod, container)["image"])


def report(world: World, run: PodRun) -> None:
    """Write the pod's status as its kubelet sees it now."""
    pod = world.store.get(PODS, run.namespace, run.name)
    if pod is None or pod["metadata"]["uid"] != run.uid:
        return
    world.put_status(PODS, pod, _status(world, run, pod), "kubelet")


def _status(world: World, run: PodRun, pod: Json) -> Json:
    inits = [container for container in run.containers.values() if container.is_init]
    mains = [container for container in run.containers.values() if not container.is_init]
    is_begun = any(container.run is not None for container in mains)
    before = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    unready = [container.name for container in mains if not container.is_ready]
    uninitialized = [container.name for container in inits if not _is_done(container)]
    not_ready = (
        ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]") if unready else None
    )
    not_done = (
        ("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(uninitialized)}]")
        if uninitialized
        else None
    )
    conditions = [
        _condition(world, before, "PodReadyToStartContainers", run.sandboxed is not None, None),
        _condition(world, before, "Initialized", not uninitialized, not_done),
        _condition(world, before, "Ready", not unready, not_ready),
        _condition(world, before, "ContainersReady", not unready, not_ready),
        _condition(world, before, "PodScheduled", True, None),
    ]
    host = world.network.hosts[run.node]
    status: Json = {
        "conditions": conditions,
        "containerStatuses": [_container(run, container) for container in mains],
        "hostIP": host.first,
        "hostIPs": [{"ip": ip} for ip in host.every],
        "observedGeneration": 1,
        "phase": "Running" if is_begun else "Pending",
        "qosClass": _quality(pod),
        "startTime": stamp(run.started or world.now),
    }
    if inits:
        status["initContainerStatuses"] = [_container(run, container) for container in inits]
    if run.ip:
        status |= {"podIP": run.ip, "podIPs": [{"ip": ip} for ip in run.ips]}
    return status


def _condition(
    world: World, before: dict[str, Json], type: str, is_true: bool, why: tuple[str, str] | None
) -> Json:
    status = "True" if is_true else "False"
    old = before.get(type)
    moved = old is None or old["status"] != status
    condition: Json = {
        "lastProbeTime": None,
        "lastTransitionTime": stamp(world.now) if old is None or moved else old["lastTransitionTime"],
        "observedGeneration": 1,
        "status": status,
        "type": type,
    }
    if why is not None:
        condition |= {"reason": why[0], "message": why[1]}
    return condition


def _is_done(container: Container) -> bool:
    return container.run is not None and container.run.finished is not None and container.run.exit_code == 0


def _container(run: PodRun, container: Container) -> Json:
    spec = _spec_of(run.pod, container.name)
    image = str(spec["image"])
    status: Json = {
        "image": image,
        "imageID": "" if container.run is None else f"sha256:{hashlib.sha256(image.encode()).hexdigest()}",
        "lastState": {},
        "name": container.name,
        "ready": container.is_ready,
        "resources": spec.get("resources") or {},
        "restartCount": container.restarts,
        "started": container.is_started,
        "state": {},
        "volumeMounts": [
            {**mount, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else _bare(mount)
            for mount in spec.get("volumeMounts") or ()
        ],
    }
    if container.run is None:
        reason = "PodInitializing" if run.sandboxed and len(run.containers) > 1 else "ContainerCreating"
        status["state"] = {"waiting": {"reason": reason}}
        return status
    status["containerID"] = f"containerd://{container.run.container_id}"
    if container.is_running:
        status["state"] = {"running": {"startedAt": stamp(container.run.started)}}
        if container.previous is not None:
            status["lastState"] = {"terminated": _terminated(container.previous)}
    elif container.waits_until is not None:
        back_off = int(
            (container.waits_until - (container.run.finished or container.waits_until)).total_seconds()
        )
        message = (
            f"back-off {_duration(back_off)} restarting failed container={container.name} "
            f"pod={run.name}_{run.namespace}({run.uid})"
        )
        status["state"] = {"waiting": {"message": message, "reason": "CrashLoopBackOff"}}
        status["lastState"] = {"terminated": _terminated(container.run)}
    else:
        status["state"] = {"terminated": _terminated(container.run)}
    return status


def _terminated(run: Run) -> Json:
    state: Json = {
        "containerID": f"containerd://{run.container_id}",
        "exitCode": run.exit_code,
        "finishedAt": stamp(run.finished or run.started),
        "reason": run.reason,
        "startedAt": stamp(run.started),
    }
    if run.message:
        state["message"] = run.message
    return state


def _bare(mount: Json) -> Json:
    return {key: value for key, value in mount.items() if key in ("mountPath", "name")}


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _quality(pod: Json) -> str:
    spec = pod["spec"]
    wanted = any(
        (entry.get("resources") or {}) for entry in [*spec.get("initContainers", ()), *spec["containers"]]
    )
    return "Burstable" if wanted else "BestEffort"


def _spec_of(pod: Json, container: str) -> Json:
    spec = pod["spec"]
    entries: list[Json] = [*(spec.get("initContainers") or ()), *spec["containers"]]
    return next(entry for entry in entries if entry["name"] == container)
