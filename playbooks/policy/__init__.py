"""The policy playbook: who may talk to this pod, and what refused it?"""

from __future__ import annotations

from playbooks.model.rule import Playbook, PlaybookStep

PLAYBOOK = Playbook(
    "policy",
    "Policy",
    "Who may talk to this pod, and what refused it?",
    (
        PlaybookStep(
            "written",
            "Is every policy valid, and does it select what it is meant to select?",
            "kubectl get networkpolicies,ciliumnetworkpolicies,ciliumclusterwidenetworkpolicies -A",
            "A mistyped label looks exactly like a policy that works.",
            "VALID is True, and each selector matches the pods, peers and names it was written for.",
        ),
        PlaybookStep(
            "enforced",
            "Are policies in force, and where does default deny hold?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg endpoint list",
            "A pod that any policy selects for a direction refuses everything in it that no rule admits.",
            "Enabled where policies select the pod; Disabled (Audit) means that nothing is refused.",
        ),
        PlaybookStep(
            "realized",
            "Has every agent realized the policies, down to the map?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg bpf policy get --all",
            "The datapath decides by the policy map, not by what is written in Kubernetes.",
            "Desired, realized and map hold the same entries at the same revision.",
        ),
        PlaybookStep(
            "refused",
            "What was refused, and by which policy or lack of one?",
            "hubble observe --verdict DROPPED --print-policy-names",
            "A refusal is the wanted effect of a policy, until somebody needs the connection.",
            "policy-verdict:none means that no rule matched; a denylist names an explicit refusal.",
        ),
        PlaybookStep(
            "names",
            "Do rules on DNS names learn the addresses of these names?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg fqdn cache list",
            "toFQDNs acts on addresses that the DNS proxy saw; without a DNS rule it sees none.",
            "Every name in use has addresses, with a time to live that is not over.",
        ),
        PlaybookStep(
            "requests",
            "Do rules on requests work, and what do they refuse?",
            "hubble observe -t l7",
            "Rules on HTTP, Kafka or DNS need a proxy; without it the whole port is refused.",
            "Requests are forwarded, or refused with 403 because a rule says so.",
        ),
    ),
)
