"""Requests: what a person would type, and keys that survive a journal."""

from __future__ import annotations

import pytest

from playbooks.model.kube.resources import CILIUM_NODES, PODS
from playbooks.model.request import (
    AgentCommand,
    ApiPath,
    ContainerLog,
    Objects,
    Request,
    key_of,
    request_from,
)

REQUESTS: list[tuple[Request, str]] = [
    (Objects(PODS), "kubectl get pods -A -o json"),
    (Objects(PODS, namespace="shop", labels="app=cart"), "kubectl -n shop get pods -l app=cart -o json"),
    (Objects(CILIUM_NODES), "kubectl get ciliumnodes.v2.cilium.io -o json"),
    (
        AgentCommand("n1", "kube-system", "cilium-x", "cilium-agent", ("cilium-dbg", "status", "a b; rm")),
        "kubectl -n kube-system exec cilium-x -c cilium-agent -- cilium-dbg status 'a b; rm'",
    ),
    (
        ContainerLog("kube-system", "cilium-x", "config", is_previous=True),
        "kubectl -n kube-system logs cilium-x -c config --tail=500 --previous",
    ),
    (ApiPath("/apis"), "kubectl get --raw /apis"),
]


@pytest.mark.parametrize(("request_", "command"), REQUESTS)
def test_the_command_is_what_a_person_would_type(request_: Request, command: str) -> None:
    assert request_.command() == command


@pytest.mark.parametrize("request_", [request for request, _ in REQUESTS])
def test_a_key_gives_the_request_back(request_: Request) -> None:
    assert request_from(key_of(request_)) == request_
    assert key_of(request_from(key_of(request_))) == key_of(request_)


def test_cheaper_requests_sort_first() -> None:
    costs = [
        Objects(PODS).cost,
        ContainerLog("a", "b", "c").cost,
        AgentCommand("n", "a", "b", "c", ("x",)).cost,
    ]
    assert costs == sorted(costs)
