"""What the template of a workload itself gets wrong, so that every pod made of it fails alike."""

from __future__ import annotations

import re

from playbooks.model.finding import Ref
from playbooks.model.kube.pods import Container, Pod

_NOT_STARTED = re.compile(
    r'exec: \\?"([^"\\]+)\\?": (?:stat \S+: )?'
    r"(?:executable file not found|no such file or directory|permission denied|is a directory)",
    re.IGNORECASE,
)
_FLAG = re.compile(r"unknown (?:shorthand )?flag: '?-{0,2}([\w-]+)", re.IGNORECASE)
_API_HOST = "KUBERNETES_SERVICE_HOST"


def blamed(pod: Pod, workload: Ref | None, *, is_template: bool) -> tuple[Ref, ...]:
    """The subjects of a fault of a pod: first the workload where what the template says is the fault."""
    is_its = workload is not None and _made_by(pod, workload)
    return (workload, pod.ref) if is_template and is_its and workload else (pod.ref,)


def wrong_command(pod: Pod, container: str, said: str) -> str:
    """What is wrong with how a container is started, in words, where the runtime or the program says so."""
    spec = _container(pod, container)
    if spec is None:
        return ""
    words = (*(spec.command or ()), *(spec.args or ()))
    if (found := _NOT_STARTED.search(said)) and found[1] in (spec.command or ()):
        return f"command {found[1]} does not exist in its image"
    if (found := _FLAG.search(said)) and any(word.split("=")[0].lstrip("-") == found[1] for word in words):
        return f"argument {found[1]} is not known to it"
    return ""


def memory_limit(pod: Pod, container: str) -> str:
    """How much memory a container may use; empty when nothing says so."""
    spec = _container(pod, container)
    limits = spec.resources.limits if spec and spec.resources else None
    return (limits or {}).get("memory", "")


def is_told_api_server(pod: Pod) -> bool:
    """Whether the pod's containers are told where the API server is; values of variables are never kept."""
    every = (*(pod.spec.init_containers or ()), *(pod.spec.containers or ()))
    return any(one.name == _API_HOST for spec in every for one in spec.env or ())


def deaf_port(pod: Pod, container: str, probe: str) -> int:
    """The port that a probe asks, where no container declares it; 0 when it is declared or unknown."""
    spec = _container(pod, container)
    probes = (
        {
            "liveness": spec.liveness_probe,
            "readiness": spec.readiness_probe,
            "startup": spec.startup_probe,
        }
        if spec
        else {}
    )
    asked = probes.get(probe)
    port = asked.http_get.port if asked and asked.http_get else None
    declared = {one.container_port for one in (spec.ports if spec else None) or ()}
    return port if isinstance(port, int) and declared and port not in declared else 0


def _made_by(pod: Pod, workload: Ref) -> bool:
    owner = pod.metadata.controller
    if owner is None or pod.metadata.namespace != workload.namespace:
        return False
    if owner.kind == "ReplicaSet" and workload.kind == "Deployment":
        return owner.name.rpartition("-")[0] == workload.name
    return (owner.kind, owner.name) == (workload.kind, workload.name)


def _container(pod: Pod, name: str) -> Container | None:
    every = (*(pod.spec.init_containers or ()), *(pod.spec.containers or ()))
    return next((one for one in every if one.name == name), None)
