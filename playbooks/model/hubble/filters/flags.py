"""The flags of `hubble observe`, as of Cilium 1.20, and the few that only honeyguide has."""

from __future__ import annotations

from collections.abc import Callable

from playbooks.model.hubble.filters import values
from playbooks.model.hubble.filters.flag import FieldValue, Flag, Group, Kind, Side, Takes
from playbooks.model.hubble.filters.flags_server import SERVER

_BOTH_ENDS = ("source", "destination")

SELECTORS = (
    Flag("all", "All flows that are kept.", Group.SELECTOR, Takes.TRUTH, bare="true"),
    Flag("last", "The last N flows, of every node.", Group.SELECTOR, Takes.UINT64, default="20"),
    Flag("first", "The first N flows, of every node.", Group.SELECTOR, Takes.UINT64),
    Flag("follow", "Go on as flows arrive.", Group.SELECTOR, Takes.TRUTH, "f", "true"),
    Flag("since", "Flows from this moment on: 3s, 1h43m, or a date.", Group.SELECTOR, Takes.TEXT),
    Flag("until", "Flows up to this moment: 3s, 1h43m, or a date.", Group.SELECTOR, Takes.TEXT),
)


def _three(
    name: str,
    help: str,
    ends: tuple[str, str],
    *,
    short: str = "",
    since: str = "",
    either_since: str = "",
    read: Callable[[str], FieldValue] = str,
) -> tuple[Flag, Flag, Flag]:
    """A flag for the source, one for either end, one for the destination."""
    return (
        Flag(f"from-{name}", f"Flows from {help}.", fields=ends[:1], since=since, read=read),
        Flag(
            name,
            f"Flows from or to {help}.",
            short=short,
            fields=ends,
            side=Side.EITHER,
            since=either_since,
            read=read,
        ),
        Flag(f"to-{name}", f"Flows to {help}.", fields=ends[1:], since=since, read=read),
    )


def _ends(field: str) -> tuple[str, str]:
    return (f"source_{field}", f"destination_{field}")


FILTERS = (
    Flag("not", "The next filter excludes.", bare="true", side=Side.SWITCH),
    Flag("uuid", "The flow with this identifier.", fields=("uuid",)),
    Flag("node-name", "Flows seen by nodes of this name: node, cluster/, *.", fields=("node_name",)),
    Flag("node-label", "Flows seen by nodes that a selector picks.", fields=("node_labels",), since="1.16"),
    *_three("cluster", "endpoints of this cluster", _ends("cluster_name"), since="1.17", either_since="1.15"),
    Flag("protocol", "Flows of this protocol: tcp, udp, icmp, dns, http, ….", fields=("protocol",)),
    Flag(
        "tcp-flags", "Flows with all these TCP flags: SYN,ACK.", fields=("tcp_flags",), read=values.tcp_flags
    ),
    Flag(
        "type",
        "Events of this type: TYPE[:SUBTYPE].",
        short="t",
        fields=("event_type",),
        read=values.event_type,
    ),
    Flag("verdict", "Flows with this verdict.", fields=("verdict",), read=values.verdict),
    Flag(
        "drop-reason-desc",
        "Drops for this reason.",
        fields=("drop_reason_desc",),
        read=values.drop_reason,
        since="1.16",
    ),
    Flag("http-status", "HTTP responses with this status: 404, 4+, 50+.", fields=("http_status_code",)),
    Flag("http-method", "HTTP with this method.", fields=("http_method",)),
    Flag("http-path", "HTTP whose path matches a regular expression.", fields=("http_path",)),
    Flag("http-url", "HTTP whose URL matches a regular expression.", fields=("http_url",), since="1.15"),
    Flag(
        "http-header",
        "HTTP with this header: key:value.",
        fields=("http_header",),
        read=values.http_header,
        since="1.15",
    ),
    Flag("trace-id", "Flows of this W3C trace.", fields=("trace_id",)),
    Flag(
        "ip-trace-id",
        "Flows of this trace in IP options.",
        fields=("ip_trace_id",),
        read=values.ip_trace_id,
        since="1.19",
    ),
    *_three("fqdn", "names that match: *.example.com", _ends("fqdn")),
    *_three("ip", "this address or CIDR", _ends("ip")),
    Flag("snat-ip", "Flows given this source by SNAT.", fields=("source_ip_xlated",), since="1.16"),
    Flag("ipv4", "Flows over IPv4.", short="4", bare="v4", fields=("ip_version",), read=values.ip_v4),
    Flag("ipv6", "Flows over IPv6.", short="6", bare="v6", fields=("ip_version",), read=values.ip_v6),
    Flag("ip-version", "none, v4 or v6.", fields=("ip_version",), read=values.ip_version),
    *_three("pod", "pods that begin so: [namespace/]name", _ends("pod")),
    Flag("from-namespace", "Flows from this namespace.", side=Side.NAMESPACE, fields=("source",)),
    Flag("namespace", "Flows from or to this namespace.", short="n", side=Side.NAMESPACE, fields=_BOTH_ENDS),
    Flag("to-namespace", "Flows to this namespace.", side=Side.NAMESPACE, fields=("destination",)),
    Flag(
        "from-all-namespaces",
        "Flows from any namespace.",
        bare="true",
        side=Side.NAMESPACE,
        fields=("source",),
        read=values.every,
        since="1.15",
    ),
    Flag(
        "all-namespaces",
        "Flows from or to any namespace.",
        short="A",
        bare="true",
        side=Side.NAMESPACE,
        fields=_BOTH_ENDS,
        read=values.every,
        since="1.15",
    ),
    Flag(
        "to-all-namespaces",
        "Flows to any namespace.",
        bare="true",
        side=Side.NAMESPACE,
        fields=("destination",),
        read=values.every,
        since="1.15",
    ),
    *_three("label", "endpoints that a selector picks", _ends("label"), short="l"),
    *_three("service", "services that begin so: [namespace/]name", _ends("service")),
    *_three("port", "this port", _ends("port")),
    *_three("workload", "this workload: [Kind/]name", _ends("workload"), read=values.workload),
    *_three("identity", "this identity: number or reserved name", _ends("identity"), read=values.identity),
    Flag(
        "traffic-direction",
        "ingress or egress.",
        fields=("traffic_direction",),
        read=values.traffic_direction,
    ),
    Flag(
        "cel-expression",
        "Flows for which a CEL expression over _flow is true.",
        fields=("experimental.cel_expression",),
        since="1.16",
    ),
    Flag(
        "interface",
        "Flows seen at this device.",
        fields=("interface",),
        read=values.interface,
        since="1.16",
    ),
    Flag("encrypted", "Encrypted flows.", bare="true", fields=("encrypted",), read=values.yes, since="1.19"),
    Flag(
        "unencrypted", "Flows in the clear.", bare="true", fields=("encrypted",), read=values.no, since="1.19"
    ),
)

