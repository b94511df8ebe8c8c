"""What rules see of the practice world's policies: all sides agree, until something is taken out of one."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap
from playbooks.model.bpf.policy import PolicyMaps
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.map_state import AgentMapState
from playbooks.model.cilium.agent.policy import AgentPolicy
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.fact import Choice, F, Fact
from playbooks.model.views.differences import Difference, Kind
from playbooks.model.views.ipcache import IpcacheView
from playbooks.model.views.policy import PolicyView
from playbooks.practice import commands, profile
from playbooks.practice.operations import carry_out
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build
from tests.practice.policies.deciding import pod
from tests.practice.worlds import seen, set_up


def said(world: World, node: str, command: str) -> Any:
    output = commands.run(world, world.agents[node], "cilium-agent", tuple(shlex.split(command)))
    assert isinstance(output, commands.Output)
    assert output.exit_code == 0, output.stderr
    return json.loads(output.stdout) if "json" in command else output.stdout.decode()


async def known(world: World, kind: type[F], node: str) -> F:
    source = WorldSource(world)
    found = await Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now).know(kind, node)
    assert not isinstance(found, Gap), found
    return found


async def differences(
    world: World, view: type[PolicyView] | type[IpcacheView], node: str
) -> tuple[Difference, ...]:
    found = await known(world, view, node)
    assert isinstance(found, PolicyView | IpcacheView)
    return found.differences


@pytest.mark.parametrize("name", profile.names())
async def test_all_sides_agree_in_every_healthy_profile(name: str) -> None:
    world = set_up(name)
    await agree(world)


async def test_all_sides_agree_in_a_mesh() -> None:
    await agree(seen("mesh-healthy"))


async def agree(world: World) -> None:
    for node in {pod(world, app).node for app in ("redis", "checkout-client", "intruder")}:
        for view in (PolicyView, IpcacheView):
            assert await differences(world, view, node) == ()


@pytest.mark.parametrize("kind", [AgentEndpoints, AgentSelectors, AgentPolicy, PolicyMaps, AgentMapState])
async def test_every_side_can_be_read(kind: type[Fact]) -> None:
    world = set_up("tunnel")
    await known(world, kind, next(iter(world.network.nodes)))


async def test_an_entry_that_was_taken_out_of_the_map_shows_until_the_agent_puts_it_back() -> None:
    world = build(0)
    redis = pod(world, "redis")
    client = world.policies.census.known(pod(world, "cart-client")).identity
    endpoint = world.network.endpoints["shop", redis.name].id
    lost = {"runs": {"app": "redis"}, "peer": {"app": "cart-client"}, "direction": "ingress", "port": 6379}
    carry_out(world, [{"lose": lost}])
    (found,) = await differences(world, PolicyView, redis.node)
    assert (found.subject, found.kind) == (f"endpoint {endpoint}", Kind.MISSING)
    assert found.detail == f"allow ingress from identity {client} at 6379/TCP"
    world.advance(901)
    assert await differences(world, PolicyView, redis.node) == ()
