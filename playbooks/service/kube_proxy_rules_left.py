"""Rules of a kube-proxy that is gone are still in a node's iptables."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.proxy_rules import ProxyRules
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, capture, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault
from playbooks.model.services.proxies import proxy_pods


@fault(
    "SVC027",
    step="replacement",
    cases=(Case("kube-proxy-leftovers", proof="W", twin="the recorded iptables, without these chains"),),
)
def kube_proxy_rules_left(rules: Fleet[ProxyRules], pods: Pods) -> Iterator[Finding]:
    """Rules of a kube-proxy that is gone are still in a node's iptables.

    Nobody removes them when kube-proxy goes. They stand still and lead to the pods of that day: packets
    that reach the stack untranslated are sent to addresses which are somebody else's by now. A node that was
    restarted has none.
    """
    if pods.provenance.namespace or pods.provenance.is_truncated:
        return
    proxied = {pod.spec.node_name for pod in proxy_pods(pods)}
    left = [(node, fact) for node, fact in rules if fact.chains and node not in proxied]
    if not left:
        return
    node, fact = left[0]
    nodes = tuple(Ref("Node", name, node=name) for name, _ in left)
    yield finding(
        Severity.INFO,
        nodes,
        f"Node {node} keeps {fact.chains} chains of a kube-proxy that does not run there",
        evidence=[
            one.evidence(f"{name}: {one.chains} chains, such as {one.example}") for name, one in left[:5]
        ],
        impact="packets that BPF does not translate may be led to pods that are gone",
        last_seen=fact.taken_at,
        ongoing=Ongoing.YES,
        alternatives=(
            "Kube-proxy runs outside of any pod there, as k3s and others have it; then they are its.",
        ),
        fixes=(
            Fix.cure(
                f"Clear the chains of kube-proxy on {node}, or restart the node.",
                why="They are written once and not looked at again.",
                risk=Risk.MEDIUM,
                steps=(
                    capture("Save the rules as they are.", "iptables-save > iptables.before"),
                    step(
                        f"Restore the rules of {node} without those of kube-proxy.",
                        "iptables-save | grep -v KUBE | iptables-restore",
                    ),
                ),
                undo="Restore the saved rules: iptables-restore < iptables.before.",
                verify="`iptables-save | grep KUBE-SVC` prints nothing.",
            ),
        ),
    )
