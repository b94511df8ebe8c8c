"""The agent's own metrics: those that follow from what the world holds and does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from playbooks.practice.catalog import NODES
from playbooks.practice.commands import addresses, filling, health
from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.realized import places, redirects
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json
from playbooks.practice.traffic.counting import FORWARDED, datapath, requests
from playbooks.practice.traffic.sight import Way

_Sample = tuple[str, dict[str, str], float]
_STATES = ("disconnecting", "ready", "regenerating", "restoring", "waiting-for-identity",
           "waiting-to-regenerate")  # fmt: skip
_ENFORCED = ("audit-both", "audit-egress", "audit-ingress", "both", "egress", "ingress", "none")
_FILLING = 0.1
_RULES = ("denied", "forwarded", "parse_errors", "received")
_PARTS = (("node", "host"), ("endpoint", "health-endpoint"))
_LOCAL_IDENTITIES = 1 << 24
_FIRST_OF_CLUSTER = 256


def documents(view: AgentView) -> list[Json]:
    """The answer of `metrics list -o json`: a zero is left out."""
    found = []
    for name, labels, value in _sorted(view):
        row: Json = {"labels": labels} if labels else {}
        row["name"] = f"cilium_{name}"
        if value:
            row["value"] = value
        found.append(row)
    return found


def text(view: AgentView) -> str:
    """The answer of `metrics list`."""
    lines = ["Metric\tLabels\tValue"]
    for name, labels, value in _sorted(view):
        said = " ".join(f"{key}={label}" for key, label in labels.items())
        lines.append(f"cilium_{name}\t{said}\t{value:.6f}")
    return laid_out("\n".join(lines)) + "\n"


def _sorted(view: AgentView) -> list[_Sample]:
    parts = (_of_datapath, _of_maps, _of_endpoints, _of_policies, _of_nodes, _of_agent)
    every = (sample for part in parts for sample in part(view))
    return sorted(every, key=lambda sample: (sample[0], tuple(sample[1].items())))


def _of_datapath(view: AgentView) -> Iterator[_Sample]:
    sums: dict[tuple[str, str, str], int] = {}
    for way in Way:
        for unit in ("bytes", "count"):
            sums[f"forward_{unit}_total", "", way] = 0
    for place, total in datapath(view.world, view.node).items():
        if not total.bytes:
            continue
        is_forwarded = place.reason == FORWARDED
        for unit, value in (("bytes", total.bytes), ("count", total.packets)):
            name = f"{'forward' if is_forwarded else 'drop'}_{unit}_total"
            key = (name, "" if is_forwarded else place.reason, str(place.direction))
            sums[key] = sums.get(key, 0) + value
    for (name, reason, direction), value in sums.items():
        yield name, {"direction": direction, **({"reason": reason} if reason else {})}, value
    seen = requests(view.world, view.node, view.started)
    for kind in ("envoy", "fqdn"):
        for rule in _RULES:
            yield "policy_l7_total", {"proxy_type": kind, "rule": rule}, seen.get((kind, rule), 0)


def _of_maps(view: AgentView) -> Iterator[_Sample]:
    every = filling.fills(view)
    for one in every:
        # Maps of policies are told of only when they are filling up.
        if one.entries and not one.name.startswith("policy_"):
            yield "bpf_map_pressure", {"map_name": one.name}, one.pressure
    fullest = max((one for one in every if one.name.startswith("policy_")), key=lambda one: one.pressure)
    if fullest.pressure >= _FILLING:
        name = f"cilium_{fullest.name.rpartition('_')[0]}_*"
        yield "bpf_map_pressure", {"map_name": name}, fullest.pressure
    interval, alive = 450, {one.name: one.entries for one in every}
    runs = int(view.uptime // interval) + 1
    yield "datapath_conntrack_gc_interval_seconds", {"global": "global"}, interval
    for digit, family in (("4", "ipv4"), ("6", "ipv6")):
        for protocol, name in (("TCP", f"ct{digit}_global"), ("non-TCP", f"ct_any{digit}_global")):
            if name in alive:
                labels = {"family": family, "protocol": protocol, "status": "alive"}
                yield "datapath_conntrack_gc_entries", labels, alive[name]
                yield "datapath_conntrack_gc_runs_total", {**labels, "status": "completed"}, runs


def _of_endpoints(view: AgentView) -> Iterator[_Sample]:
    count = len(view.endpoints)
    yield "endpoint", {}, count
    for part in ("BPF", "Other", "Policy"):
        yield "endpoint_component_status", {"status": "OK", "type": part}, count
    for state in _STATES:
        yield "endpoint_state", {"endpoint_state": state}, count if state == "ready" else 0
    numbers = [int(row["id"]) for row in addresses.identity_documents(view)]
    kinds = {
        "cluster_local": sum(_FIRST_OF_CLUSTER <= number < _LOCAL_IDENTITIES for number in numbers),
        "node_local": sum(number >= _LOCAL_IDENTITIES for number in numbers),
        "reserved": sum(number < _FIRST_OF_CLUSTER for number in numbers),
    }
    for kind, number in kinds.items():
        yield "identity", {"type": kind}, number
    every = [ip for entry in view.endpoints if entry.endpoint for ip in entry.endpoint.addresses.every]
    for family in ("ipv4", "ipv6"):
        yield "ip_addresses", {"family": family}, sum((":" in ip) == (family == "ipv6") for ip in every)


def _of_policies(view: AgentView) -> Iterator[_Sample]:
    every = places(view)
    enabled = Counter(
        ("audit-" if place.is_audited and word != "none" else "") + word
        for place in every
        for word in (place.held(view.world).policy.enabled,)
    )
    for word in _ENFORCED:
        yield "policy_endpoint_enforcement_status", {"enforcement": word}, enabled[word]
    yield "policy_max_revision", {}, view.revision
    for kind, count in Counter(kind for *_, kind in redirects(view)).items():
        yield "proxy_redirects", {"protocol_l7": kind}, count


def _of_nodes(view: AgentView) -> Iterator[_Sample]:
    probed = health.document(view)["nodes"] or []
    for kind, part in _PARTS:
        there = [node for node in probed if part in node]
        good = sum(_answers(node[part]["primary-address"]) for node in there)
        counts = {"reachable": good, "unknown": 0, "unreachable": len(there) - good}
        for status, count in counts.items():
            yield "node_health_connectivity_status", {"status": status, "type": kind}, count
    yield "unreachable_nodes", {}, sum(not health.is_reachable(node) for node in probed)
    yield "nodes_all_num", {}, view.world.store.count(NODES)


def _of_agent(view: AgentView) -> Iterator[_Sample]:
    revision = {"arch": "linux/amd64", "revision": "0000000000", "version": view.version}
    yield "version", revision, 0
    yield "controllers_failing", {}, 0
    yield "process_start_time_seconds", {}, round(view.started.timestamp(), 2)
    yield "process_max_fds", {}, 20_000
    yield "process_open_fds", {}, 100 + len(view.endpoints)


def _answers(probe: Json) -> bool:
    return not any(probe[protocol].get("status") for protocol in ("http", "icmp"))
