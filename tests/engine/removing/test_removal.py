"""May kube-proxy go: what agents say, what is in use, and what nobody could see."""

from __future__ import annotations

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.engine.removing.judging import judge
from playbooks.engine.removing.verdicts import May, Removal
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Choice
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.agent.judged import Json, config
from tests.edited import Edit, command, each, edited, gap, of
from tests.service.telling import NODE, instead, service
from tests.service.test_replacement import LEFT, RULES, features, proxy

STATUS = command("cilium-dbg", "status")


async def judged(source: Source) -> Removal | Gap:
    knowing = Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)
    agents = await knowing.know(Agents)
    assert isinstance(agents, Agents)
    found = await judge(knowing, agents.nodes)
    await knowing.cancel()
    return found


async def removal(*edits: Edit) -> Removal:
    found = await judged(edited(recorded.source("healthy"), *edits))
    assert isinstance(found, Removal)
    return found


def said(found: Removal) -> str:
    every = [*found.breaks, *(one for node in found.nodes for one in node.breaks)]
    return "\n".join(f"{one.what} {one.fix}" for one in every)


async def test_agents_that_serve_all_that_is_in_use_let_it_go() -> None:
    found = await removal(proxy())
    assert found.may is May.GO
    assert found.proxies == 1
    assert [one.node for one in found.nodes] == [NODE]
    assert any("connections" in note.lower() for note in found.notes)
    assert any("service list" in what for _, what in found.compare)


async def test_without_replacement_nobody_would_serve() -> None:
    found = await removal(proxy(), features(mode="False"))
    assert found.may is May.WOULD_BREAK
    assert "does not replace kube-proxy (mode False)" in said(found)


async def test_a_kind_in_use_that_an_agent_does_not_serve_would_break() -> None:
    found = await removal(features(nodePort={"enabled": False}, sessionAffinity={}))
    assert "does not serve NodePort, which Service shop/frontend uses" in said(found)
    assert "does not serve Session Affinity" in said(found)
    assert (await removal(features(externalIPs={"enabled": False}))).may is May.GO


def with_host_port(node: str) -> Edit:
    def put(document: Json) -> Json:
        if document["metadata"]["name"].startswith("frontend-"):
            document["spec"]["nodeName"] = node
            document["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "hostPort": 8080}]
        return document

    return each("pods", put)


async def test_host_ports_matter_on_their_own_nodes() -> None:
    off = features(hostPort={"enabled": False})
    assert "HostPort" in said(await removal(off, with_host_port(NODE)))
    assert (await removal(off, with_host_port("other"))).may is May.GO


async def test_processes_of_the_host_need_the_socket_balancer() -> None:
    assert "Socket LB is off" in said(await removal(features(socketLB={"enabled": False})))


async def test_agents_that_reach_the_api_server_by_its_cluster_ip_would_not_come_back() -> None:
    def untold(document: Json) -> Json:
        for container in document["spec"]["template"]["spec"]["containers"]:
            container["env"] = [one for one in container.get("env", ()) if "SERVICE" not in one["name"]]
        return document

    found = await removal(each("daemonsets", untold))
    assert found.may is May.WOULD_BREAK
    assert "k8sServiceHost" in said(found)
    told = config(**{"k8s-api-server-urls": "https://192.0.2.9:6443"})
    assert (await removal(each("daemonsets", untold), told)).may is May.GO


async def test_sctp_needs_its_switch() -> None:
    sctp = service("cart", ports=[{"port": 80, "protocol": "SCTP"}])
    assert "SCTP" in said(await removal(sctp))
    assert (await removal(sctp, config(**{"enable-sctp": "true"}))).may is May.GO


async def test_rules_that_stay_behind_are_noted() -> None:
    found = await removal(instead(RULES, LEFT))
    assert found.may is May.GO
    assert "1 chains of kube-proxy" in found.nodes[0].notes[0]


async def test_a_node_that_only_kube_proxy_serves_keeps_it() -> None:
    found = await removal(proxy("windows-1"))
    assert found.may is May.WOULD_BREAK
    assert "no agent is meant to" in said(found)


async def test_what_nobody_saw_is_not_said_to_be_well() -> None:
    found = await removal(gap(STATUS))
    assert found.may is May.CANNOT_TELL
    assert found.nodes[0].unchecked
    assert (await removal(gap(of("configmaps")))).may is May.CANNOT_TELL
    assert isinstance(await judged(edited(recorded.source("healthy"), gap(of("services")))), Gap)


async def test_the_practice_cluster_may_do_without() -> None:
    found = await judged(WorldSource(load("healthy").world(0)))
    assert isinstance(found, Removal)
    assert (found.may, len(found.nodes)) == (May.GO, 6)