EXCLUSIVE = (
    (
        "from-fqdn",
        "from-ip",
        "ip",
        "fqdn",
        "from-namespace",
        "namespace",
        "from-all-namespaces",
        "all-namespaces",
    ),
    ("from-fqdn", "from-ip", "ip", "fqdn", "from-pod", "pod"),
    ("to-fqdn", "to-ip", "ip", "fqdn", "to-namespace", "namespace", "to-all-namespaces", "all-namespaces"),
    ("to-fqdn", "to-ip", "ip", "fqdn", "to-pod", "pod"),
    ("to-pod", "namespace", "all-namespaces"),
    ("from-pod", "namespace", "all-namespaces"),
    ("to-service", "namespace", "all-namespaces"),
    ("from-service", "namespace", "all-namespaces"),
    ("label", "from-label"),
    ("label", "to-label"),
    ("service", "from-service"),
    ("service", "to-service"),
    ("port", "to-port"),
    ("port", "from-port"),
    ("identity", "to-identity"),
    ("identity", "from-identity"),
    ("workload", "to-workload"),
    ("workload", "from-workload"),
    ("encrypted", "unencrypted"),
)
"""Of each group a list takes one flag only."""

RAW = (
    Flag("allowlist", "FlowFilters as JSON: one of them has to match.", Group.RAW, Takes.TEXTS),
    Flag("denylist", "FlowFilters as JSON: none of them may match.", Group.RAW, Takes.TEXTS),
)
FORMAT = (
    Flag(
        "output",
        "compact, dict, json, jsonpb, table or csv.",
        Group.FORMAT,
        Takes.TEXT,
        "o",
        default="compact",
    ),
    Flag("print-node-name", "With the node's name.", Group.FORMAT, Takes.TRUTH, bare="true"),
    Flag(
        "print-policy-names",
        "With the policies' names.",
        Group.FORMAT,
        Takes.TRUTH,
        bare="true",
        since="1.18",
    ),
    Flag(
        "time-format",
        "StampMilli, RFC3339, RFC3339Milli, RFC3339Micro, RFC3339Nano, RFC1123Z, YearMonthDay, ….",
        Group.FORMAT,
        Takes.TEXT,
        default="StampMilli",
    ),
)
FLOW_FORMAT = (
    Flag("numeric", "Numbers instead of names.", Group.FLOW_FORMAT, Takes.TRUTH, bare="true"),
    Flag(
        "ip-translation",
        "Names instead of addresses.",
        Group.FLOW_FORMAT,
        Takes.TRUTH,
        bare="true",
        default="true",
    ),
    Flag("color", "auto, always or never.", Group.FLOW_FORMAT, Takes.TEXT, default="auto"),
)
OTHER = (
    Flag("silent-errors", "Keep errors and warnings to oneself.", Group.OTHER, Takes.TRUTH, "s", "true"),
    Flag(
        "print-raw-filters",
        "Print the filters as JSON in YAML and end.",
        Group.OTHER,
        Takes.TRUTH,
        bare="true",
    ),
    Flag(
        "input-file", "Read flows from this file of JSON lines; - is standard input.", Group.OTHER, Takes.TEXT
    ),
    Flag("input", "Read flows from this sysdump or journal.", Group.OTHER, Takes.TEXT, is_ours=True),
    Flag("field-mask", "Only these fields of flows, with json.", Group.OTHER, Takes.WORDS, since="1.16"),
    Flag(
        "use-default-field-masks",
        "Ask for the visible fields only.",
        Group.OTHER,
        Takes.TRUTH,
        bare="true",
        default="true",
        since="1.16",
    ),
)
GLOBAL = (
    Flag("config", "The hubble command's configuration file.", Group.GLOBAL, Takes.TEXT),
    Flag("help", "What flags there are.", Group.GLOBAL, Takes.TRUTH, "h", "true"),
    Flag("debug", "With debug messages.", Group.GLOBAL, Takes.TRUTH, "D", "true"),
)
FORMER = {
    "experimental-field-mask": "field-mask",
    "experimental-use-default-field-masks": "use-default-field-masks",
    "port-forward": "auto-port-forward",
}
"""Names that older hubble commands have for a flag."""

_EVENTS = (*SELECTORS, *FORMAT, *SERVER, *OTHER, *GLOBAL)
_FLOWS = (*SELECTORS, *FILTERS, *RAW, *FORMAT, *FLOW_FORMAT, *SERVER, *OTHER, *GLOBAL)


def flags_of(kind: Kind) -> tuple[Flag, ...]:
    """All flags that a command takes, in the order of its help."""
    return _FLOWS if kind is Kind.FLOWS else _EVENTS
