"""Which option a fatal text refuses: Cilium's own words held against a real configuration."""

from __future__ import annotations

import asyncio
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.knowledge.option_values import likely
from playbooks.model.answer import Answer, answer
from playbooks.model.cilium.config import ConfigMap
from playbooks.model.cilium.refusal import refused
from playbooks.model.kube.resources import CONFIG_MAPS
from playbooks.model.request import Objects
from tests import recorded


@cache
def wanted() -> dict[str, str]:
    request = Objects(CONFIG_MAPS, namespace="kube-system", name="cilium-config")
    told = asyncio.run(answer(recorded.source("healthy"), request, 1))
    assert isinstance(told, Answer)
    return msgspec.json.decode(told.body, type=ConfigMap).data or {}


def keys(text: str, changed: dict[str, str], echoed: dict[str, str] | None = None) -> set[str]:
    return {one.key for one in refused(text, {**wanted(), **changed}, echoed or {})}


VALUES = [
    ("tunnel-protocol", "vxlann", 'failed to populate object graph: invalid tunnel protocol "vxlann"'),
    ("tunnel-protocol", "none", 'invalid tunnel protocol "none"'),
    ("routing-mode", "tunel", 'invalid routing mode "tunel", valid modes = {"native", "tunnel"}'),
    ("enable-ipv4", "ture", 'option enable-ipv4: strconv.ParseBool: parsing "ture": invalid syntax'),
    (
        "bpf-lb-map-max",
        "lots",
        "failed to unmarshal config struct: 'bpf-lb-map-max' cannot parse value as 'int': strconv.ParseInt: "
        "invalid syntax.\nHint: field 'FooBar' matches flag 'foo-bar'",
    ),
    (
        "enable-bpf-masquerade",
        "maybe",
        "* cannot parse 'EnableBPFMasquerade' as bool: strconv.ParseBool: parsing \"maybe\": invalid syntax",
    ),
    ("bpf-lb-algorithm", "maglevv", "Invalid value for --bpf-lb-algorithm: maglevv"),
    ("kube-proxy-replacement", "partial", "Invalid value for --kube-proxy-replacement: partial"),
    (
        "service-no-backend-response",
        "rejekt",
        "Invalid value for --service-no-backend-response: rejekt (must be 'reject' or 'drop')",
    ),
    ("cluster-pool-ipv4-cidr", "10.244.0.0/33", "unable to initialize: invalid CIDR address: 10.244.0.0/33"),
    ("ipv4-native-routing-cidr", "10.0.0.0/99", "Unable to parse CIDR '10.0.0.0/99': invalid CIDR address"),
    ("cluster-id", "300", "invalid cluster id 300: must be in range 0..255"),
    ("cluster-name", "Lab_1", 'invalid cluster name: must consist of lower case letters, but was "Lab_1"'),
    (
        "max-connected-clusters",
        "300",
        "--max-connected-clusters=300 is invalid; supported values are [255, 511]",
    ),
    ("datapath-mode", "vethh", "Invalid datapath mode datapathMode=vethh"),
    (
        "identity-allocation-mode",
        "crdd",
        'Invalid identity allocation mode "crdd". It must be one of kvstore, crd or doublewrite-readcrd',
    ),
    ("monitor-aggregation", "mediumm", 'Failed to parse monitor-aggregation: invalid level "mediumm"'),
    ("ipam", "cluster-pol", "Unknown IPAM backend cluster-pol"),
    ("bpf-map-dynamic-size-ratio", "1.5", "specified dynamic map size ratio 1.500000 must be ≤ 1.0"),
    (
        "bpf-ct-global-tcp-max",
        "512",
        "specified CT tables values 512/262144 must be greater or equal to 1024",
    ),
    ("mtu", "-1", "MTU '-1' cannot be negative"),
    (
        "clustermesh-cache-ttl",
        "5x",
        'error decoding \'ClusterMeshCacheTTL\': time: unknown unit "x" in duration "5x"',
    ),
    ("tunnel-source-port-range", "a-b", 'invalid tunnel source port range "a-b"'),
    ("cni-chaining-mode", "aws", "invalid CNI chaining mode: aws"),
]


