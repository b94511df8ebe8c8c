"""The endpoint playbook: is this pod's endpoint ready, and if not, why?"""

from __future__ import annotations

from playbooks.model.rule import Playbook, PlaybookStep

PLAYBOOK = Playbook(
    "endpoint",
    "Endpoint",
    "Is this pod's endpoint ready, and if not, why?",
    (
        PlaybookStep(
            "created",
            "Is the CNI plug-in on every node, and does its agent answer it?",
            "kubectl get events -A --field-selector reason=FailedCreatePodSandBox",
            "The CNI plugin asks the agent for an endpoint; what it answers is in the pod's events.",
            "No event of this kind, or only ones from before the pod ran; no address left is the next step.",
        ),
        PlaybookStep(
            "addresses",
            "Is there an address left for the next pod on every node?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg status --verbose",
            "Each node gives addresses from its own ranges; when they are used up, new pods wait.",
            "IPAM shows fewer addresses allocated than there are, and about as many as pods run.",
        ),
        PlaybookStep(
            "managed",
            "Does Cilium manage every pod that needs it?",
            "kubectl get ciliumendpoints -A",
            "A pod without an endpoint has no policy and no identity, and its address leads nowhere.",
            "Every running pod that is not on the host's network has a CiliumEndpoint of its name.",
        ),
        PlaybookStep(
            "state",
            "Is every endpoint ready, with the programs it should have?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg endpoint list",
            "The agent compiles and loads programs and policy for each endpoint; until then old ones act.",
            "STATUS is ready; the other states are normal for seconds.",
        ),
        PlaybookStep(
            "identity",
            "Has every endpoint an identity that the cluster knows, and are there not too many?",
            "kubectl get ciliumidentities",
            "Policy is decided by identity, the number for a set of labels, not by address.",
            "Far fewer identities than pods; none of reserved:init for longer than a moment.",
        ),
        PlaybookStep(
            "agreement",
            "Do Kubernetes, the agent and the BPF map agree on every endpoint?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg bpf endpoint list",
            "What one of the three lacks, nobody repairs until something else changes.",
            "The same addresses in all three.",
        ),
    ),
)
