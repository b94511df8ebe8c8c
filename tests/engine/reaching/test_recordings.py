"""What is said of connections in recorded clusters, where it is known whether they worked."""

from __future__ import annotations

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.verdicts import Reach, Said
from playbooks.engine.targets.parsing import parse
from playbooks.engine.targets.resolving import Directory, Resolved, Unresolved
from playbooks.model.bpf.policy import PolicyMaps
from playbooks.model.fact import Choice
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.services import Services
from playbooks.model.policies.pods import LabelledPods
from tests import recorded
from tests.edited import Edit, command, edited, gap


def knowing(cluster: str, *edits: Edit) -> Knowing:
    source = edited(recorded.source(cluster), *edits)
    return Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)


async def directory(known: Knowing) -> Directory:
    pods, services = await known.know(LabelledPods), await known.know(Services)
    slices = await known.know(EndpointSlices)
    assert isinstance(pods, LabelledPods)
    assert isinstance(services, Services)
    assert isinstance(slices, EndpointSlices)
    return Directory(pods, services, slices)


async def asked(cluster: str, source: str, destination: str, *edits: Edit) -> Reach:
    known = knowing(cluster, *edits)
    names = await directory(known)
    one, other = names.resolve(parse(source)), names.resolve(parse(destination))
    assert isinstance(one, Resolved)
    assert isinstance(other, Resolved)
    return await reach(known, one, other)


@pytest.mark.parametrize(
    ("cluster", "source", "destination", "said"),
    [
        ("healthy", "shop/cart-client", "shop/redis:6379", Said.ADMITTED),
        ("healthy", "shop/frontend-client", "shop/redis:6379", Said.NOT_ADMITTED),
        ("healthy", "default/intruder", "shop/cart:80", Said.NOT_ADMITTED),
        ("healthy", "shop/checkout-client", "api.payments.example:443", Said.ADMITTED),
        ("healthy", "shop/checkout-client", "198.51.100.10:8443", Said.NOT_ADMITTED),
        ("healthy", "shop/checkout-client", "198.51.100.20:80", Said.DENIED),
        ("healthy", "monitoring/prober", "shop/checkout:9090", Said.DENIED),
        ("healthy", "monitoring/prober", "shop/checkout:8080", Said.ADMITTED),
        ("01-policy-wrong-label", "shop/cart-client", "shop/redis:6379", Said.NOT_ADMITTED),
        ("16-default-deny-namespace", "shop/frontend-client", "shop/cart:80", Said.NOT_ADMITTED),
        ("18-stale-endpoint", "shop/cart-client", "default/legacy:8080", Said.CANNOT_TELL),
    ],
)
async def test_the_verdict_is_what_happened(cluster: str, source: str, destination: str, said: Said) -> None:
    assert (await asked(cluster, source, destination)).said is said


async def test_a_refusal_names_the_policies_and_what_was_seen() -> None:
    found = await asked("01-policy-wrong-label", "shop/cart-client", "shop/redis:6379")
    (pair,) = found.pairs
    assert pair.egress.said is Said.ADMITTED
    assert [str(one) for one in pair.ingress.default_deny] == ["CiliumNetworkPolicy shop/redis-ingress"]
    assert sum(len(one.flows) for one in found.observed) > 0


async def test_a_map_that_lost_its_entry_is_told_from_a_policy_that_does_not_admit() -> None:
    found = await asked("09-ipcache-and-policymap-entry-deleted", "shop/cart-client", "shop/redis:6379")
    assert found.said is Said.NOT_ADMITTED
    assert any("out of step" in doubt for doubt in found.pairs[0].ingress.doubts)


async def test_a_pod_that_a_node_takes_for_somebody_else_is_told() -> None:
    found = await asked("18-stale-endpoint", "shop/cart-client", "default/legacy:8080")
    assert any("reserved:world" in doubt for doubt in found.pairs[0].egress.doubts)
    assert found.unchecked


async def test_without_the_maps_nothing_is_claimed() -> None:
    maps = [
        gap(command("cilium-dbg", "bpf", "policy", "get", "--all", *more))
        for more in (("-o", "json"), ("-n",))
    ]
    found = await asked("healthy", "shop/cart-client", "shop/redis:6379", *maps)
    assert found.said is Said.CANNOT_TELL
    assert isinstance(await knowing("healthy", *maps).know(LabelledPods), LabelledPods)
    assert not isinstance(await knowing("healthy", *maps).know(PolicyMaps, "lab-node-1"), PolicyMaps)


async def test_what_is_not_there_says_what_is_near() -> None:
    names = await directory(knowing("healthy"))
    wrong = names.resolve(parse("shop/chekout"))
    assert isinstance(wrong, Unresolved)
    assert "shop/checkout" in wrong.near
    elsewhere = names.resolve(parse("default/redis"))
    assert isinstance(elsewhere, Unresolved)
    assert "shop/redis" in elsewhere.near
