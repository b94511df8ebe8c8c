"""`status`: the agent on itself, as an object and as text."""

from __future__ import annotations

from playbooks.practice.commands import health, mesh, modes, modules
from playbooks.practice.commands.columns import BREAK, laid_out
from playbooks.practice.commands.control import controllers
from playbooks.practice.commands.realized import redirect_documents
from playbooks.practice.commands.view import AgentView
from playbooks.practice.network import identity_range
from playbooks.practice.objects import Json
from playbooks.practice.policies import lockdown

KUBERNETES = "1.34 (v1.34.4) [linux/amd64]"
"""The API server's version, as the agent says it."""
_API_VERSIONS = (
    "core/v1::Pods",
    "cilium/v2::CiliumEndpoint",
    "cilium/v2::CiliumNode",
    "networking.k8s.io/v1::NetworkPolicy",
    "cilium/v2::CiliumNetworkPolicy",
    "cilium/v2::CiliumClusterwideNetworkPolicy",
    "cilium/v2::CiliumCIDRGroup",
)
_POLICIES = "Endpoint policy"
_MAPS = (
    ("Auth", 524288),
    ("Non-TCP connection tracking", 110861),
    ("TCP connection tracking", 221723),
    ("Endpoints", 65535),
    ("IP cache", 512000),
    ("IPv4 masquerading agent", 16384),
    ("IPv6 masquerading agent", 16384),
    ("IPv4 fragmentation", 8192),
    ("IPv4 service", 65536),
    ("IPv6 service", 65536),
    ("IPv4 service backend", 65536),
    ("IPv6 service backend", 65536),
    ("IPv4 service reverse NAT", 65536),
    ("IPv6 service reverse NAT", 65536),
    ("Metrics", 1024),
    ("Ratelimit metrics", 64),
    ("NAT", 221723),
    ("Neighbor table", 221723),
    (_POLICIES, 16384),
    ("Policy stats", 65536),
    ("Session affinity", 65536),
    ("Sock reverse NAT", 110861),
)
_ANNOTATIONS = ("node", "node-selector", "proxy-delegation", "src-ranges-policy", "type")
_SINCE = {"configured-datapath-mode": (1, 20)}
"""Parts that older versions do not tell."""


def document(view: AgentView) -> Json:
    """The answer of `status -o json`."""
    devices = view.config.get("devices", "eth0").split()
    redirects = redirect_documents(view)
    answer: Json = {
        "attach-mode": "tcx",
        "auth-certificate-provider": {"state": "Disabled"},
        "bandwidth-manager": {"devices": None},
        "bpf-maps": {
            "dynamic-size-ratio": 0.0025,
            "maps": [
                {"name": name, "size": lockdown.room(view.config) if name == _POLICIES else size}
                for name, size in _MAPS
            ],
        },
        "cilium": {"msg": f"{view.version} (v{view.version}-0000000000)", "state": "Ok"},
        "clock-source": {"mode": "ktime"},
        "cluster": {"ciliumHealth": {"state": "Ok"}, "nodes": None, "self": view.name},
        "cluster-mesh": mesh.document(view),
        "cni-chaining": {"mode": view.config.get("cni-chaining-mode", "none")},
        "cni-file": modes.cni_file(view),
        "configured-datapath-mode": view.config.get("datapath-mode", "veth"),
        "controllers": [controller.document(view.boot) for controller in controllers(view)],
        "datapath-mode": view.config.get("datapath-mode", "veth"),
        "encryption": {"mode": "Disabled"},
        "host-firewall": {"devices": devices, "mode": "Disabled"},
        "hubble": modes.hubble(view),
        "hubble-metrics": modes.hubble_metrics(view),
        "identity-range": _identity_range(view),
        "ipam": modes.ipam(view),
        "ipv4-big-tcp": {"maxGRO": 65536, "maxGSO": 65536},
        "ipv6-big-tcp": {"maxGRO": 65536, "maxGSO": 65536},
        "kube-proxy-replacement": _kube_proxy_replacement(view, devices),
        "kubernetes": {"k8s-api-versions": _api_versions(view), "msg": KUBERNETES, "state": "Ok"},
        "kvstore": modes.kvstore(view),
        "masquerading": modes.masquerading(view),
        "nodeMonitor": {"cpus": 4, "npages": 64, "pagesize": 4096},
        "proxy": {
            "envoy-deployment-mode": "external" if view.is_on("external-envoy-proxy") else "embedded",
            "ip": view.network.router,
            "port-range": "10000-20000",
            "redirects": redirects,
            "total-ports": max(len({one["proxy-port"] for one in redirects}), 1),
            "total-redirects": len(redirects),
        },
        "routing": _routing(view),
        "srv6": {"srv6EncapMode": "reduced"},
    }
    minor = view.world.profile.minor
    return {key: part for key, part in answer.items() if _SINCE.get(key, minor) <= minor}