@pytest.mark.parametrize(("key", "value", "text"), VALUES, ids=["=".join(row[:2]) for row in VALUES])
def test_a_value_is_found_and_a_sound_one_is_not(key: str, value: str, text: str) -> None:
    assert keys(text, {key: value}) == {key}
    assert refused(text, {**wanted(), key: value}, {})[0].value == value
    assert keys(text, {}) == set()


COMBINATIONS = [
    ({"enable-ipv4": "false"}, "Either IPv4 or IPv6 addressing must be enabled", {"enable-ipv4"}),
    (
        {"enable-wireguard": "true", "enable-ipsec": "true"},
        "WireGuard (--enable-wireguard) cannot be used with IPsec (--enable-ipsec)",
        {"enable-wireguard", "enable-ipsec"},
    ),
    (
        {"enable-host-firewall": "true", "enable-ipsec": "true"},
        "IPSec cannot be used with the host firewall.",
        {"enable-host-firewall", "enable-ipsec"},
    ),
    (
        {"kube-proxy-replacement": "false"},
        'BPF masquerade requires NodePort (--enable-node-port="true")',
        {"enable-bpf-masquerade", "kube-proxy-replacement"},
    ),
    (
        {"bpf-lb-mode": "dsr"},
        'Node Port "dsr" mode cannot be used with vxlan tunneling.',
        {"bpf-lb-mode", "routing-mode"},
    ),
    (
        {"auto-direct-node-routes": "true"},
        "auto-direct-node-routes cannot be used with tunneling. Packets must be routed through the tunnel.",
        {"auto-direct-node-routes"},
    ),
    (
        {"routing-mode": "native"},
        "native routing cidr must be configured with option --ipv4-native-routing-cidr in combination with "
        "--enable-ipv4=true --routing-mode=native --ipam=cluster-pool",
        {"ipv4-native-routing-cidr"},
    ),
]


@pytest.mark.parametrize(("changed", "text", "culprits"), COMBINATIONS)
def test_options_that_do_not_go_together(changed: dict[str, str], text: str, culprits: set[str]) -> None:
    assert culprits <= keys(text, changed)
    assert keys(text, {}) == set()
    assert keys(text, {}, changed) == set()


@pytest.mark.parametrize(
    "text",
    [
        'Unable to contact k8s api-server: Get "https://10.96.0.1:443/api": dial tcp: i/o timeout',
        "setting up vxlan device: creating vxlan device cilium_vxlan: address already in use",
        "unable to determine direct routing device. Use --direct-routing-device to specify it",
        "WireGuard not supported by the Linux kernel (netlink: operation not supported)",
        "Unable to find all Cilium CRDs necessary within 5m timeout",
        "Failed to compile XDP program: exit status 1",
        "required IPv4 PodCIDR not available",
        "failed to load BTF spec: invalid argument",
        "",
    ],
)
def test_other_failures_blame_no_option(text: str) -> None:
    assert keys(text, {}) == set()


def test_an_option_that_was_other_in_the_refused_run_is_not_blamed() -> None:
    text = "invalid value for kube-proxy-replacement"
    assert keys(text, {"kube-proxy-replacement": "true"}, {"kube-proxy-replacement": "strikt"}) == set()
    assert keys(text, {"kube-proxy-replacement": "strikt"}, {"kube-proxy-replacement": "strikt"})


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    refused(f"invalid {text}", wanted(), {})


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("tunnel-protocol", "vxlann", "vxlan"),
        ("enable-ipv4", "ture", "true"),
        ("cluster-pool-ipv4-cidr", "10.0.0.0/33", ""),
        ("routing-mode", "zzz", ""),
    ],
)
def test_the_value_that_was_meant(key: str, value: str, meant: str) -> None:
    assert likely(key, value) == meant
