"""Answers for ways that no recording holds: rows of the recorded state's dump, and documented shapes.

Keys are `Fact: way`. Up to 1.16 each table was a command of its own; its text begins with a mark.
"""

from __future__ import annotations

from pathlib import Path

from tests.model.bpf.samples import WRITTEN as _OF_MAPS

_FOLDER = Path(__file__).parent / "samples"

_TABLES = {
    "AgentComputations": "policy-computations",
    "AgentDevices": "devices",
    "AgentMtu": "mtu",
    "AgentNeighbours": "neighbors",
    "AgentNodeAddresses": "node-addresses",
    "AgentPods": "k8s-pods",
    "AgentPortsInUse": "nat-stats",
    "AgentRoutes": "routes",
    "AgentSysctls": "sysctl",
}

_L2_ANNOUNCE = {
    "agent's table l2-announce": """
{"IP": "203.0.113.7", "NetworkInterface": "eth0", "Origins": [{"Namespace": "shop", "Name": "frontend"}]}
{"IP": "203.0.113.8", "NetworkInterface": "eth1", "Origins": []}
""",
    "agent's table l2-announce by its command": """
# IP          NetworkInterface
203.0.113.7   eth0
203.0.113.8   eth1
""",
    "agent's table l2-announce as text": """
IP            NetworkInterface
203.0.113.7   eth0
203.0.113.8   eth1
""",
}
"""One table, told to two facts."""