def _identity_range(view: AgentView) -> Json:
    first, last = identity_range(view.world.cluster_id)
    return {"max-identity": last, "min-identity": first}


def _api_versions(view: AgentView) -> list[str]:
    known = {kind.kind for kind in view.world.profile.kinds}
    return [
        name for name in _API_VERSIONS if not name.startswith("cilium/") or name.rpartition("::")[2] in known
    ]


def _routing(view: AgentView) -> Json:
    is_tunnel = view.config.get("routing-mode", "tunnel") == "tunnel"
    routing: Json = {
        "inter-host-routing-mode": "Tunnel" if is_tunnel else "Native",
        "intra-host-routing-mode": "BPF",
    }
    if is_tunnel:
        routing["tunnel-protocol"] = view.config.get("tunnel-protocol", "vxlan")
    return routing


def text(view: AgentView, *, is_verbose: bool, with_clusters: bool = False) -> str:
    """The answer of `status`."""
    answer = document(view)
    found = modules.reports(view)
    lines = [
        *_head(answer),
        *_addresses(answer, is_verbose),
        *_middle(answer, mesh.lines(view, is_verbose=is_verbose or with_clusters), is_verbose),
    ]
    every = controllers(view)
    healthy = sum(not one.failures for one in every)
    lines.append(f"Controller Status:\t{healthy}/{len(every)} healthy")
    if is_verbose:
        lines += [BREAK, "  Name\tLast success\tLast error\tCount\tMessage"]
        lines += [*(controller.row(view.now) for controller in every), BREAK]
    lines += [
        f"Proxy Status:\tOK, ip {answer['proxy']['ip']}, {answer['proxy']['total-redirects']} redirects "
        f"active on ports {answer['proxy']['port-range']}, Envoy: {answer['proxy']['envoy-deployment-mode']}",
        *(_redirects(answer) if is_verbose else ()),
        "Global Identity Range:\tmin {min-identity}, max {max-identity}".format(**answer["identity-range"]),
        modes.hubble_row(view, answer),
    ]
    if is_verbose:
        lines += [*_details(answer), BREAK]
    probes = health.document(view)
    lines += [
        "Encryption:\tDisabled\t",
        health.header(probes),
        health.details(probes) if is_verbose else health.rows(probes, only_failing=True),
        modules.summary(found),
    ]
    if is_verbose:
        lines += [modules.tree(view, found), "  "]
    return laid_out("\n".join(lines) + "\n") + "\n"


def _redirects(answer: Json) -> list[str]:
    rows = [f"  {one['proxy']}\t{one['name']}\t{one['proxy-port']}" for one in answer["proxy"]["redirects"]]
    return [BREAK, "  Protocol\tRedirect\tProxy Port", *sorted(rows), BREAK] if rows else []


def _kube_proxy_replacement(view: AgentView, devices: list[str]) -> Json:
    return {
        "deviceList": [{"ip": ["", *view.network.addresses.every], "name": device} for device in devices],
        "devices": devices,
        "directRoutingDevice": devices[0],
        "features": {
            "annotations": [f"service.cilium.io/{name}" for name in _ANNOTATIONS],
            **({"bpfSocketLBHostnsOnly": True} if view.is_on("bpf-lb-sock-hostns-only") else {}),
            "externalIPs": {"enabled": True},
            "hostPort": {"enabled": True},
            "nat46X64": {},
            "nodePort": {
                "acceleration": "Disabled",
                "algorithm": "Random",
                "dsrMode": "IP Option/Extension",
                "enabled": True,
                "mode": "SNAT",
                "portMax": 32767,
                "portMin": 30000,
            },
            "sessionAffinity": {"enabled": True},
            "socketLB": {"enabled": True},
            "socketLBTracing": {"enabled": True},
        },
        "mode": "True",
    }


