"""Who answers for names: as Kubernetes has it, as pods are told, as agents redirect it."""

from __future__ import annotations

import json

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind, Source
from playbooks.model.dns.cluster import ClusterDns, CorednsConfig
from playbooks.model.dns.proxy import DnsProxy
from playbooks.model.dns.resolver import Resolver, resolver_of
from playbooks.model.fact import Choice
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.pods import Container, DnsConfig, DnsOption, Pod, Pods, PodSpec
from playbooks.practice import scenarios
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Object, added, body, command, each, edited, gap, of

NODE = "lab-node-1"


def knowing(source: Source) -> Knowing:
    return Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)


async def dns(source: Source) -> ClusterDns:
    known = await knowing(source).know(ClusterDns)
    assert isinstance(known, ClusterDns)
    return known


async def test_service_backends_and_pods_of_a_recording() -> None:
    found = await dns(recorded.source("healthy"))
    assert found.addresses == ("10.96.0.10",)
    assert [one.addresses for one in found.ready] == [("10.244.0.108",)]
    assert [pod.metadata.name.partition("-")[0] for pod in found.pods] == ["coredns"]
    assert found.node_local == {}
    assert found.node_local_addresses == ()


async def test_a_corefile_that_was_not_recorded_is_missing() -> None:
    found = await dns(recorded.source("healthy"))
    assert found.config is None
    assert [one.kind for one in found.missing] == [GapKind.NOT_RECORDED]
    assert "get configmaps coredns" in found.missing[0].command


async def test_backends_that_cannot_be_read_are_unknown_not_none() -> None:
    source = edited(recorded.source("healthy"), gap(of("endpointslices")))
    found = await dns(source)
    assert found.backends is None
    assert any(one.kind is GapKind.FORBIDDEN for one in found.missing)


async def test_no_backend_is_ready() -> None:
    def unready(item: Object) -> Object:
        ends = [{**one, "conditions": {"ready": False}} for one in item["endpoints"] or ()]
        return {**item, "endpoints": ends}

    found = await dns(edited(recorded.source("healthy"), each("endpointslices", unready)))
    assert found.backends
    assert found.ready == ()


async def test_caches_on_nodes_are_found_with_their_addresses() -> None:
    cache = {
        "metadata": {
            "name": "node-local-dns-x",
            "namespace": "kube-system",
            "labels": {"k8s-app": "node-local-dns"},
        },
        "spec": {
            "nodeName": NODE,
            "containers": [
                {"name": "node-cache", "args": ["-localip", "169.254.20.10,10.96.0.10", "-conf", "x"]}
            ],
        },
    }
    found = await dns(edited(recorded.source("healthy"), added("pods", cache)))
    assert list(found.node_local) == [NODE]
    assert found.node_local_addresses == ("169.254.20.10", "10.96.0.10")


async def test_the_corefile_of_the_practice_cluster_is_read() -> None:
    source = WorldSource(scenarios.load("healthy").world(nodes=3))
    found = await dns(source)
    assert found.missing == ()
    assert found.config is not None
    assert found.config.corefile.cluster_domains == ("cluster.local",)
    assert [one.targets for one in found.config.corefile.forwards] == [("/etc/resolv.conf",)]
    assert str(found.config.ref) == "ConfigMap kube-system/coredns"
    assert len(found.ready) == len(found.pods) > 1


async def test_a_configmap_without_a_corefile_is_a_gap() -> None:
    def without(data: bytes) -> bytes:
        return json.dumps({**json.loads(data), "data": {}}).encode()

    source = edited(WorldSource(scenarios.load("healthy").world(nodes=3)), body(of("configmaps"), without))
    known = await knowing(source).know(CorednsConfig)
    assert isinstance(known, Gap)
    assert "no key Corefile" in known.detail


async def test_what_pods_are_told() -> None:
    pods = await knowing(recorded.source("healthy")).know(Pods)
    assert isinstance(pods, Pods)
    by_name = {pod.metadata.name.rsplit("-", 2)[0]: resolver_of(pod) for pod in pods.items}
    assert (by_name["cart"].policy, by_name["cart"].ndots, by_name["cart"].asks_cluster) == (
        "ClusterFirst",
        2,
        True,
    )
    assert by_name["cart"].nameservers is None
    assert (by_name["coredns"].policy, by_name["coredns"].asks_cluster) == ("Default", False)


@pytest.mark.parametrize(
    ("policy", "host", "asks", "servers"),
    [
        ("", False, True, None),
        ("ClusterFirst", True, False, None),
        ("ClusterFirstWithHostNet", True, True, None),
        ("None", False, False, ("1.1.1.1",)),
    ],
)
def test_policies_mean_what_the_kubelet_does(
    policy: str, host: bool, asks: bool, servers: tuple[str, ...] | None
) -> None:
    config = DnsConfig(("1.1.1.1",), ("a.example",), (DnsOption("ndots", "x"), DnsOption("edns0")))
    spec = PodSpec(host_network=host, containers=(Container(),), dns_policy=policy, dns_config=config)
    found = resolver_of(Pod(Meta(name="p"), spec))
    options = (("ndots", "x"), ("edns0", ""))
    assert found == Resolver(policy or "ClusterFirst", asks, servers, ("1.1.1.1",), ("a.example",), options)
    assert found.ndots is None


async def test_the_proxy_tells_whose_questions_it_reads() -> None:
    known = await knowing(recorded.source("healthy")).know(DnsProxy, NODE)
    assert isinstance(known, DnsProxy)
    assert known.endpoints == {31, 1721}
    assert known.ports == {44627}
    assert [(one.protocol, one.port) for one in known.redirects if one.endpoint == 31] == [
        ("SCTP", 53),
        ("TCP", 53),
        ("UDP", 53),
    ]


async def test_a_status_without_proxies_is_a_gap_not_an_idle_proxy() -> None:
    def without(data: bytes) -> bytes:
        return json.dumps({k: v for k, v in json.loads(data).items() if k != "proxy"}).encode()

    source = edited(recorded.source("healthy"), body(command("cilium-dbg", "status", "-o", "json"), without))
    known = await knowing(source).know(DnsProxy, NODE)
    assert isinstance(known, Gap)
    assert "does not tell its proxies" in known.detail
