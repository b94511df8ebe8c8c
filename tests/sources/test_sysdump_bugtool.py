"""The output of cilium-bugtool alone: whose it is is known by its own words, and all that it says is read."""

from __future__ import annotations

from pathlib import Path

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.discovery import catalogue
from playbooks.engine.knowing import Knowing
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.last_run import LastRun
from playbooks.model.cilium.lone_agent import LoneAgent
from playbooks.model.fact import Choice, Fact, Scope
from playbooks.model.outcome import OutcomeKind
from playbooks.model.request import AgentCommand
from playbooks.sources.sysdump import SysdumpSource
from tests import recorded
from tests.facts import every_kind
from tests.recorded import archive_of
from tests.sources.archives import BUGTOOL, HEALTHY, NODE, answered, contents, packed

BESIDE = {"AgentBgpSessions", "MarkValidation", "RefusedFlows", "ResetFlows"}
"""Told by other parts of sysdumps: a ConfigMap tells of gateways and BGP, flows are in files of their own."""


def knowing(source: Source) -> Knowing:
    return Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)


def alone(case: str, folder: Path) -> Path:
    """The bugtool output within a sysdump, as an archive of its own."""
    files = {
        f"cilium-bugtool-x/{path.split('/', 2)[2]}": data
        for path, data in contents(archive_of(case)).items()
        if path.count("/") > 1
    }
    path = folder / "bugtool.tar.gz"
    path.write_bytes(packed(files))
    return path


async def checked(path: Path) -> Snapshot:
    return await Run(SysdumpSource(path), Order(catalogue().rules)).start()


async def test_the_agent_is_known_by_what_it_says_of_itself() -> None:
    know = knowing(SysdumpSource(BUGTOOL)).know
    agents, installation = await know(Agents), await know(Installation)
    assert isinstance(agents, Agents)
    assert isinstance(installation, Installation)
    agent = agents.by_node[NODE]
    assert (agent.version, agent.is_running, f"{agent.started_at:%H:%M}") == ("1.20.2", True, "01:28")
    assert (installation.namespace, installation.version) == ("kube-system", "1.20.2")
    assert agent.command("cilium-dbg", "status").command() == "cilium-dbg status"
    assert agents.blind is not None
    assert not agents.nodes_known


async def test_what_rests_on_its_pod_is_not_known() -> None:
    assert isinstance(await knowing(SysdumpSource(BUGTOOL)).know(LastRun, NODE), Gap)


async def test_it_tells_of_its_node_what_the_sysdump_tells() -> None:
    """Both are of one agent, a minute apart."""
    alone, whole = knowing(SysdumpSource(BUGTOOL)), knowing(SysdumpSource(HEALTHY))
    kinds = [kind for kind in every_kind() if kind.scope is Scope.NODE and not kind.__name__.endswith("Log")]
    known = {kind.__name__ for kind in kinds if isinstance(await alone.know(kind, NODE), Fact)}
    expected = {kind.__name__ for kind in kinds if isinstance(await whole.know(kind, NODE), Fact)}
    assert len(expected) > 40
    assert known == expected - BESIDE


async def test_rules_that_hear_the_agent_judge_and_those_about_pods_do_not() -> None:
    outcomes = {rule: one.kind for rule, one in (await checked(BUGTOOL)).outcomes.items()}
    assert {outcomes[rule] for rule in ("AGT050", "AGT055", "AGT056", "AGT058", "AGT076")} == {
        OutcomeKind.CLEAN
    }
    assert {outcomes[rule] for rule in ("AGT001", "AGT003", "AGT020")} == {OutcomeKind.COULD_NOT_LOOK}
    assert outcomes["SVC021"] is OutcomeKind.COULD_NOT_LOOK
    assert outcomes.pop("POL029") is OutcomeKind.NOT_APPLICABLE, "no call was named"
    assert set(outcomes.values()) == {OutcomeKind.CLEAN, OutcomeKind.COULD_NOT_LOOK}


async def test_a_fault_that_the_agent_tells_is_found(tmp_path: Path) -> None:
    snapshot = await checked(alone("06-regeneration-failing", tmp_path))
    assert "AGT054" in {one.rule.id for one in snapshot.ranked}


async def test_a_cluster_with_pods_is_never_asked_about_a_lone_agent() -> None:
    look = knowing(recorded.source("healthy"))
    lone = await look.know(LoneAgent)
    assert isinstance(lone, LoneAgent)
    assert lone.node == ""
    asked = [request for request in look.asking.commands.values() if isinstance(request, AgentCommand)]
    assert asked == []


async def test_the_agents_commands_are_shown_as_they_are_typed_in_its_container() -> None:
    request = AgentCommand(NODE, "kube-system", "", "cilium-agent", ("cilium-health", "status", "-o", "json"))
    got = await answered(SysdumpSource(BUGTOOL), request)
    assert got.end.command == "cilium-health status -o json"
