"""The service playbook: does this address lead to living backends on every node?"""

from __future__ import annotations

from playbooks.model.rule import Playbook, PlaybookStep

PLAYBOOK = Playbook(
    "service",
    "Service",
    "Does this address lead to living backends on every node?",
    (
        PlaybookStep(
            "backends",
            "Does every service find its pods, and are they ready?",
            "kubectl get services,endpointslices -A",
            "Kubernetes matches the selector with the pods' labels; only ready ones become backends.",
            "Every service that selects pods has addresses in its EndpointSlices.",
        ),
        PlaybookStep(
            "ports",
            "Does the service send to a port on which the pods listen?",
            "kubectl describe services -A",
            "Nothing checks a targetPort: connections reach the pod and are refused by it.",
            "TargetPort is a port, or the name of a port, of the pods' containers.",
        ),
        PlaybookStep(
            "reach",
            "Can the clients that are meant to use the service reach it from where they are?",
            "kubectl get services -A -o wide",
            "Traffic policies, source ranges and announced addresses limit who gets through, and where.",
            "Every node that is asked has a backend it may use, and every announced address an announcer.",
        ),
        PlaybookStep(
            "replacement",
            "Does Cilium do what kube-proxy would do, and nobody else?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg status --verbose",
            "Two proxies on one node, or a replacement half in force, translate some packets twice "
            "and others never.",
            "KubeProxyReplacement is True, and its details name every kind of service in use.",
        ),
        PlaybookStep(
            "maps",
            "Do the maps have room for all services and backends?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg map list",
            "A full map takes no new backend, and the agent goes on with what it has.",
            "No map of services or backends is near its maximum.",
        ),
        PlaybookStep(
            "agreement",
            "Do Kubernetes, the agents and the BPF maps agree on every frontend and backend?",
            "kubectl -n kube-system exec ds/cilium -c cilium-agent -- cilium-dbg bpf lb list",
            "What one of the three lacks, nobody repairs until something else changes.",
            "The same frontends with the same backends in all three, on all nodes.",
        ),
    ),
)