_WRITTEN = {
    **{
        f"{fact}: {way}": told
        for fact in ("AgentAnnounced", "L2Announced")
        for way, told in _L2_ANNOUNCE.items()
    },
    "MarkValidation: sysctl": """
net.ipv4.conf.all.src_valid_mark = 1
""",
    "LoneAgent: own status": """
{"cilium": {"state": "Ok", "msg": "1.20.2 (v1.20.2-0000000000)"}, "cluster": {"self": "lab/lab-node-1"}}
""",
    "LoneAgent: own list of nodes": """
[{"name": "lab/lab-node-2", "source": "custom-resource"}, {"name": "lab/lab-node-1", "source": "local"}]
""",
    "LoneOptions: own options": """
#### Read-only configurations ####
CreationTime                      : 2026-11-23T01:28:14.614159727Z
K8sNamespace                      : kube-system
""",
    "AgentRedirects: agent's local redirects as text": """
LRP namespace   LRP name   FrontendType   Matching Service
""",
    "AgentRedirects: agent's local redirects": """
[{"name": "nodelocaldns", "namespace": "kube-system", "uid": "1-2",
  "frontend-type": "clusterIP + named ports",
  "lrp-type": "service", "service-id": "kube-system/kube-dns", "frontend-mappings": [
   {"frontend-address": {"ip": "10.96.0.10", "port": 53, "protocol": "UDP"}, "backends": [
    {"pod-id": "kube-system/node-local-dns-abcde", "backend-address": {"ip": "10.244.0.9", "port": 53}}]}]}]
""",
    "AgentMeshTroubleshoot: agent's mesh checks": """
Found 2 cluster configurations

Cluster "east":
\N{PAGE FACING UP} Configuration path: /var/lib/cilium/clustermesh/east

\N{ELECTRIC PLUG} Endpoints:
   - https://east.mesh.cilium.io:2379
     ✅ Hostname resolved to: 203.0.113.9
     ✅ TCP connection successfully established to 203.0.113.9:2379
     ❌ Cannot establish TLS connection to 203.0.113.9:2379: x509: certificate signed by unknown authority

\N{KEY} Digital certificates:
   ✅ TLS Root CA certificates:
      - Serial number:       1f:2e
        Subject:             CN=Cilium CA
   ⚠️ TLS client certificates: none

Cluster "west":
⚙️ Etcd client:
   ❌ Failed to establish etcd connection: context deadline exceeded
   ℹ️  Etcd cluster ID: 7a6d
""",
    "AgentKvstoreTroubleshoot: agent's kvstore checks": """
\N{ELECTRIC PLUG} Endpoints:
   - https://etcd.example:2379
     ✅ Hostname resolved to: 203.0.113.9
⚙️ Etcd client:
   ✅ Etcd connection successfully established
""",
    "AgentBgpSessions: agent's BGP sessions": """
[{"local-asn": 65001, "peer-asn": 65000, "peer-address": "192.0.2.1", "peer-port": 179,
  "session-state": "established", "uptime-nanoseconds": 4200000000000, "tcp-password-enabled": false,
  "configured-hold-time-seconds": 90, "applied-hold-time-seconds": 9,
  "families": [{"afi": "ipv4", "safi": "unicast", "received": 1, "accepted": 1, "advertised": 3},
               {"afi": "ipv6", "safi": "unicast"}]},
 {"local-asn": 65001, "peer-asn": 65000, "peer-address": "192.0.2.9", "session-state": "active",
  "families": null}]
""",
    "AgentBgpRoutesV4: agent's BGP routes, ipv4": """
[{"router-asn": 65001, "neighbor": "192.0.2.1", "prefix": "10.244.0.0/24",
  "paths": [{"age-nanoseconds": 4200000000000, "best": true, "family": {"afi": "ipv4", "safi": "unicast"},
             "nlri": {"base64": "GAr0AA=="}, "path-attributes": [{"base64": "QAEBAA=="}]}]}]
""",
    "AgentBgpRoutesV6: agent's BGP routes, ipv6": """
[{"router-asn": 65001, "neighbor": "2001:db8::1", "prefix": "2001:db8:1::/64", "paths": null}]
""",
    "AgentIdentityUse: agent's used identities": """
[{"identity": {"id": 1, "labels": ["reserved:host"]}, "refCount": 1},
 {"identity": {"id": 98236, "labels": ["k8s:app=cart", "k8s:tier=api"]}, "refCount": 2}]
""",
    "AgentDevices: agent's table devices by its command": """
# Name        Index   Selected   Type     MTU     HWAddr              Flags                  Addresses
lo            1       false      device   65536                       up|loopback|running    127.0.0.1, ::1
eth0          4       true       device   1400    02:fc:00:00:00:01   up|broadcast|running   192.0.2.2
""",
    "AgentNodeAddresses: agent's table node-addresses by its command": """
# Address     NodePort   Primary   DeviceName
192.0.2.2     false      true      *
192.0.2.2     true       true      eth0
""",
    "AgentRoutes: agent's table routes by its command": """
# Destination   Source      Gateway     LinkIndex   MTU    Table   Type      Scope      Priority
0.0.0.0/0                   192.0.2.1   4                  main    unicast   universe   0
192.0.2.0/24    192.0.2.2               4           1350   main    unicast   link       0
""",
    "AgentPortsInUse: agent's table nat-stats by its command": """
# IPFamily   Proto   EgressIP       RemoteAddr         Count
ipv4         TCP     198.51.100.1   198.51.100.10:80   3
ipv6         UDP     fd00::2        [fd00::9]:53       12
""",
    "AgentSysctls: agent's table sysctl by its command": """
# Name                       Value   Status
net.core.bpf_jit_enable      1       Done (2.7m ago)
net.ipv4.conf.all.rp_filter  0       Error: read-only file system
""",
    "AgentModules: agent's table health as text": """
# Module                   Component   Level      Message   Error         LastOK   UpdatedAt   Count
agent.datapath.node        queue       Degraded   failed    no such map   never    12m         3
agent.controlplane.proxy   ports       OK         Running                 12m      12m         1
""",
    "CiliumKinds: discovery of cilium.io": """
{"kind": "APIResourceList", "groupVersion": "cilium.io/v2", "resources": [
 {"name": "ciliumnodes", "namespaced": false, "kind": "CiliumNode", "verbs": ["get"]},
 {"name": "ciliumnodes/status", "namespaced": false, "kind": "CiliumNode", "verbs": ["get"]}]}
""",
    "AgentMapState: agent's map state": (_FOLDER / "mapstate.txt").read_text("utf-8"),
    **_OF_MAPS,
}

LOG = """
time=2026-11-23T01:28:14.1Z level=info msg="Starting" subsys=daemon
time=2026-11-23T01:28:15.1Z level=error msg="failed to start" error="no such device" subsys=daemon
panic: something
"""


def sample_of(name: str) -> bytes | None:
    """The answer for a way, if one is written here."""
    if name in _WRITTEN:
        return _WRITTEN[name].removeprefix("\n").encode()
    fact, _, way = name.partition(": ")
    table = _TABLES.get(fact)
    if table and way == f"agent's table {table}":
        return (_FOLDER / f"table-{table}.json").read_bytes()
    return None
