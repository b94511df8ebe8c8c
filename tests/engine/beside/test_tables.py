"""Tables of many nodes and many rows, made of the practice cluster and of facts made for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from playbooks.engine.beside.endpoints import found as pod_found
from playbooks.engine.beside.ipcache import Vantage, node_table, pod_table
from playbooks.engine.beside.services import Sides, service_table
from playbooks.engine.beside.tables import MOST_ROWS, Verdict
from playbooks.model.answer import Gap, GapKind
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.bpf.load_balancing import MapService, ServiceMap
from playbooks.model.cilium.agent.addresses import AgentAddresses
from playbooks.model.cilium.agent.services import (
    AgentService,
    AgentServices,
    Flags,
    Frontend,
    ServiceBackend,
    ServiceSpec,
)
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.fact import Provenance
from playbooks.model.finding import Ref
from playbooks.model.kube.endpoint_slices import EndpointSlice, EndpointSlices, SliceEndpoint, SlicePort
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Service, ServicePort, Services
from playbooks.model.kube.services import ServiceSpec as Asked
from playbooks.model.views.services import ServiceView
from tests.engine.beside.sights import cells, ran, row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BIG = Ref("Service", "big", "shop")


def _provenance(command: str) -> Provenance:
    return Provenance(command, "somebody", NOW)


def _big(count: int, lacking: int) -> Sides:
    """A service of many backends, of which the map lacks one."""
    addresses = [f"10.{at // 65536}.{at // 256 % 256}.{at % 256}" for at in range(count)]
    service = Service(
        Meta(name="big", namespace="shop"),
        Asked(ports=(ServicePort(80, target_port=8080),), cluster_ip="10.96.0.7"),
    )
    one = EndpointSlice(
        Meta(name="big-1", namespace="shop", labels={"kubernetes.io/service-name": "big"}),
        endpoints=tuple(SliceEndpoint(addresses=(address,)) for address in addresses),
        ports=(SlicePort(port=8080),),
    )
    backends = tuple(ServiceBackend(address, 8080, "TCP", "active", True) for address in addresses)
    flags = Flags("ClusterIP", "big", "shop")
    agent = AgentService(ServiceSpec(1, Frontend("10.96.0.7", 80, "TCP"), backends, flags))
    slots = {at + 1: f"{address}:8080/TCP" for at, address in enumerate(addresses) if at != lacking}
    entry = MapService("10.96.0.7:80/TCP", False, 1, ("ClusterIP",), slots, {})
    return Sides(
        Services(provenance=_provenance("services"), items=(service,)),
        EndpointSlices(provenance=_provenance("slices"), items=(one,)),
        AgentServices(provenance=_provenance("agent"), items=(agent,)),
        ServiceMap(provenance=_provenance("map"), items=(entry,)),
    )


def test_many_rows_are_cut_and_counted_those_that_do_not_agree_first() -> None:
    """Ten thousand backends: what is wrong is among the rows that are shown, and all are counted."""
    table = service_table(BIG, "node-1", _big(10_000, lacking=9_999))
    assert table is not None
    assert (len(table.rows), table.total, table.wrong) == (MOST_ROWS, 10_001, 1)
    assert [one.name.raw for one in table.rows if one.verdict.is_wrong] == ["→ 10.0.39.15:8080"]


def test_slot_whose_backend_is_in_no_map() -> None:
    """A slot that leads nowhere is wrong whatever the others hold."""
    sides = _big(2, lacking=1)
    assert isinstance(sides.entries, ServiceMap)
    broken = replace(sides.entries.items[0], broken={2: 77})
    table = service_table(BIG, "node-1", replace(sides, entries=replace(sides.entries, items=(broken,))))
    assert table is not None
    assert row(table, "slot 2").verdict is Verdict.DIFFERS


def test_backend_that_ends_is_not_wrong() -> None:
    """An agent keeps it for connections that there are; the map need not."""
    sides = _big(2, lacking=1)
    assert isinstance(sides.agent, AgentServices)
    spec = sides.agent.items[0].spec
    first, last = spec.backend_addresses or ()
    ends = ServiceBackend(last.ip, last.port, last.protocol, "terminating", True)
    kept = AgentService(ServiceSpec(spec.id, spec.frontend_address, (first, ends), spec.flags))
    table = service_table(BIG, "node-1", replace(sides, agent=replace(sides.agent, items=(kept,))))
    assert table is not None
    assert table.wrong == 0
    assert cells(row(table, "10.0.0.1")) == ("ready", "terminating", "no entry")


async def test_equal_nodes_are_one_table_and_the_wrong_one_comes_first() -> None:
    """Six nodes: one that is wrong, five that are alike."""
    wrong, right = (await (await ran("service-map-stale")).beside("SVC018")).tables
    assert (wrong.wrong, wrong.alike) == (2, ())
    assert (right.wrong, len(right.alike)) == (0, 4)
    verdicts = {one.name.raw: (one.verdict, one.note.raw) for one in wrong.rows if one.verdict.is_wrong}
    assert verdicts == {
        "→ 10.244.3.14:8080": (Verdict.MISSING, "in the map"),
        "→ 10.244.3.250:8080": (Verdict.EXTRA, "in the map"),
    }


async def test_tables_and_rules_judge_alike() -> None:
    """What the view that rules read calls different is wrong in the table, and nothing else."""
    one = await ran("service-map-stale")
    wrong = (await one.beside("SVC018")).tables[0]
    view = await one.run.know(ServiceView, wrong.node)
    assert isinstance(view, ServiceView)
    assert {each.detail.removeprefix("backend ").removesuffix("/TCP") for each in view.differences} == {
        each.name.raw.removeprefix("→ ") for each in wrong.rows if each.verdict.is_wrong
    }


async def test_addresses_of_pods_that_are_gone() -> None:
    """Kept by the agent for nobody."""
    (table,) = (await (await ran("addresses-leak")).beside("END004")).tables
    assert (table.total, table.wrong) == (253, 249)
    kube, agent, held = cells(table.rows[0])
    assert (kube, held) == ("no pod", "no entry")
    assert agent.startswith("given to batch/nightly-report-")
    assert table.rows[0].note.raw == "in the agent: kept for a pod that is gone"


async def test_address_that_one_node_takes_for_another() -> None:
    """Each node is a row: one lacks the address in its map, one has another identity there."""
    one = await ran("map-row-missing")
    ref = next(one.snapshot.every()).finding.subject
    found = (await one.beside_subject(ref, "endpoint")).tables
    assert [each.what for each in found[1:]] == ["endpoint", "ipcache"]
    pods, published = await one.run.know(Pods), await one.run.know(ClusterEndpoints)
    assert isinstance(published, ClusterEndpoints)
    vantages = []
    for at, node in enumerate(one.snapshot.nodes):
        known, entries = await one.run.know(AgentAddresses, node), await one.run.know(IpcacheMap, node)
        assert isinstance(entries, IpcacheMap)
        of_pod = [each for each in entries.items if each.cidr == "10.244.2.46/32"]
        others = tuple(each for each in entries.items if each not in of_pod)
        wrong = ((), (replace(of_pod[0], identity=77),), tuple(of_pod))[min(at, 2)]
        vantages.append(Vantage(node, known, replace(entries, items=(*others, *wrong))))
    table = pod_table(pod_found(ref, "", pods, Gap(GapKind.FAILED, "")), published, vantages)
    assert table is not None
    assert (table.total, table.wrong, table.node) == (6, 2, "")
    assert [each.verdict for each in table.rows[:3]] == [Verdict.MISSING, Verdict.DIFFERS, Verdict.AGREES]
    assert cells(table.rows[1])[2].startswith("77")
    of_node = node_table(pods, published, vantages[0])
    assert of_node is not None
    assert [each.name.raw for each in of_node.rows if each.verdict.is_wrong] == ["10.244.2.46/32"]
