"""Pods of the recorded cluster that wait for their network, with what the plug-in says of it."""

from __future__ import annotations

from tests.agent.judged import Json
from tests.edited import Edit, added, each

POD = "redis-75c57dcdd-vgv8d"
NAMESPACE = "shop"
NODE = "lab-node-1"
_BEFORE = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
    '"6474881147268607": plugin type="cilium-cni" name="cilium" failed (add): '
)


def waits(item: Json) -> Json:
    """A pod as it is before it has a network."""
    if item["metadata"]["name"] == POD:
        item["status"] = {
            "phase": "Pending",
            "startTime": "2026-11-23T01:30:00Z",
            "conditions": [{"type": "PodReadyToStartContainers", "status": "False"}],
        }
    return item


def event(words: str, *, count: int = 9, last: str = "2026-11-23T01:39:30Z", before: str = _BEFORE) -> Json:
    """What the kubelet reports of it."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{POD}.1", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": POD},
        "type": "Warning",
        "reason": "FailedCreatePodSandBox",
        "message": before + words,
        "count": count,
        "firstTimestamp": "2026-11-23T01:30:05Z",
        "lastTimestamp": last,
    }


def refused(words: str, *, count: int = 9, last: str = "2026-11-23T01:39:30Z") -> tuple[Edit, ...]:
    """A pod that waits, refused so."""
    return each("pods", waits), added("events", event(words, count=count, last=last))
