"""Policies in a mesh: pods of another cluster are neither this cluster's nor the world's."""

from __future__ import annotations

import pytest
import yaml

from playbooks.practice import mesh
from playbooks.practice.policies.verdicts import verdict
from playbooks.practice.scenarios import load
from tests.practice.policies.deciding import apply, said, title

CASES = {
    "cluster": ("fromEntities: [cluster]", "default-denied"),
    "world": ("fromEntities: [world]", "default-denied"),
    "all": ("fromEntities: [all]", "allowed"),
    "own pods": ("fromEndpoints: [{}]", "default-denied"),
    "its pods": ("fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.cluster: OTHER}}]", "allowed"),
}


@pytest.mark.parametrize("name", CASES)
def test_whom_a_rule_means_in_a_mesh(name: str) -> None:
    world = load("mesh-healthy").world()
    (peer,) = world.peers
    text, expected = CASES[name]
    rule = yaml.safe_load(text.replace("OTHER", peer.cluster))
    remote = next(one for one in mesh.pods(peer) if one.run.name.startswith("frontend-client"))
    spec = {"endpointSelector": {"matchLabels": {"app": "redis"}}, "ingress": [rule]}
    apply(world, spec, "mesh")
    found = verdict(world, remote.ips[0], title(world, "redis"), 6379)
    assert said(found) == expected
    assert found.egress is None
    assert found.ingress is not None
    assert found.ingress.peer == remote.identity


def test_nodes_of_another_cluster_are_remote_nodes() -> None:
    world = load("mesh-healthy").world()
    (peer,) = world.peers
    spec = {
        "endpointSelector": {"matchLabels": {"app": "redis"}},
        "egress": [{"toEntities": ["remote-node"]}],
    }
    apply(world, spec, "mesh")
    node = next(iter(mesh.nodes(peer))).network.node_ip
    assert said(verdict(world, title(world, "redis"), node, 10250)) == "allowed"
