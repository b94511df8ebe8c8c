"""An agent whose container got another name: what it runs decides, not how it is called."""

from __future__ import annotations

from playbooks.practice import answering, commands
from playbooks.practice.catalog import DAEMON_SETS
from playbooks.practice.ownership import Writer
from playbooks.practice.world import build


def test_an_agent_whose_container_was_renamed_still_answers() -> None:
    world = build(nodes=3)
    item = world.store.get(DAEMON_SETS, "kube-system", "cilium")
    assert item is not None
    pod = item["spec"]["template"]["spec"]
    renamed = [
        {**one, "name": "agent"} if one["name"] == "cilium-agent" else one for one in pod["containers"]
    ]
    template = {**item["spec"]["template"], "spec": {**pod, "containers": renamed}}
    spec = {**item["spec"], "template": template}
    world.put(DAEMON_SETS, {**item, "spec": spec}, Writer("kubectl-edit"))
    world.advance(1200)
    assert len(world.agents) == 3
    for run in world.agents.values():
        brief = ("cilium-dbg", "status", "--brief")
        ran = answering.execute(world, "kube-system", run.name, "agent", brief)
        assert ran == commands.Output(b"OK\n")
        assert run.is_ready
