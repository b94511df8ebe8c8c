"""What nodes are, and what the chosen ones have that others have not."""

from __future__ import annotations

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.node_attributes import Attribute, NodeAttributes
from playbooks.model.fact import Choice
from playbooks.practice import scenarios
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Object, each, edited, gap, of


async def attributes(source: Source) -> NodeAttributes:
    known = await Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now).know(NodeAttributes)
    assert isinstance(known, NodeAttributes)
    return known


async def test_a_recorded_node_is_told_by_its_object_and_its_agent() -> None:
    found = (await attributes(recorded.source("healthy"))).by_node["lab-node-1"]
    assert found == {
        Attribute.ARCHITECTURE: "amd64",
        Attribute.KERNEL: "6.18.44-fc-v595",
        Attribute.OS_IMAGE: "Debian GNU/Linux 12 (bookworm)",
        Attribute.RUNTIME: "containerd://1.6.20",
        Attribute.KUBELET: "v1.34.4",
        Attribute.AGENT_VERSION: "1.20.2",
        Attribute.AGENT_STARTED: "under 1h",
        Attribute.AGE: "under 1h",
    }


async def test_without_agents_nodes_are_still_told() -> None:
    source = edited(recorded.source("healthy"), gap(of("daemonsets")), gap(of("pods")))
    found = (await attributes(source)).by_node["lab-node-1"]
    assert Attribute.AGENT_VERSION not in found
    assert found[Attribute.KERNEL]


async def test_without_nodes_it_is_a_gap() -> None:
    source = edited(recorded.source("healthy"), gap(of("nodes")))
    known = await Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now).know(NodeAttributes)
    assert isinstance(known, Gap)


def pooled(chosen: str) -> Source:
    """Three practice nodes and more, one of which is in another pool and zone, with another kernel."""

    def change(item: Object) -> Object:
        is_chosen = item["metadata"]["name"] == chosen
        labels = {
            **item["metadata"]["labels"],
            "karpenter.sh/nodepool": "spot" if is_chosen else "base",
            "topology.kubernetes.io/zone": "zone-a",
            "node.kubernetes.io/instance-type": "large",
        }
        info = {**item["status"]["nodeInfo"], "kernelVersion": "6.1.0" if is_chosen else "5.15.0"}
        meta = {**item["metadata"], "labels": labels}
        return {**item, "metadata": meta, "status": {**item["status"], "nodeInfo": info}}

    return edited(WorldSource(scenarios.load("healthy").world(nodes=4)), each("nodes", change))


async def test_the_sharpest_contrast_comes_first() -> None:
    plain = await attributes(WorldSource(scenarios.load("healthy").world(nodes=4)))
    chosen = sorted(plain.by_node)[-1]
    found = await attributes(pooled(chosen))
    assert found.groups(Attribute.POOL)["spot"] == (chosen,)
    assert len(found.groups(Attribute.ZONE)["zone-a"]) == len(found.by_node)
    contrasts = {one.attribute: one for one in found.contrasts([chosen])}
    assert (contrasts[Attribute.POOL].value, contrasts[Attribute.POOL].others) == ("spot", ())
    assert contrasts[Attribute.KERNEL].value == "6.1.0"
    assert Attribute.ZONE not in contrasts
    assert Attribute.INSTANCE_TYPE not in contrasts
    others = [len(one.others) for one in found.contrasts([chosen])]
    assert others == sorted(others)


async def test_all_nodes_have_no_contrast() -> None:
    found = await attributes(WorldSource(scenarios.load("healthy").world(nodes=4)))
    assert found.contrasts(list(found.by_node)) == ()
    assert found.contrasts([]) == ()
