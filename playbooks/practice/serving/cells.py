"""The columns in which a server prints objects for kubectl."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from playbooks.practice.commands.columns import age
from playbooks.practice.objects import Json, moment_of, name_of

Cell = str | int
"""One value in a row."""
Reader = Callable[[Json, datetime], Cell]
"""Takes a value from an object."""


def age_of(item: Json, now: datetime) -> Cell:
    """How old an object is."""
    return _since(item["metadata"]["creationTimestamp"], now)


def _since(text: str, now: datetime) -> str:
    return age((now - moment_of(text)).total_seconds())


def at(*path: str, absent: Cell = "") -> Reader:
    """A reader of the value at a path."""

    def read(item: Json, _now: datetime) -> Cell:
        value: object = item
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return absent if value is None else value if isinstance(value, int) else str(value)

    return read


def pod_ready(item: Json, _now: datetime) -> Cell:
    """Ready containers of all."""
    statuses = item.get("status", {}).get("containerStatuses") or ()
    return f"{sum(entry['ready'] for entry in statuses)}/{len(item['spec']['containers'])}"


def pod_status(item: Json, _now: datetime) -> Cell:
    """The one word that says how a pod is."""
    status = item.get("status", {})
    inits = status.get("initContainerStatuses") or ()
    for number, entry in enumerate(inits):
        state = entry["state"]
        if state.get("terminated", {}).get("exitCode") == 0:
            continue
        reason = state.get("waiting", {}).get("reason", "")
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{number}/{len(inits)}"
    word = str(status.get("phase", "Pending"))
    for entry in reversed(status.get("containerStatuses") or ()):
        state = entry["state"]
        if "waiting" in state:
            word = state["waiting"].get("reason", word)
        elif "terminated" in state:
            word = state["terminated"].get("reason", word)
    return word


def pod_restarts(item: Json, now: datetime) -> Cell:
    """How often it was restarted, and when last."""
    statuses = item.get("status", {}).get("containerStatuses") or ()
    count = sum(entry["restartCount"] for entry in statuses)
    ends = [
        entry["lastState"]["terminated"]["finishedAt"]
        for entry in statuses
        if "terminated" in entry["lastState"]
    ]
    return f"{count} ({_since(max(ends), now)} ago)" if count and ends else str(count)


def node_status(item: Json, _now: datetime) -> Cell:
    """Ready or not."""
    ready = [entry for entry in item["status"]["conditions"] if entry["type"] == "Ready"]
    word = "Ready" if ready and ready[0]["status"] == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if item["spec"].get("unschedulable") else word


def node_roles(item: Json, _now: datetime) -> Cell:
    """Roles by label."""
    prefix = "node-role.kubernetes.io/"
    roles = [
        key.removeprefix(prefix) for key in item["metadata"].get("labels") or () if key.startswith(prefix)
    ]
    return ",".join(sorted(roles)) or "<none>"


def node_address(item: Json, _now: datetime) -> Cell:
    """The address inside."""
    found = [entry["address"] for entry in item["status"]["addresses"] if entry["type"] == "InternalIP"]
    return str(found[0]) if found else "<none>"


def service_ports(item: Json, _now: datetime) -> Cell:
    """Ports with protocol and node port."""
    shown = []
    for port in item["spec"].get("ports") or ():
        outside = f":{port['nodePort']}" if "nodePort" in port else ""
        shown.append(f"{port['port']}{outside}/{port['protocol']}")
    return ",".join(shown) or "<none>"


def ready_of_wanted(item: Json, _now: datetime) -> Cell:
    """Ready replicas of those wanted."""
    return f"{item.get('status', {}).get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}"


def data_count(item: Json, _now: datetime) -> Cell:
    """How many keys there are."""
    return len(item.get("data") or ())


def selector(item: Json, _now: datetime) -> Cell:
    """A selector's labels."""
    chosen = item["spec"].get("selector") or {}
    labels = chosen.get("matchLabels", chosen)
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "<none>"


def pod_selector(item: Json, _now: datetime) -> Cell:
    """The labels that a network policy selects pods by."""
    labels = (item["spec"].get("podSelector") or {}).get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "<none>"


def node_selector(item: Json, _now: datetime) -> Cell:
    """Where a daemon runs."""
    labels = item["spec"]["template"]["spec"].get("nodeSelector") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "<none>"


def event_seen(item: Json, now: datetime) -> Cell:
    """When an event was last seen."""
    return _since(item.get("lastTimestamp") or item["eventTime"], now)


def event_object(item: Json, _now: datetime) -> Cell:
    """What an event is about."""
    about = item["involvedObject"]
    return f"{about['kind'].lower()}/{about['name']}"


def slice_ports(item: Json, _now: datetime) -> Cell:
    """Ports of a slice."""
    return ",".join(str(port["port"]) for port in item.get("ports") or ()) or "<unset>"


def slice_endpoints(item: Json, _now: datetime) -> Cell:
    """Addresses of a slice, the first three."""
    addresses = [entry["addresses"][0] for entry in item.get("endpoints") or ()]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    return ",".join(addresses[:3]) + more or "<unset>"


def endpoint_addresses(item: Json, _now: datetime) -> Cell:
    """Addresses with ports of an Endpoints object."""
    pairs = [
        f"{address['ip']}:{port['port']}"
        for subset in item.get("subsets") or ()
        for address in subset.get("addresses") or ()
        for port in subset.get("ports") or ()
    ]
    more = f" + {len(pairs) - 3} more..." if len(pairs) > 3 else ""
    return ",".join(pairs[:3]) + more or "<none>"


def cilium_address(type: str) -> Reader:
    """A reader of one of a CiliumNode's addresses."""

    def read(item: Json, _now: datetime) -> Cell:
        found = [entry["ip"] for entry in item["spec"].get("addresses") or () if entry["type"] == type]
        return str(found[0]) if found else ""

    return read


def endpoint_address(family: str) -> Reader:
    """A reader of a CiliumEndpoint's address."""

    def read(item: Json, _now: datetime) -> Cell:
        addressing = item.get("status", {}).get("networking", {}).get("addressing") or [{}]
        return str(addressing[0].get(family, ""))

    return read


def is_valid(item: Json, _now: datetime) -> Cell:
    """Whether a policy was accepted."""
    conditions = item.get("status", {}).get("conditions") or ()
    return next((str(entry["status"]) for entry in conditions if entry["type"] == "Valid"), "")


def name(item: Json, _now: datetime) -> Cell:
    """The object's name."""
    return name_of(item)
