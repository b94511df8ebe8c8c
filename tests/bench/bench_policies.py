"""The policy playbook over 10,000 policies and 5,000 endpoints: 10 seconds and 500 MB are allowed.

Run: .venv/bin/python -m tests.bench.bench_policies [POLICIES] [PODS]
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.discovery import catalogue
from playbooks.engine.knowing import Knowing
from playbooks.engine.run import Order, Run
from playbooks.model.answer import Gap
from playbooks.model.fact import Choice
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction
from tests import recorded
from tests.edited import Edited, Object, added, edited

NAMESPACES = 100
PER_APP = 10
"""Pods of one workload."""


def namespace(number: int) -> str:
    return f"team-{number % NAMESPACES:03}"


def app_of(number: int, pods: int) -> str:
    return f"app-{number // NAMESPACES % max(1, pods // NAMESPACES // PER_APP)}"


def pod(number: int, pods: int) -> Object:
    app = app_of(number, pods)
    labels = {"app": app, "pod-template-hash": f"{number % 97:08x}", "tier": f"tier-{number % 3}"}
    labels |= {f"example.com/label-{one}": f"value-{number % 7}" for one in range(4)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{app}-{number}", "namespace": namespace(number), "labels": labels},
        "spec": {
            "nodeName": f"node-{number % 50}",
            "containers": [{"name": "app", "image": "example.com/app:1", "ports": [{"containerPort": 8080}]}],
        },
        "status": {
            "phase": "Running",
            "podIP": f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}",
        },
    }


def network_policy(number: int, pods: int) -> Object:
    peer = {"podSelector": {"matchLabels": {"app": app_of(number + NAMESPACES, pods)}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy-{number}", "namespace": namespace(number)},
        "spec": {
            "podSelector": {} if number % 20 == 0 else {"matchLabels": {"app": app_of(number, pods)}},
            "ingress": [{"from": [peer], "ports": [{"port": 8080, "protocol": "TCP"}]}],
            "policyTypes": ["Ingress"],
        },
    }


def cilium_policy(number: int, pods: int) -> Object:
    # One of 25 selects nobody, one of 25 admits a label that nobody carries.
    app = "ap-0" if number % 25 == 1 else app_of(number, pods)
    peer = "ap-1" if number % 25 == 2 else app_of(number, pods)
    dns = {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": "kube-dns"}
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": f"policy-{number}", "namespace": namespace(number)},
        "spec": {
            "endpointSelector": {"matchLabels": {"app": app}},
            "ingress": [
                {
                    "fromEndpoints": [{"matchLabels": {"app": peer, "tier": f"tier-{number % 3}"}}],
                    "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
                }
            ],
            "egress": [
                {
                    "toEndpoints": [{"matchLabels": dns}],
                    "toPorts": [
                        {
                            "ports": [{"port": "53", "protocol": "ANY"}],
                            "rules": {"dns": [{"matchPattern": "*"}]},
                        }
                    ],
                },
                {"toCIDRSet": [{"cidr": "198.51.100.0/24", "except": [f"198.51.100.{number % 250}/32"]}]},
            ],
        },
    }


def crowded(policies: int, pods: int) -> Edited:
    """The healthy recording with many policies and pods beside its own."""
    names = [{"kind": "Namespace", "metadata": {"name": namespace(one)}} for one in range(NAMESPACES)]
    return edited(
        recorded.source("healthy"),
        added("namespaces", *names),
        added("pods", *(pod(one, pods) for one in range(pods))),
        added("networkpolicies", *(network_policy(one, pods) for one in range(policies // 2))),
        added("ciliumnetworkpolicies", *(cilium_policy(one, pods) for one in range(policies // 2))),
    )


async def judged(source: Edited) -> None:
    """The playbook's rules."""
    began, used = time.perf_counter(), time.process_time()
    snapshot = await Run(source, Order(catalogue().rules_of(("policy",)), looks=2)).start()
    ends = sorted((outcome.kind.value, rule) for rule, outcome in snapshot.outcomes.items())
    taken, computed = time.perf_counter() - began, time.process_time() - used
    findings = sum(1 for _ in snapshot.every())
    print(f"the playbook: {taken:.1f} s, {computed:.1f} s computing; {findings} findings")
    for kind, rule in ends:
        if kind not in ("clean", "findings", "not applicable"):
            print(f"  {rule}: {kind} {snapshot.outcomes[rule].why[:200]}")


async def decided(source: Edited) -> None:
    """One decision for each endpoint in both directions, by every policy that selects it."""
    knowing = Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)
    policies, pods = await knowing.know(WrittenPolicies), await knowing.know(LabelledPods)
    assert not isinstance(policies, Gap)
    assert not isinstance(pods, Gap)
    used = time.process_time()
    peer = Peer(pods.items[-1].labels)
    refused = 0
    for one in pods.items:
        selecting = tuple(policies.selecting(one.labels))
        for direction in Direction:
            said = decide(selecting, Asked(one.labels, direction, peer, 8080, "TCP")).decision
            refused += said is Decision.NOT_ADMITTED
    print(
        f"{len(policies.items)} policies, {len(pods.items)} endpoints: each decided in both directions in "
        f"{time.process_time() - used:.1f} s; {refused} refused"
    )


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    policies, pods = given[0] if given else 10_000, given[1] if len(given) > 1 else 5_000
    body = json.dumps([network_policy(1, pods), cilium_policy(1, pods), pod(1, pods)])
    print(f"{policies} policies, {pods} pods; one of each kind has {len(body)} bytes")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    source = crowded(policies, pods)
    asyncio.run(judged(source))
    asyncio.run(decided(source))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak {peak:.0f} MB ({before:.0f} MB before)")


if __name__ == "__main__":
    main()
