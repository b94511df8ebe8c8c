"""Edits for services: answers that were not recorded, flows that were dropped, objects that are added."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from playbooks.model.answer import Answer, End, Gap
from playbooks.model.request import Request
from tests.agent.judged import Json
from tests.edited import Edit, Which, body, command, each

NOW = datetime(2026, 11, 23, 1, 41, 1, tzinfo=UTC)
"""When the healthy cluster was looked at."""
NODE = "lab-node-1"
DROPS = command("hubble", "observe", "--verdict", "DROPPED")
RESETS = command("hubble", "observe", "--tcp-flags", "RST")


def stamp(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


def instead(which: Which, text: str) -> Edit:
    """Answer so, also where nothing was recorded."""

    def edit(request: Request, look: int, told: Answer | Gap) -> Answer | Gap:
        if not which(request):
            return told
        end = End(request.command(), f"{request.node or 'API server'} (edited)", NOW, 0.1)
        return Answer(request, text.encode(), end)

    return edit


def flow(reason: int, source: str, destination: str, port: int, **more: object) -> Json:
    """A drop as Hubble tells it."""
    protocol = str(more.get("protocol", "TCP"))
    party: Json = {"identity": 2, "labels": ["reserved:world"]}
    if "pod" in more:
        namespace, _, name = str(more["pod"]).partition("/")
        party = {"ID": 1, "identity": 70000, "namespace": namespace, "pod_name": name}
    return {
        "flow": {
            "time": more.get("time", stamp(20)),
            "verdict": "DROPPED",
            "drop_reason": reason,
            "IP": {"source": source, "destination": destination, "ipVersion": "IPv4"},
            "l4": {protocol: {"source_port": more.get("source_port", 40000), "destination_port": port}},
            "source": party,
            "destination": {"identity": 2},
            "event_type": {"type": 1, "sub_type": reason},
        }
    }


def seen(*flows: Json, which: Which = DROPS) -> Edit:
    """Put flows behind those that Hubble remembers."""
    lines = "".join(json.dumps(one) + "\n" for one in flows).encode()
    return body(which, lambda told: told + lines)


def service(name: str, **spec: object) -> Edit:
    """Change parts of a service's spec; `status` and `annotations` are set beside it."""
    status: Json = spec.pop("status", {})  # type: ignore[assignment]
    annotations: Json = spec.pop("annotations", {})  # type: ignore[assignment]

    def put(document: Json) -> Json:
        if document["metadata"]["name"] == name:
            document["status"] = status or document.get("status", {})
            document["metadata"].setdefault("annotations", {}).update(annotations)
            document["spec"].update(spec)
        return document

    return each("services", put)


def listing(kind: str, *items: Json) -> str:
    return json.dumps({"kind": f"{kind}List", "apiVersion": "v1", "items": list(items)}) + "\n"


def moved(name: str, node: str) -> Edit:
    """Let all backends of a service be on another node."""

    def put(document: Json) -> Json:
        if document["metadata"]["labels"].get("kubernetes.io/service-name") == name:
            for endpoint in document["endpoints"] or ():
                endpoint["nodeName"] = node
        return document

    return each("endpointslices", put)


def unready(name: str, seconds: float) -> tuple[Edit, Edit]:
    """Let all pods of an app, and the backends that they are, be unready for so long."""

    def pods(document: Json) -> Json:
        if document["metadata"].get("labels", {}).get("app") == name:
            for condition in document["status"]["conditions"]:
                if condition["type"] in ("Ready", "ContainersReady"):
                    condition |= {"status": "False", "lastTransitionTime": stamp(seconds)}
                    condition["reason"] = "ContainersNotReady"
        return document

    def slices(document: Json) -> Json:
        if document["metadata"]["labels"].get("kubernetes.io/service-name") == name:
            for endpoint in document["endpoints"] or ():
                endpoint["conditions"] = {"ready": False, "serving": False, "terminating": False}
        return document

    return each("pods", pods), each("endpointslices", slices)
