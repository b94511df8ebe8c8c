"""The agent playbook: does an agent run on every node, and is it well?"""

from __future__ import annotations

from playbooks.model.rule import Playbook, PlaybookStep

PLAYBOOK = Playbook(
    "agent",
    "Agent",
    "Does a Cilium agent run on every node that should have one, and is it well?",
    (
        PlaybookStep(
            "placed",
            "Is there an agent pod on every node that should have one?",
            "kubectl -n kube-system get daemonset cilium -o wide",
            "Pods on a node without an agent get no network.",
            "DESIRED, CURRENT and READY are equal in a sound cluster.",
        ),
        PlaybookStep(
            "running",
            "Does every agent run, and what did it say when it last ended?",
            "kubectl -n kube-system get pods -l k8s-app=cilium -o wide",
            "An agent that ends at start names its reason in its last lines, usually with level=fatal.",
            "Restarts rise and the state is CrashLoopBackOff or Init:… while it fails.",
        ),
        PlaybookStep(
            "node",
            "What do the nodes say about their network?",
            "kubectl describe nodes",
            "Where nothing can be run, the node's conditions and taints still tell.",
            "Ready is True, no taint node.cilium.io/agent-not-ready remains.",
        ),
        PlaybookStep(
            "operator",
            "Is the operator there, and does it lead?",
            "kubectl -n kube-system get deployment cilium-operator",
            "The operator registers the CRDs, hands out PodCIDRs and collects garbage; traffic goes on "
            "without it, so nobody misses it at once.",
            "One replica holds the lease cilium-operator-resource-lock and renews it every few seconds.",
        ),
        PlaybookStep(
            "configuration",
            "Do the running agents have the configuration and version that are wanted?",
            "kubectl -n kube-system get configmap cilium-config -o yaml",
            "An agent reads the ConfigMap only at its start: a change sleeps until the next restart.",
            "Every agent has the same version, and its options equal the ConfigMap.",
        ),
        PlaybookStep(
            "status",
            "What does every agent say of itself?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg status --verbose",
            "The agent checks its own parts: Kubernetes, kvstore, IPAM, controllers, proxy, Hubble, modules.",
            "A line other than Ok or Disabled names the part; one failure of a controller is normal.",
        ),
        PlaybookStep(
            "peers",
            "Do the agents reach each other, and does Relay reach them?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-health status",
            "Agents probe each other's node and health endpoint; Relay asks each agent for flows.",
            "Every node is reachable from every other one.",
        ),
        PlaybookStep(
            "logs",
            "Do the logs hold a text that always means a fault?",
            "kubectl -n kube-system logs ds/cilium -c cilium-agent --tail=500",
            "A few messages never appear in a sound cluster; most warnings do.",
            "What Cilium's own tests tolerate is not reported.",
        ),
    ),
)
