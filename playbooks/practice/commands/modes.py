"""Parts of the agent's status that follow from how the cluster is set up."""

from __future__ import annotations

from playbooks.practice.commands.columns import duration
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json
from playbooks.practice.traffic.counting import seen_flows

MAX_FLOWS = 4095
"""Flows that Hubble keeps."""
_CNI_FILE = "successfully wrote CNI configuration file to /host/etc/cni/net.d/05-cilium.conflist"
_TITLES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def kvstore(view: AgentView) -> Json:
    """The key-value store, where there is one."""
    if view.config.get("identity-allocation-mode", "crd") == "crd":
        return {"state": "Disabled"}
    leases = sum(1 for entry in view.endpoints if entry.pod)
    return {
        "msg": f"etcd: 1/1 connected, leases={min(leases, 1)}, lock leases=1, has-quorum=true: "
        "https://etcd.practice.local:2379 - 3.6.4 (Leader)",
        "state": "Ok",
    }


def cni_file(view: AgentView) -> Json:
    """The CNI configuration, where the agent writes it."""
    if view.config.get("write-cni-conf-when-ready"):
        return {"msg": _CNI_FILE, "state": "Ok"}
    return {"state": "Disabled"}


def hubble(view: AgentView) -> Json:
    """Hubble's server in the agent."""
    if not view.is_on("enable-hubble"):
        return {"state": "Disabled"}
    seen = seen_flows(view.world, view.node, view.started)
    observer = {
        "current-flows": min(seen, MAX_FLOWS),
        "max-flows": MAX_FLOWS,
        "seen-flows": seen,
        "uptime": duration(view.uptime),
    }
    return {"observer": observer, "state": "Ok"}


def hubble_metrics(view: AgentView) -> Json:
    """Hubble's metrics."""
    return {
        "state": "Ok" if view.is_on("enable-hubble") and view.config.get("hubble-metrics") else "Disabled"
    }


def ipam(view: AgentView) -> Json:
    """The addresses that the agent handed out."""
    owners: dict[str, dict[str, str]] = {"ipv4": {}, "ipv6": {}}
    for addresses, owner in _owners(view):
        for family, ip in addresses.items():
            owners[family][ip] = owner
    every = {ip: owner for family in owners.values() for ip, owner in family.items()}
    return {
        "allocations": dict(sorted(every.items())),
        "ipv4": list(owners["ipv4"]) or None,
        "ipv6": list(owners["ipv6"]) or None,
        "status": "".join(f"{_TITLES[family]}: {said}, " for family, said in _told(view, owners).items()),
    }


def _owners(view: AgentView) -> list[tuple[dict[str, str], str]]:
    mode, network = view.config.get("ipam", "cluster-pool"), view.network
    if mode == "delegated-plugin":
        return []
    found = [(network.routers.keyed(), "router")]
    if network.health is not None:
        found.append((network.health.addresses.keyed(), "health"))
    if network.ingress.every:
        found.append((network.ingress.keyed(), "ingress"))
    if view.config.get("cni-chaining-mode", "none") != "none":
        return found
    for entry in view.endpoints:
        if entry.pod and entry.endpoint:
            owner = entry.title + (" [restored]" if entry.is_restored else "")
            found.append((entry.endpoint.addresses.keyed(), owner))
    for ip, owner in view.world.network.leaked.get(view.node, {}).items():
        found.append(({"ipv6" if ":" in ip else "ipv4": ip}, owner))
    return found


def _told(view: AgentView, owners: dict[str, dict[str, str]]) -> dict[str, str]:
    ranges = view.network.ranges.keyed()
    if ranges:
        room = view.world.network.room
        return {
            family: f"{len(owners[family])}/{room} allocated from {range_}"
            for family, range_ in ranges.items()
        }
    if view.config.get("ipam") == "delegated-plugin":
        return {"ipv4": "delegated to plugin"}
    return {"ipv4": f"{len(owners['ipv4'])}/{len(view.world.network.pool(view.node))} allocated"}


def masquerading(view: AgentView) -> Json:
    """Who rewrites source addresses of traffic that leaves the cluster."""
    found: Json = {}
    for family, range_ in _excluded(view).items():
        if view.is_on(f"enable-{family}") and view.is_on(f"enable-{family}-masquerade"):
            found[family] = range_
    if not found:
        return {"enabled": False, "enabledProtocols": {}}
    answer: Json = {
        "enabled": True,
        "enabledProtocols": dict.fromkeys(found, True),
        "mode": "BPF" if view.is_on("enable-bpf-masquerade") else "iptables",
        "snat-exclusion-cidr": next(iter(found.values())),
    }
    return answer | {f"snat-exclusion-cidr-v{family[-1]}": range_ for family, range_ in found.items()}


def _excluded(view: AgentView) -> dict[str, str]:
    """Where no address is rewritten: the native range, else the node's."""
    own = view.network.ranges.keyed()
    keys = {family: f"{family}-native-routing-cidr" for family in _TITLES}
    ranges = {family: view.config.get(key) or own.get(family, "") for family, key in keys.items()}
    return {family: range_ for family, range_ in ranges.items() if range_}


def masquerading_row(answer: Json, devices: str) -> str:
    """Masquerading as text."""
    said = answer["masquerading"]
    if not said["enabled"]:
        return "Masquerading:\tDisabled"
    families = ", ".join(
        f"{title}: {'Enabled' if key in said['enabledProtocols'] else 'Disabled'}"
        for key, title in _TITLES.items()
    )
    if said["mode"] != "BPF":
        return f"Masquerading:\tIPTables [{families}]"
    ranges = " ".join(said[f"snat-exclusion-cidr-v{key[-1]}"] for key in said["enabledProtocols"])
    return f"Masquerading:\tBPF\t[{devices}]\t{ranges}  [{families}]"


def hubble_row(view: AgentView, answer: Json) -> str:
    """Hubble as text."""
    if answer["hubble"]["state"] == "Disabled":
        return "Hubble:\tDisabled\t"
    observer = answer["hubble"]["observer"]
    share = 100 * observer["current-flows"] / observer["max-flows"]
    flows = f"{observer['current-flows']}/{observer['max-flows']} ({share:.2f}%)"
    metrics, rate = answer["hubble-metrics"]["state"], observer["seen-flows"] / max(view.uptime, 1.0)
    return f"Hubble:\tOk\tCurrent/Max Flows: {flows}, Flows/s: {rate:.2f}\tMetrics: {metrics}"
