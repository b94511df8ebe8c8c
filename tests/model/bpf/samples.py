"""Answers for ways about maps that no recording holds: the shapes that the documents give.

Keys are `Fact: way`.
"""

from __future__ import annotations

_CGROUPS = """
CgroupPath
ID       AttachType      AttachFlags     Name
/run/cilium/cgroupv2
4337     cgroup_inet4_connect multi           cil_sock4_connect
4343     cgroup_inet4_post_bind multi           cil_sock4_post_bind
4350     cgroup_inet_sock_release                 cil_sock_release
"""

WRITTEN = {
    "CgroupPrograms: bpftool's cgroups as text": _CGROUPS,
    "CgroupPrograms: bpftool's other cgroups as text": _CGROUPS,
    "KernelMaps: bpftool's maps as text": """
32: hash  name cilium_lxc  flags 0x81
\tkey 20B  value 48B  max_entries 65535  memlock 1051776B
34: prog_array  name cilium_call_pol  flags 0x0
\tkey 4B  value 4B  max_entries 65535  memlock 524592B
\towner_prog_type sched_cls  owner jited
""",
    "Attachments: bpftool's devices": """
[{"xdp":[{"devname":"eth0","ifindex":4,"mode":"driver","id":71},
         {"devname":"eth1","ifindex":5,"multi_attachments":[{"mode":"generic","id":72},{"mode":"offload","id":73}]}],
  "tc":[{"devname":"eth0","ifindex":4,"kind":"tcx/ingress","name":"cil_from_netdev","prog_id":81,
         "prog_flags":[],"link_id":9,"link_flags":[]},
        {"devname":"eth1","ifindex":5,"kind":"clsact/ingress","name":"cil_from_netdev-eth1","id":82,"act":[]},
        {"devname":"lxc1","ifindex":6,"kind":"netkit/peer","name":"cil_from_contai","prog_id":83,"link_id":10}],
  "flow_dissector":[],"netfilter":[{"id":7}]}]
""",
    "NatRetries: NAT retries": """
[{"Key":{"Key":0},"Value":{"Value":3494}},{"Key":{"Key":1},"Value":{"Value":63}}]
[{"Key":{"Key":0},"Value":{"Value":2}},{"Key":{"Key":1},"Value":{"Value":0}}]
""",
    "AuthMap: authentication map": """
[{"LocalIdentity": 98236, "RemoteIdentity": 72500, "RemoteNodeID": 23229, "AuthType": 1,
  "Expiration": "2026-11-23T02:28:14Z"}]
""",
    "AuthMap: authentication map as text": """
SRC IDENTITY   DST IDENTITY   REMOTE NODE ID   AUTH TYPE   EXPIRATION
98236          72500          23229            spire       2026-11-23 02:28:14 +0000 UTC
72500          98236          0                disabled    2026-11-23 02:28:15 +0000 UTC
""",
    "EgressMap: egress map": """
[{"SourceIP": "10.244.0.14", "DestCIDR": "203.0.113.0/24", "EgressIP": "192.0.2.9", "GatewayIP": "192.0.2.2"},
 {"SourceIP": "10.244.0.15", "DestCIDR": "203.0.113.0/24", "EgressIP": "0.0.0.0", "GatewayIP": "Not Found"},
 {"SourceIP": "10.244.0.15", "DestCIDR": "203.0.113.8/32", "EgressIP": "::", "GatewayIP": "Excluded CIDR"}]
""",
    "EgressMap: egress map as text": """
Source IP     Destination CIDR   Egress IP    Gateway IP
10.244.0.14   203.0.113.0/24     192.0.2.9    192.0.2.2
10.244.0.15   203.0.113.0/24     0.0.0.0      Not Found
10.244.0.15   203.0.113.8/32     0.0.0.0      Excluded CIDR
""",
    "FragmentMap: fragment map": """
[{"ID": 4711, "Proto": 17, "SourceAddress": "10.244.0.14:5353", "DestAddress": "10.244.0.15:53"}]
""",
    "FragmentMap: fragment map as text": """
ID     PROTO   SOURCE ADDRESS:PORT   DEST ADDRESS:PORT
4711   UDP     10.244.0.14:5353      10.244.0.15:53
""",
    "NodeMap: node map": """
[{"ID": 26787, "Address": "198.51.100.77", "SPI": 0}, {"ID": 23229, "Address": "fd00::2", "SPI": 3}]
""",
    "TunnelMap: tunnel map": """
{"10.244.1.0:0": ["192.0.2.3:0"], "10.244.2.0:0": ["192.0.2.4:0"], "fd00:2:::0": ["192.0.2.4:0"]}
""",
    "TunnelMap: tunnel map as text": """
TUNNEL         VALUE
10.244.1.0:0   192.0.2.3:0
10.244.2.0:0   192.0.2.4:0
""",
    "Templates: templates": """
{"5395c09ac063e946ef93060920d1e7ac788ad99c0a1b042bd3efa959351d6e73": ["113", "1721"],
 "<missing template.txt>": ["51"]}
""",
    "SlotMap: map of slots": """
{"10.96.168.108:80/TCP (0)": ["0 2[0] (15) [0x0 0x0]"],
 "10.96.168.108:80/TCP (1)": ["20 0[0] (15) [0x0 0x0]"],
 "[fd00::5]:80/TCP/i (0)": ["0 1[1] (16) [0x41 0x20]"]}
""",
    "BackendMap: backend map": """
{"39": ["TCP://10.244.0.33"], "40": ["TCP://10.244.0.34[zone-a]"], "41": ["UDP://fd00::7"]}
""",
    "ReverseNatMap: reverse NAT map": """
{"10": ["10.96.114.171:8080"], "2": ["[fd00::5]:80"]}
""",
    "SourceRangeMap: source range map": """
{"203.0.113.0/24 (12)": [""], "fd00::/8 (13)": [""]}
""",
    "SourceRangeMap: source range map as text": """
SOURCE RANGE (REVNAT_ID)
203.0.113.0/24 (12)
fd00::/8 (13)
""",
}
