"""Three-way views on recorded clusters, and on the same with one side changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.bpf.endpoints import EndpointMap
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.bpf.load_balancing import ServiceMap
from playbooks.model.bpf.policy import PolicyMaps
from playbooks.model.cilium.agent.addresses import AgentAddresses
from playbooks.model.cilium.agent.map_state import AgentMapState, WantedEntry, WantedMap
from playbooks.model.cilium.agent.services import AgentServices
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.fact import Fact, Provenance, Scene
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pods
from playbooks.model.views.differences import Difference, Kind, Side, lasting
from playbooks.model.views.endpoints import EndpointView
from playbooks.model.views.ipcache import IpcacheView
from playbooks.model.views.policy import PolicyView
from playbooks.model.views.services import ServiceView
from tests.model.bpf.reading import NODE, knowing, known
from tests.recorded import clusters

View = EndpointView | IpcacheView | PolicyView | ServiceView
VIEWS: tuple[type[View], ...] = (EndpointView, IpcacheView, PolicyView, ServiceView)
LEGACY = "legacy-5bd6d56859-pbm5g"
EXPECTED = {
    ("09-ipcache-and-policymap-entry-deleted", PolicyView): {
        ("endpoint 811", Side.MAP, Kind.MISSING, "allow ingress from identity 72500 at 6379/TCP", "")
    },
    ("18-stale-endpoint", EndpointView): {("10.244.0.190", Side.AGENT, Kind.MISSING, "its endpoint", LEGACY)},
}


@pytest.mark.parametrize("kind", VIEWS)
@pytest.mark.parametrize("cluster", [name for name in clusters() if not name.startswith("05")])
async def test_what_differs_in_both_looks(cluster: str, kind: type[View]) -> None:
    before, after = [await known(cluster, kind, look) for look in (1, 2)]
    lasts = lasting(before.differences, after.differences)
    told = {(one.subject, one.side, one.kind, one.detail, one.name) for one in lasts}
    assert told == EXPECTED.get((cluster, kind), set())


@pytest.mark.parametrize("kind", VIEWS)
async def test_an_agent_that_does_not_run_is_a_gap(kind: type[View]) -> None:
    gap = await knowing("05").know(kind, NODE)
    assert isinstance(gap, Gap)
    assert gap.kind is GapKind.NOT_RUNNING


async def test_services_that_kubernetes_itself_has_wrong_agree_on_all_sides() -> None:
    services = (await known("02", ServiceMap)).by_address
    assert services["10.96.114.171:8080/TCP", False].backends == {}
    services = (await known("03", ServiceMap)).by_address
    ports = {
        address.rpartition(":")[2] for address in services["10.96.1.242:80/TCP", False].backends.values()
    }
    assert ports == {"8088/TCP"}


async def changed(kind: type[View], **facts: Fact | Gap) -> tuple[Difference, ...] | Gap:
    """What a view of the healthy cluster tells where some facts are others."""
    knows = knowing("healthy")
    needs: Mapping[type[Fact], Any] = {need: await knows.know(need, NODE) for need in kind.needs}
    other = {need: facts.get(need.__name__, fact) for need, fact in needs.items()}
    view = kind.derive(Scene(other, NODE))
    return view if isinstance(view, Gap) else view.differences


async def test_an_endpoint_that_the_map_lost_or_holds_with_an_old_identity() -> None:
    entries = await known("healthy", EndpointMap)
    rest = tuple(one for one in entries.items if one.address != "10.244.0.14")
    found = await changed(EndpointView, EndpointMap=replace(entries, items=rest))
    assert isinstance(found, tuple)
    assert [(one.subject, one.side, one.kind, one.namespace) for one in found] == [
        ("10.244.0.14", Side.MAP, Kind.MISSING, "shop")
    ]
    old = tuple(replace(one, identity=7) if one.address == "10.244.0.14" else one for one in entries.items)
    found = await changed(EndpointView, EndpointMap=replace(entries, items=old))
    assert isinstance(found, tuple)
    assert [(one.kind, one.detail) for one in found] == [(Kind.STALE, "identity 7 instead of 98236")]


async def test_an_endpoint_whose_pod_is_gone_and_one_that_was_not_published() -> None:
    pods = await known("healthy", Pods)
    found = await changed(
        EndpointView,
        Pods=replace(pods, items=tuple(pod for pod in pods.items if pod.status.pod_ip != "10.244.0.14")),
    )
    assert isinstance(found, tuple)
    assert [(one.subject, one.side, one.kind) for one in found] == [("10.244.0.14", Side.AGENT, Kind.EXTRA)]
    published = await known("healthy", ClusterEndpoints)
    found = await changed(EndpointView, ClusterEndpoints=replace(published, items=published.items[1:]))
    assert isinstance(found, tuple)
    assert [(one.side, one.kind, one.name) for one in found] == [
        (Side.PUBLISHED, Kind.MISSING, published.items[0].name)
    ]


async def test_an_address_with_another_identity_or_none() -> None:
    entries = await known("healthy", IpcacheMap)
    items = tuple(
        replace(one, identity=2) if one.cidr == "10.244.0.14/32" else one
        for one in entries.items
        if one.cidr != "10.244.0.18/32"
    )
    found = await changed(IpcacheView, IpcacheMap=replace(entries, items=items))
    assert isinstance(found, tuple)
    assert {(one.subject, one.kind, one.detail) for one in found} == {
        ("10.244.0.14/32", Kind.STALE, "identity 2 instead of 98236"),
        ("10.244.0.18/32", Kind.MISSING, "identity 98236"),
    }
    addresses = await known("healthy", AgentAddresses)
    text = tuple(msgspec.structs.replace(one, identity=None) for one in addresses.items)
    assert await changed(IpcacheView, AgentAddresses=replace(addresses, items=text)) == ()


async def test_a_backend_that_the_map_lost_and_a_frontend_that_the_agent_lost() -> None:
    entries = await known("healthy", ServiceMap)
    broken = tuple(
        replace(one, backends={}, broken={1: 36}) if one.address == "10.96.0.10:53/TCP" else one
        for one in entries.items
    )
    found = await changed(ServiceView, ServiceMap=replace(entries, items=broken))
    assert isinstance(found, tuple)
    assert {(one.subject, one.kind, one.name) for one in found} == {
        ("10.96.0.10:53/TCP", Kind.MISSING, "kube-dns"),
        ("10.96.0.10:53/TCP", Kind.STALE, "kube-dns"),
    }
    agent = await known("healthy", AgentServices)
    rest = tuple(one for one in agent.items if one.address != "10.96.0.10:53/TCP")
    found = await changed(ServiceView, AgentServices=replace(agent, items=rest))
    assert isinstance(found, tuple)
    assert {(one.side, one.kind, one.name) for one in found} == {
        (Side.AGENT, Kind.MISSING, "kube-dns"),
        (Side.MAP, Kind.EXTRA, ""),
    }


async def test_a_backend_that_kubernetes_no_longer_has() -> None:
    slices = await known("healthy", EndpointSlices)
    kept = tuple(one for one in slices.items if one.service != "redis")
    found = await changed(ServiceView, EndpointSlices=replace(slices, items=kept))
    assert isinstance(found, tuple)
    assert [(one.side, one.kind, one.detail, one.name) for one in found] == [
        (Side.AGENT, Kind.EXTRA, "backend 10.244.0.68:6379", "redis")
    ]


async def test_without_kubernetes_the_agent_and_its_map_are_compared() -> None:
    gap = Gap(GapKind.FORBIDDEN, "may not list services")
    assert await changed(ServiceView, Services=gap) == ()
    assert isinstance(await changed(ServiceView, AgentServices=gap), Gap)


def wanted(provenance: Provenance, *entries: WantedEntry) -> AgentMapState:
    return AgentMapState(provenance=provenance, items=(WantedMap(811, "shop", "redis-1", entries),))


async def test_a_policy_map_against_each_entry_that_the_agent_wants() -> None:
    maps = await known("healthy", PolicyMaps)
    held = maps.by_endpoint[811]
    names = {6: "TCP", 17: "UDP"}
    entries = [
        WantedEntry(
            entry.key.direction.title(),
            entry.key.identity,
            f"{names[entry.key.protocol]}/{entry.key.port}" if entry.key.protocol else "*",
            "allow",
            entry.proxy_port,
            (),
        )
        for entry in held.entries
    ]
    state = wanted(maps.provenance, *entries)
    assert await changed(PolicyView, AgentMapState=state) == ()
    more = WantedEntry("Ingress", 4711, "TCP/6379", "deny", 0, ())
    less = wanted(maps.provenance, *entries[1:], more)
    found = await changed(PolicyView, AgentMapState=less)
    assert isinstance(found, tuple)
    assert {(one.kind, one.detail) for one in found} == {
        (Kind.MISSING, "deny ingress from identity 4711 at 6379/TCP"),
        (Kind.EXTRA, f"allow {held.entries[0].key.said}"),
    }
    strange = wanted(maps.provenance, WantedEntry("Ingress", 1, "???", "allow", 0, ()))
    assert await changed(PolicyView, AgentMapState=strange) == ()


@pytest.mark.parametrize("kind", VIEWS)
async def test_a_side_that_was_cut_proves_nothing(kind: type[View]) -> None:
    sides = {
        EndpointView: EndpointMap,
        IpcacheView: IpcacheMap,
        PolicyView: PolicyMaps,
        ServiceView: ServiceMap,
    }
    fact: Fact = await known("healthy", sides[kind])
    cut = replace(fact, provenance=replace(fact.provenance, is_truncated=True))
    gap = await changed(kind, **{sides[kind].__name__: cut})
    assert isinstance(gap, Gap)
    assert "cut" in gap.detail
