"""What is not known is never shown as agreeing."""

from __future__ import annotations

import pytest

from playbooks.engine.beside.gathering import beside
from playbooks.engine.beside.sight import Sight
from playbooks.engine.beside.tables import CellKind, Table, Verdict
from playbooks.model.bpf.endpoints import EndpointMap
from playbooks.model.bpf.load_balancing import ServiceMap
from playbooks.model.bpf.policy import PolicyMaps
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.map_state import AgentMapState
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.cilium.agent.services import AgentServices
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.fact import Fact
from playbooks.model.finding import Ref
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.policies.reading import WrittenPolicies
from tests.engine.beside.sights import cells, ran, row

CART = Ref("Service", "cart", "shop")


def _agreeing(table: Table) -> list[str]:
    return [one.name.raw for one in table.rows if one.verdict is Verdict.AGREES]


@pytest.mark.parametrize(
    ("missing", "column"), [(Services, 0), (EndpointSlices, 0), (AgentServices, 1), (ServiceMap, 2)]
)
async def test_side_of_a_service(missing: type[Fact], column: int) -> None:
    """Whatever the others say: no row agrees, none is called wrong for it, and the reason is told."""
    (table,) = (await (await ran("healthy")).beside_subject(CART, "service", missing)).tables
    assert _agreeing(table) == []
    assert table.wrong == 0
    assert table.doubtful == table.total
    gap = table.columns[column].unseen
    assert gap is not None
    assert missing.__name__ in gap.detail
    assert all(one.cells[column].kind in (CellKind.UNSEEN, CellKind.SILENT) for one in table.rows)


@pytest.mark.parametrize("missing", [PolicyMaps, WrittenPolicies])
async def test_side_of_a_policy_map(missing: type[Fact]) -> None:
    """Without the policies or the map nothing can be said of any entry."""
    policy = (await (await ran("09")).beside("POL004", missing)).tables[0]
    assert _agreeing(policy) == []
    assert policy.wrong == (1 if missing is WrittenPolicies else 0)


async def test_agent_of_a_policy_map() -> None:
    """An agent that tells neither entries nor selectors leaves the column empty, with the reason."""
    policy = (await (await ran("map-row-missing")).beside("POL004", AgentMapState, AgentSelectors)).tables[0]
    assert _agreeing(policy) == []
    assert policy.columns[1].unseen is not None


@pytest.mark.parametrize("missing", [Pods, ClusterEndpoints, EndpointMap])
async def test_side_of_an_endpoint(missing: type[Fact]) -> None:
    """The row of the endpoint is not known without any of its sides."""
    one = await ran("09")
    found = await one.beside("POL004", missing)
    tables = [table for table in found.tables if table.what == "endpoint"]
    if missing is Pods:
        assert tables == []
        return
    assert row(tables[0], "endpoint of").verdict is Verdict.UNSEEN


async def test_nobody_told_anything() -> None:
    """Then there is no table."""
    blind = (Services, EndpointSlices, AgentServices, ServiceMap)
    assert (await (await ran("healthy")).beside_subject(CART, "service", *blind)).tables == ()
    endpoint = (await (await ran("09")).beside("POL004", AgentEndpoints)).tables[0]
    assert [one.verdict for one in endpoint.rows] == [Verdict.UNSEEN] * endpoint.total


async def test_identities_that_labels_do_not_tell() -> None:
    """An entry for the whole cluster: agent and map agree, but no label says whether policies mean it."""
    pod = Ref("Pod", "cart-client-zcllnzp9k-w7gnz", "shop")
    table = (await (await ran("deny-swallows")).beside_subject(pod, "policy")).tables[0]
    one = row(table, "out to  this cluster")
    assert one.verdict is Verdict.UNSEEN
    assert cells(one)[0] == "cannot tell"


async def test_nothing_is_asked_while_a_run_is_under_way() -> None:
    """What nobody asked yet is said to be so."""
    look = (await ran("service-no-backends")).run._knowing(9, None, frozenset())
    counted = look.asking.counts
    finding = next((await ran("service-no-backends")).snapshot.every()).finding
    assert (await beside(Sight(look, may_ask=False), finding, "service")).tables == ()
    assert counted.asked == 0


async def test_little_is_asked_for_a_table_alone() -> None:
    """Where no rule looked at maps, three nodes are asked and no more."""
    one = await ran("service-no-backends")
    look = one.run._knowing(9, None, frozenset())
    (table,) = (await beside(Sight(look), next(one.snapshot.every()).finding, "service")).tables
    assert len((table.node, *table.alike)) == 3
    assert len(look.nodes_of(ServiceMap)) == 3
