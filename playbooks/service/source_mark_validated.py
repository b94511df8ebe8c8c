"""A node validates sources by mark, and gateway traffic to its own pods fails."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.source_validation import SETTING, MarkValidation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault


@fault(
    "SVC017",
    step="reach",
    cases=(
        Case(
            "SV-13",
            proof="V",
            lines=("net.ipv4.conf.all.src_valid_mark = 1",),
            twin="the same node with src_valid_mark 0",
        ),
    ),
)
def source_mark_validated(validation: OnNode[MarkValidation]) -> Iterator[Finding]:
    """A node validates sources by mark, and gateway traffic to its own pods fails.

    Envoy sends what comes through a gateway on with a mark. VPN clients that build on WireGuard set
    `src_valid_mark=1`; then the kernel looks at that mark when it validates the source, takes the packet
    for one from a local address and drops it (`SKB_DROP_REASON_IP_LOCAL_SOURCE`). Backends on other nodes
    work, those on the gateway's own node do not.
    """
    if validation.fact.value != "1":
        return
    node = validation.node
    yield finding(
        Severity.WARN,
        Ref("Node", node, node=node),
        f"Node {node} has src_valid_mark set: its gateway does not reach pods of its own",
        evidence=(validation.fact.evidence(f"{SETTING} = 1"),),
        alternatives=(
            "Where it fails on nodes without this setting too: proxy-use-original-source-address true with "
            "kube-proxy replacement looks alike.",
        ),
        impact="connections through Gateway or Ingress fail when Envoy and backend share the node",
        last_seen=validation.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Stop what sets src_valid_mark, mostly a VPN client on the node.",
                why="Without it the kernel leaves marks out when it validates sources.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        f"Look for a WireGuard client on {node}.",
                        kubectl(
                            "debug", f"node/{node}", "--image=busybox", "--", "chroot", "/host", "ip", "link"
                        ),
                    ),
                    step("Set the kernel's setting to 0 on the node.", f"sysctl -w {SETTING}=0"),
                ),
                undo=f"Set {SETTING} to 1 again.",
                verify="A request through the gateway reaches a backend on the gateway's own node.",
            ),
        ),
        same_as=SETTING,
    )
