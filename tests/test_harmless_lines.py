"""Warnings that sound clusters print, in the formats of all versions: no fault comes of any."""

from __future__ import annotations

import json

import pytest

from tests.edited import log_lines
from tests.test_harmless import loud

STAMP = "2026-11-23T01:39:30.123456789Z"
LINES = (
    # What Cilium's own tests put up with; the number is that of the issue in cilium/cilium.
    ("29680", " PodCIDR not available", ""),
    ("29710", "Unable to get node resource", 'nodes "lab-node-1" not found'),
    (
        "29712",
        "Unable to update CiliumNode resource, will retry",
        'Operation cannot be fulfilled on ciliumnodes.cilium.io "lab-node-1": the object has been modified; '
        "please apply your changes to the latest version and try again",
    ),
    ("29714", "Unable to get lease", "etcd client timeout exceeded"),
    ("29715", "Unable to restore router IP from filesystem", "failed to parse router IP"),
    (
        "29715",
        "Router IP could not be re-allocated. Need to re-allocate. This will cause brief network disruption",
        "provided IP is not in the valid range",
    ),
    ("29716", "Unable to restore endpoint, ignoring", "interface lxc1234 could not be found"),
    ("29732", "unable to find key in local cache", ""),
    ("29738", "Found master key after proceeding with new allocation", ""),
    (
        "hubble",
        "hubble events queue is full: dropping messages; consider increasing the queue size "
        "(hubble-event-queue-size) or provisioning more CPU",
        "",
    ),
    ("35768", "service not found", ""),
    (
        "35865",
        "Error observed on etcd connection, reconnecting etcd",
        "not able to connect to any etcd endpoints",
    ),
    ("35869", "Couldn't find state, ignoring endpoint", "ep_config.json: no such file or directory"),
    (
        "35930",
        "Failed to create peer client for peers synchronization; will try again after the timeout has "
        "expired",
        "context deadline exceeded",
    ),
    ("35931", "Timed out waiting for datapath updates of FQDN IP information; returning response.", ""),
    ("36067", "onConfigUpdate(): Worker threads took longer than 5s to update", ""),
    ("36068", "Failed to get identity labels for endpoint", "identity not found"),
    ("36070", "Failed to create gRPC client", "context deadline exceeded"),
    ("36072", "unable to re-allocate ingress IPv6.", "provided IP is already allocated"),
    ("36073", "Raise tofqdns-endpoint-max-ip-per-hostname to mitigate this", ""),
    (
        "37712",
        "Network status error received, restarting client connections",
        'an error on the server ("unknown") has prevented the request from succeeding (get nodes)',
    ),
    ("41280", "local key already allocated with different value (k8s:a=b != k8s:a=c)", ""),
    ("42092", "Instance is out of interfaces", ""),
    # Seen in reports about something else.
    (
        "18513",
        "ip6tables v1.8.4 (legacy): can't initialize ip6tables table `nat': Address family not "
        "supported by protocol",
        "",
    ),
    (
        "35404",
        "Instance not found! Please delete corresponding ciliumnode if instance has already been deleted.",
        "unable to retrieve ENIs",
    ),
    (
        "36428",
        "Unable to assign additional IPs to interface, will create new interface",
        "operation error EC2: AssignPrivateIpAddresses, api error PrivateIpAddressLimitExceeded: Number of "
        "private addresses will exceed limit.",
    ),
    ("32689", "endpoint regeneration failed", "retrieving device lxc_health: Link not found"),
    ("35228", "Envoy: Version check failed", "failed to get Envoy version"),
    ("imroc/tke-guide", "cannot read proc file", "open /proc/net/udp6: no such file or directory"),
    (
        "docs: clustermesh",
        "Error observed on etcd connection, reconnecting etcd",
        "quorum check failed 12 times in a row: timeout while waiting for initial connection",
    ),
    (
        "LAB",
        "Failed to probe kernel support for BIG TCP for UDP tunnels: failed to create a probe GENEVE "
        "device: operation not supported",
        "",
    ),
    ("LAB", "Hubble server will be exposing its API insecurely on this address", ""),
    (
        "kind",
        "Unable to ensure that BPF JIT compilation is enabled. This can be ignored when Cilium is "
        "running inside non-host network namespace (e.g. with kind or minikube)",
        "could not open the sysctl file /host/proc/sys/net/core/bpf_jit_enable: no such file or directory",
    ),
    (
        "klog",
        "Failed to watch",
        'failed to list *v1.Node: Get "https://10.96.0.1:443/api/v1/nodes": dial '
        "tcp 10.96.0.1:443: connect: connection refused",
    ),
    (
        "gateway",
        "Required GatewayAPI resources are not found, please refer to docs for installation instructions",
        'customresourcedefinitions.apiextensions.k8s.io "gatewayclasses.gateway.networking.k8s.io" not found',
    ),
)


def logfmt(message: str, error: str, level: str) -> str:
    """As 1.14 to 1.17 write it."""
    said = f" error={json.dumps(error)}" if error else ""
    return f'time="{STAMP}" level={level} msg={json.dumps(message)}{said} subsys=daemon'


def slog(message: str, error: str, level: str) -> str:
    """As 1.18 and later write it."""
    said = f" error={json.dumps(error)}" if error else ""
    short = "warn" if level == "warning" else level
    return f"time={STAMP} level={short} source=/go/x.go:1 msg={json.dumps(message)} module=agent{said}"


def as_json(message: str, error: str, level: str) -> str:
    """As an agent with `log-opt: format=json` writes it."""
    return json.dumps({"time": STAMP, "level": level.upper(), "msg": message, "module": "x", "error": error})


@pytest.mark.parametrize("level", ["warning", "error"])
@pytest.mark.parametrize("written", [logfmt, slog, as_json])
@pytest.mark.parametrize("container", ["cilium-agent", "cilium-operator"])
def test_a_warning_of_a_sound_cluster(container: str, written: object, level: str) -> None:
    lines = [written(message, error, level) for _, message, error in LINES]  # type: ignore[operator]
    assert loud(log_lines(*lines, container=container)) == frozenset()
