"""Policies, flows and settings that are put into a recorded cluster."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

from playbooks.model.dns.proxy import DnsProxy
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from tests.edited import Edit, added, body, command, each
from tests.model.bpf.reading import known

Json = dict[str, Any]

DROPS = command("hubble", "observe", "--verdict", "DROPPED")
OUTSIDE: Json = {"identity": 2, "labels": ["reserved:world"]}
API_SERVER: Json = {"identity": 7, "labels": ["reserved:kube-apiserver", "reserved:remote-node"]}
REMOTE_NODE: Json = {"identity": 6, "labels": ["reserved:remote-node"]}
INGRESS: Json = {"identity": 8, "labels": ["reserved:ingress"]}
DENIED, DENYLIST = 133, 181


@cache
def known_proxy_port() -> int:
    """Where the recorded agent's DNS proxy listens."""
    (port,) = asyncio.run(known("healthy", DnsProxy)).ports
    return port


@cache
def pods() -> LabelledPods:
    return asyncio.run(known("healthy", LabelledPods))


def pod(app: str) -> LabelledPod:
    """A pod of the recorded cluster by its label `app` or `k8s-app`."""
    keys = ("app", "k8s-app")
    return next(one for one in pods().items if app in [one.labels.by_key.get(key) for key in keys])


def party(end: str | Json) -> Json:
    """An end of a flow: a pod by its app, or what is given."""
    if not isinstance(end, str):
        return end
    one = pod(end)
    meta = one.pod.metadata
    labels = list(one.labels.written)
    return {"identity": 4711, "namespace": meta.namespace, "labels": labels, "pod_name": meta.name}


def address(end: str | Json) -> str:
    """The address of an end."""
    return pod(end).pod.status.pod_ip if isinstance(end, str) else end.get("address", "198.51.100.77")


def refused(
    source: str | Json,
    destination: str | Json,
    port: int,
    direction: str = "INGRESS",
    *,
    reason: int = DENIED,
    protocol: str = "TCP",
) -> Edit:
    """Put a refused flow behind those that Hubble keeps."""
    flow: dict[str, Any] = {
        "time": "2026-11-23T01:40:00Z",
        "verdict": "DROPPED",
        "drop_reason": reason,
        "traffic_direction": direction,
        "source": party(source),
        "destination": party(destination),
        "IP": {"source": address(source), "destination": address(destination)},
        "l4": {protocol: {"source_port": 40000, "destination_port": port}},
    }
    line = json.dumps({"flow": flow}).encode() + b"\n"
    return body(DROPS, lambda bytes_: bytes_ + line)


def cnp(name: str, spec: Json, namespace: str = "shop", **more: Json) -> Edit:
    """Put a CiliumNetworkPolicy into the cluster."""
    meta = {"name": name, "namespace": namespace}
    return added(
        "ciliumnetworkpolicies",
        {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": meta, "spec": spec, **more},
    )


def ccnp(name: str, spec: Json) -> Edit:
    """Put a CiliumClusterwideNetworkPolicy into the cluster."""
    kind = "CiliumClusterwideNetworkPolicy"
    return added(
        "ciliumclusterwidenetworkpolicies",
        {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": {"name": name}, "spec": spec},
    )


def of_app(app: str) -> Json:
    """A selector of pods."""
    return {"matchLabels": {"app": app}}


def ports(port: int | str, protocol: str = "TCP", **more: Json) -> list[Json]:
    """The ports of a rule."""
    return [{"ports": [{"port": str(port), "protocol": protocol}], **more}]


def without(name: str, plural: str = "ciliumnetworkpolicies") -> Edit:
    """Take a policy away."""
    return each(plural, lambda one: None if one["metadata"]["name"] == name else one)