def _devices(answer: Json) -> str:
    replacement = answer["kube-proxy-replacement"]
    shown = []
    for device in replacement["deviceList"]:
        direct = " (Direct Routing)" if device["name"] == replacement["directRoutingDevice"] else ""
        shown.append(f"{device['name']} {' '.join(device['ip'])}{direct}")
    return ", ".join(shown)


def _head(answer: Json) -> list[str]:
    apis = ", ".join(f'"{name}"' for name in sorted(answer["kubernetes"]["k8s-api-versions"]))
    monitor = answer["nodeMonitor"]
    memory = f"{monitor['npages']}x{monitor['pagesize']} of shared memory"
    return [
        f"KVStore:\t{answer['kvstore']['state']}\t{answer['kvstore'].get('msg', '')}",
        f"Kubernetes:\tOk\t{answer['kubernetes']['msg']}",
        f"Kubernetes APIs:\t[{apis}]",
        f"KubeProxyReplacement:\tTrue\t[{_devices(answer)}]",
        "Host firewall:\tDisabled",
        "SRv6:\tDisabled",
        f"CNI Chaining:\t{answer['cni-chaining']['mode']}",
        f"CNI Config file:\t{answer['cni-file'].get('msg', 'CNI configuration management disabled')}",
        f"Cilium:\tOk\t{answer['cilium']['msg']}",
        f"NodeMonitor:\tListening for events on {monitor['cpus']} CPUs with {memory}",
        "Cilium health daemon:\tOk\t",
        f"IPAM:\t{answer['ipam']['status']}",
    ]


def _addresses(answer: Json, is_verbose: bool) -> list[str]:
    if not is_verbose:
        return []
    return [
        "Allocated addresses:",
        *(f"  {ip} ({owner})" for ip, owner in answer["ipam"]["allocations"].items()),
    ]


def _middle(answer: Json, clusters: list[str], is_verbose: bool) -> list[str]:
    routing = answer["routing"]
    tunnel = f"Tunnel [{routing['tunnel-protocol']}]" if "tunnel-protocol" in routing else "Native"
    devices = ", ".join(answer["kube-proxy-replacement"]["devices"])
    lines = [
        *clusters,
        "IPv4 BIG TCP:\tDisabled",
        "IPv6 BIG TCP:\tDisabled",
        "BandwidthManager:\tDisabled",
        f"Routing:\tNetwork: {tunnel}\tHost: BPF",
        "Attach Mode:\tTCX",
        f"Device Mode:\t{answer['datapath-mode']}",
        modes.masquerading_row(answer, devices),
    ]
    return [*lines, "Clock Source for BPF:\tktime"] if is_verbose else lines


def _details(answer: Json) -> list[str]:
    features = answer["kube-proxy-replacement"]["features"]
    ports = f"{features['nodePort']['portMin']}-{features['nodePort']['portMax']}"
    return [
        "KubeProxyReplacement Details:",
        "  Status:\tTrue",
        "  Socket LB:\tEnabled",
        "  Socket LB Tracing:\tEnabled",
        "  Socket LB Coverage:\tFull",
        f"  Devices:\t{_devices(answer)}",
        "  Mode:\tSNAT",
        "  Backend Selection:\tRandom",
        "  Session Affinity:\tEnabled",
        "  NAT46/64 Support:\tDisabled",
        "  XDP Acceleration:\tDisabled",
        "  Services:",
        "  - ClusterIP:\tEnabled",
        f"  - NodePort:\tEnabled (Range: {ports}) ",
        "  - LoadBalancer:\tEnabled ",
        "  - externalIPs:\tEnabled ",
        "  - HostPort:\tEnabled",
        "  Annotations:",
        *(f"  - {name}" for name in features["annotations"]),
        "BPF Maps:   dynamic sizing: on (ratio: 0.002500)",
        "  Name\tSize",
        *(f"  {entry['name']}\t{entry['size']}" for entry in answer["bpf-maps"]["maps"]),
    ]
