"""Our reading of policies against what a real agent made of the same policies."""

from __future__ import annotations

import pytest

from playbooks.model.bpf.policy import EndpointPolicyMap, PolicyMaps
from playbooks.model.bpf.policy_lookup import CLUSTER, MESH, WORLD, MapVerdict, look_up
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.identities import AgentIdentities
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Entity, Match, Peer
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction
from tests.model.bpf.reading import known
from tests.recorded import clusters

PORTS = (53, 80, 443, 6379, 8080, 8081, 8088, 9090, 12345)
ADMITS = (Decision.FREE, Decision.ADMITTED)
BY_HAND = ("09-ipcache-and-policymap-entry-deleted", 811, 72500, 6379)
"""The entry that somebody took out of the map."""


def lets_through(held: EndpointPolicyMap, direction: str, peer: Peer, identity: int, port: int) -> bool:
    stands_for = {CLUSTER, MESH} if Entity("cluster").matches(peer) is Match.YES else {WORLD}
    found = look_up(held, direction, {identity, *stands_for}, 6, port)
    return found.verdict in (MapVerdict.ALLOW, MapVerdict.REDIRECT)


@pytest.mark.parametrize("cluster", [name for name in clusters() if name[:2] not in ("05", "06")])
async def test_every_decision_is_the_one_of_the_policy_map(cluster: str) -> None:
    policies = await known(cluster, WrittenPolicies)
    endpoints = await known(cluster, AgentEndpoints)
    identities = await known(cluster, AgentIdentities)
    maps = await known(cluster, PolicyMaps)
    compared, wrong = 0, []
    for endpoint in endpoints.of_pods:
        labels, held = Labels(endpoint.labels), maps.by_endpoint[endpoint.id]
        for identity in identities.items:
            peer = Peer(Labels(tuple(identity.labels or ())))
            for direction in Direction:
                for port in PORTS:
                    said = decide(policies.items, Asked(labels, direction, peer, port, "TCP")).decision
                    if said is Decision.UNKNOWN:
                        continue
                    compared += 1
                    holds = lets_through(held, direction, peer, identity.id, port)
                    where = (cluster, endpoint.id, identity.id, port)
                    # What comes from the node itself is let through: the kubelet must reach its probes.
                    is_local = direction is Direction.INGRESS and identity.id == 1
                    if (said in ADMITS) != holds and where != BY_HAND and not (is_local and holds):
                        wrong.append((endpoint.id, identity.id, str(direction), port, str(said), holds))
    assert compared > 3000
    assert wrong == []
