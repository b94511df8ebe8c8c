"""Tables made of recorded clusters: they show what is wrong there, and nothing else."""

from __future__ import annotations

import pytest

from playbooks.engine.beside.tables import CellKind, Table, Verdict
from playbooks.model.finding import Ref
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from tests.engine.beside.sights import Ran, cells, ran, row


async def _everything(one: Ran) -> list[Table]:
    """Tables of every service, pod and node."""
    pods, services = await one.run.know(Pods), await one.run.know(Services)
    assert isinstance(pods, Pods)
    assert isinstance(services, Services)
    refs = [(pod.ref, "policy") for pod in pods.items] + [(each.ref, "service") for each in services.items]
    refs += [(Ref("Node", node, node=node), "endpoint") for node in one.snapshot.nodes]
    return [table for ref, playbook in refs for table in (await one.beside_subject(ref, playbook)).tables]


async def test_entry_that_the_policy_map_lacks() -> None:
    """LAB-09: the policy and the agent admit it, the map has no entry."""
    found = await (await ran("09")).beside("POL004")
    policy, endpoint, address = found.tables
    assert policy.what == "policy map of endpoint 811"
    assert (policy.wrong, policy.doubtful) == (1, 0)
    first = policy.rows[0]
    assert first.name.raw == "in from app=cart-client 72500  6379/TCP"
    assert cells(first) == ("allow by redis-ingress", "allow", "no entry")
    assert (first.verdict, first.note.raw) == (Verdict.MISSING, "in the map")
    assert first.cells[2].kind is CellKind.ABSENT
    assert "38,445 packets" in row(policy, "out to  this cluster").cells[2].text.raw
    assert (endpoint.wrong, address.wrong) == (0, 0)


async def test_each_column_names_the_command_behind_it() -> None:
    """Nobody has to trust us."""
    policy = (await (await ran("09")).beside("POL004")).tables[0]
    kube, agent, held = policy.columns
    assert any("ciliumnetworkpolicies" in one.raw for one in kube.commands)
    assert any("policy selectors" in one.raw for one in agent.commands)
    assert [one.raw.partition(" -- ")[2] for one in held.commands] == [
        "cilium-dbg bpf policy get --all -o json"
    ]
    assert all(column.taken_at for column in policy.columns)


async def test_pod_without_endpoint() -> None:
    """LAB-20: nobody but Kubernetes' list of pods knows it; the agent's log tells of its end."""
    found = await (await ran("18")).beside("END001")
    endpoint, address = found.tables
    assert address.rows[0].note.raw == "the node takes it for the world"
    assert cells(endpoint.rows[0]) == ("no CiliumEndpoint", "no endpoint", "no entry")
    assert (endpoint.rows[0].verdict, endpoint.rows[0].note.raw) == (Verdict.MISSING, "in the agent")
    (log,) = found.logs
    assert log.total == 5
    assert "Removed endpoint" in log.lines[-1].raw


async def test_service_without_backends() -> None:
    """LAB-02: all three agree that there is nobody, and it says what follows."""
    (table,) = (await (await ran("02")).beside("SVC001")).tables
    assert [one.verdict for one in table.rows] == [Verdict.AGREES, Verdict.AGREES]
    assert all("connections are refused" in one.note.raw for one in table.rows)
    assert cells(table.rows[0]) == ("p8080 8080 → 8080, no backend", "ClusterIP, no backend", "no backend")


async def test_refused_traffic_has_a_row_where_no_side_has_one() -> None:
    """LAB-16: whom default deny refuses stands in the table of the policy, though no map names it."""
    tables = (await (await ran("16")).beside("POL003")).tables
    first = tables[0].rows[0]
    assert cells(first) == ("no rule admits it", "no rule", "no entry")
    assert first.note.raw.startswith("refused lately")
    assert "it selects 9 pods; 3 are shown" in tables[-1].note


@pytest.mark.parametrize("name", ["healthy", "01", "02", "03", "06", "08", "11", "16"])
async def test_silent_where_nothing_is_out_of_step(name: str) -> None:
    """Real software, every service, pod and node: no row that does not agree."""
    tables = await _everything(await ran(name))
    assert len(tables) > 30
    wrong = [
        (str(one.subject), each.name.raw) for one in tables for each in one.rows if each.verdict.is_wrong
    ]
    assert wrong == []


async def test_nothing_is_drawn_for_what_has_no_table() -> None:
    """Pods on the host's network, headless services, policies that select nobody, other kinds."""
    one = await ran("healthy")
    pods = await one.run.know(Pods)
    assert isinstance(pods, Pods)
    agent = next(pod.ref for pod in pods.items if pod.spec.host_network)
    for ref in (agent, Ref("DaemonSet", "cilium", "kube-system"), Ref("Pod", "nobody", "shop")):
        assert (await one.beside_subject(ref, "policy")).tables == ()
    assert (await one.beside("POL001")).tables == ()


async def test_sysdump_has_one_look_and_shows_the_same() -> None:
    """LAB-09 again: what a second look would have asked is read from the first."""
    one = await ran("sysdump 09")
    ref = Ref("Endpoint", "redis-75c57dcdd-vgv8d", "shop", "lab-node-1")
    policy = (await one.beside_subject(ref, "policy")).tables[0]
    assert cells(policy.rows[0]) == ("allow by redis-ingress", "allow", "no entry")
    assert (policy.wrong, policy.rows[0].verdict) == (1, Verdict.MISSING)
