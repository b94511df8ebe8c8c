"""Lines that real clusters printed, of versions 1.10 to 1.19: the right fault is found, or none is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.explaining.signatures import Signatures
from playbooks.model.finding import Severity
from tests import recorded
from tests.agent.judged import config, found, run
from tests.agent.kept import container, terminated
from tests.edited import Edit, edited, log_lines
from tests.endpoint.waiting import refused


@dataclass(frozen=True)
class Real:
    """A line with what comes of it."""

    source: str
    """Where it was reported."""
    line: str
    root: str
    """The rule whose finding is the root; of a pasted line, the first that is named."""
    edits: tuple[Edit, ...] = ()
    """What the reported cluster had besides."""
    echoed: str = ""
    """An option that the run said it had."""
    of: str = "cilium-agent"
    """The container that ended with the line."""


NATIVE = (
    'level=fatal msg="invalid daemon configuration: native routing cidr must be configured with option '
    "--ipv6-native-routing-cidr in combination with --enable-ipv6=true --enable-ipv6-masquerade=true "
    '--enable-ip-masq-agent=false --routing-mode=native" subsys=daemon'
)
V6 = {"enable_ipv6": "true", "enable_ipv6_masquerade": "true"}
ENDS = (
    Real(
        "cilium/cilium#31944 (1.15.4)",
        'level=fatal msg="failed to start: daemon creation failed: error while initializing daemon: failed '
        'while reinitializing datapath: listing routing rules: address family not supported by protocol" '
        "subsys=daemon",
        "AGT019",
    ),
    Real(
        "cilium/cilium#33527",
        'level=fatal msg="failed to start: daemon creation failed: failed to detect devices: unable to '
        "determine direct routing device. Use --direct-routing-device to specify it\\nfailed to stop: unable "
        'to find controller ipcache-inject-labels" subsys=daemon',
        "AGT036",
    ),
    Real(
        "cilium/cilium-cli#2590 (1.15)",
        NATIVE,
        "AGT001",
        (config(**V6, routing_mode="native", enable_ip_masq_agent="false"),),
    ),
    Real(
        "docs.cilium.io, IPAM cluster-pool: the node CIDR size is too big for IPv6",
        'level=fatal msg="Unable to init cluster-pool allocator" error="unable to initialize IPv6 allocator '
        'New CIDR set failed; the node CIDR size is too big" subsys=cilium-operator-generic',
        "AGT001",
        (config(**V6, cluster_pool_ipv6_mask_size="128"),),
        "--cluster-pool-ipv6-mask-size='128'",
        of="cilium-operator",
    ),
    Real(
        "docs.aws.amazon.com, hybrid nodes: Cilium",
        'level=fatal msg="failed to start: Get \\"https://172.20.0.1:443/api/v1/namespaces/kube-system\\": '
        'dial tcp 172.20.0.1:443: i/o timeout"',
        "AGT015",
    ),
    Real(
        "cilium/cilium#8990, #38581 (1.15 to 1.17)",
        'level=fatal msg="failed to start: daemon creation failed: failed to setup vxlan tunnel device: '
        "setting up vxlan device: creating vxlan device: setting up device cilium_vxlan: address already in "
        'use" subsys=daemon',
        "AGT017",
    ),
    Real(
        "cilium/cilium#37827: no fault has its page, and none may be made up (1.17)",
        'level=fatal msg="failed to start: postinit failed: external IPv4 node address could not be derived, '
        'please configure via --ipv4-node" subsys=daemon',
        "AGT002",
    ),
    Real(
        "isovalent/terraform-k8s-cilium#11: the Secret is wrong, not the ConfigMap",
        'level=fatal msg="Error while creating daemon" error="unable to setup encryption: missing IPSec key '
        'or invalid format" subsys=daemon',
        "AGT002",
        (config(enable_ipsec="true"),),
    ),
    Real(
        "charmed Kubernetes, SCTP: the kernel is too old, the option is right",
        'level=fatal msg="failed to start: daemon creation failed: SCTP support needs kernel 5.2 or newer" '
        "subsys=daemon",
        "AGT002",
        (config(enable_sctp="true"),),
    ),
    Real(
        "cilium/cilium#23337",
        'level=fatal msg="failed to start: daemon creation failed: unable to setup device manager: protocol '
        'not supported" subsys=daemon',
        "AGT002",
    ),
)


def number(real: Real) -> str:
    return f"{real.root} {real.source.partition(':')[0]}"


@pytest.mark.parametrize("real", ENDS, ids=number)
def test_what_an_agent_or_operator_ended_with(real: Real) -> None:
    start = "cilium-operator" if real.of == "cilium-operator" else "cilium-z"
    ended = container(last=terminated(1), name=real.of, start=start)
    echo = [f'level=info msg="  {real.echoed}" subsys=daemon'] if real.echoed else []
    edits = (ended, log_lines(*echo, real.line, container=real.of), *real.edits)
    roots = run(edited(recorded.source("healthy"), *edits)).roots
    loud = [one for one in roots if one.finding.severity is Severity.ERROR]
    assert [one.rule.id for one in loud] == [real.root], [one.finding.summary.shown for one in loud]


@pytest.mark.parametrize("real", [real for real in ENDS if real.root != "AGT002"], ids=number)
def test_such_a_line_pasted_leads_to_its_fault(real: Real) -> None:
    assert Signatures(catalogue()).likely(real.line)[0].rule.id == real.root


def test_a_flag_that_the_version_does_not_know_is_the_cause() -> None:
    (one,) = found("AGT002", container(last=terminated(1)), log_lines("Error: unknown flag: --tunnel"))
    assert one.summary.shown.endswith("unknown flag: --tunnel")


_BEFORE = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
)
EVENTS = (
    ("END007", 'failed to find plugin "cilium-cni" in path [/usr/libexec/cni]'),
    # cilium/cilium#39091 (1.17)
    ("END006", "unable to create endpoint: Cilium API client timeout exceeded"),
    # cilium/cilium#22826
    ("END006", "Unable to create endpoint: [PUT /endpoint/{id}][500] context deadline exceeded"),
)


@pytest.mark.parametrize(("rule", "words"), EVENTS)
def test_what_the_plug_in_said(rule: str, words: str) -> None:
    every = run(edited(recorded.source("healthy"), *refused(words)), "AGT035", "END003", *_CREATED).roots
    assert [one.rule.id for one in every] == [rule]
    pasted = f'{_BEFORE}"f225b469bb840512": plugin type="cilium-cni" failed (add): {words}'
    assert Signatures(catalogue()).likely(pasted)[0].rule.id == rule


_CREATED = ("END005", "END006", "END007", "END008")

PASTED = (
    # cilium/cilium#42092 (1.18)
    (
        "END021",
        "time=2025-10-09T03:35:41.271607635Z level=warn source=/go/src/github.com/cilium/cilium/pkg/ipam/"
        'node.go:559 msg="Instance is out of interfaces" '
        "module=operator.operator-controlplane.leader-lifecycle."
        "legacy-cell subsys=ipam-allocator-aws name=ip-192-168-108-237.ec2.internal "
        "instanceID=i-0948a2d0cb67f1d2f",
    ),
    (
        "END003",
        "unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure "
        '"No more IPs available"',
    ),
    # cilium/cilium#30341
    (
        "AGT016",
        'level=error msg="Unable to find all Cilium CRDs necessary within 5m0s timeout. Please ensure that '
        "Cilium Operator is running, as it's responsible for registering all the Cilium CRDs. The "
        "following CRDs "
        'were not found: [crd:ciliumloadbalancerippools.cilium.io]" subsys=k8s',
    ),
    ("AGT032", "0/3 nodes are available: 3 node(s) had untolerated taint {node.cilium.io/agent-not-ready: }"),
    (
        "AGT004",
        'Startup probe failed: Get "http://127.0.0.1:9879/healthz": dial tcp 127.0.0.1:9879: '
        "connect: connection refused",
    ),
    (
        "AGT009",
        'MountVolume.SetUp failed for volume "cilium-ipsec-secrets" : secret "cilium-ipsec-keys" not found',
    ),
    ("AGT003", "Last State: Terminated Reason: OOMKilled Exit Code: 137"),
    ("END001", "Cluster Pods:          4/5 managed by Cilium"),
)


@pytest.mark.parametrize(("rule", "line"), PASTED)
def test_a_pasted_line_leads_to_its_fault_first(rule: str, line: str) -> None:
    assert Signatures(catalogue()).likely(line)[0].rule.id == rule


CALM = (
    # cilium/cilium#32797: said at every start
    'time="2024-05-30T13:04:30Z" level=info msg="option bpf-ct-global-tcp-max set by dynamic sizing '
    'to 131072" '
    "subsys=config",
    'level=info msg="Serving cilium health API" subsys=health',
    'level=info msg="Waiting until all Cilium CRDs are available" subsys=k8s',
    # imroc/tke-guide: a connectivity test on 1.18
    'time=2025-07-31T18:11:30.753850455Z level=error msg="cannot read proc file" '
    "module=agent.controlplane.l7-proxy "
    'file-path=/proc/net/udp6 error="open /proc/net/udp6: no such file or directory"',
    "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
)


@pytest.mark.parametrize("line", CALM)
def test_a_pasted_line_that_is_about_nothing_leads_nowhere(line: str) -> None:
    assert Signatures(catalogue()).likely(line) == ()
