"""What the practice cluster prints has the shape of what a real one prints."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from playbooks.practice import commands
from playbooks.practice.scenarios import names
from playbooks.practice.world import World
from tests.practice.shapes.paths import heads, leaves, paths, shape
from tests.practice.worlds import seen

SHAPES = json.loads((Path(__file__).parent / "shapes" / "shapes.json").read_text())
COMMANDS = [name for name, entry in SHAPES.items() if "common" in entry]
TEXTS = [name for name, entry in SHAPES.items() if "heads" in entry]
OBJECTS = [name for name in SHAPES if " " not in name]
DOCUMENTED = {
    "ciliumnetworkpolicies": {
        *(
            f"[].spec.ingress[].toPorts[].rules{path}"
            for path in ("", ".http", ".http[].method", ".http[].path")
        ),
        # Recorded only in policies of the whole cluster, whose rules are written the same way.
        "[].spec.egressDeny", "[].spec.egressDeny[].toCIDR", "[].spec.egress[].toCIDR",
    },
    # In the lab no pod waits before its first init container, and none mounts a Secret.
    "pods": {
        "[].spec.volumes[].secret", "[].spec.volumes[].secret.secretName",
        *(f"[].status.initContainerStatuses[].state.waiting{path}" for path in ("", ".reason")),
    },
    # The lab has no load balancer.
    "services": {
        "[].spec.healthCheckNodePort", "[].spec.loadBalancerSourceRanges",
        "[].status.loadBalancer.ingress", "[].status.loadBalancer.ingress[].ip",
        *(
            f"[].status.conditions{path}"
            for path in ("", "[].lastTransitionTime", "[].message", "[].reason", "[].status", "[].type")
        ),
    },
    "nodes": {"[].spec.taints[].value"},
    "ciliumnodes": {"[].spec.ingress.ipv4"},
    "deployments": {
        f"[].spec.template.spec.initContainers{path}"
        for path in (
            "", "[].command", "[].image", "[].imagePullPolicy", "[].name", "[].resources",
            "[].terminationMessagePath", "[].terminationMessagePolicy",
        )
    },
}  # fmt: skip
"""Keys of `facts` that no recording of the kind holds: there was no proxy for HTTP, and no mesh."""


@pytest.fixture(scope="module")
def world() -> World:
    return seen(seed=1)


def printed(world: World, command: str) -> list[str]:
    """What the agents of all nodes print."""
    outputs = []
    for run in world.agents.values():
        output = commands.run(world, run, "cilium-agent", tuple(shlex.split(command)))
        assert isinstance(output, commands.Output)
        assert output.exit_code == 0
        outputs.append(output.stdout.decode())
    return outputs


def known(name: str, which: str = "known") -> set[str]:
    return set(leaves(SHAPES[name][which]))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_key_is_invented(world: World, command: str) -> None:
    assert set.union(*map(shape, printed(world, command))) - known(command) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_key_is_left_out(world: World, command: str) -> None:
    ours = set.union(*map(shape, printed(world, command)))
    missing = known(command, "common") - ours
    # The elements of a list that is empty here have no keys.
    assert {path for path in missing if not in_an_empty_list(path, ours)} == set()


def in_an_empty_list(path: str, ours: set[str]) -> bool:
    parts = path.split("[]")
    lists = ["[]".join(parts[:end]) for end in range(1, len(parts))]
    return any(one in ours and not any(other.startswith(f"{one}[]") for other in ours) for one in lists)


@pytest.mark.parametrize("command", TEXTS)
def test_a_text_has_the_same_lines(world: World, command: str) -> None:
    for text in printed(world, command):
        assert heads(text) == SHAPES[command]["heads"]


@pytest.mark.parametrize("plural", OBJECTS)
@pytest.mark.parametrize("scenario", names())
def test_objects_have_only_real_keys(scenario: str, plural: str) -> None:
    world = seen(scenario)
    kind = next((kind for kind in world.store.kinds if kind.plural == plural), None)
    if kind is None:
        assert scenario == "operator-down"
        return
    items = world.store.all(kind)
    if plural == "leases":
        items = [item for item in items if item["metadata"]["namespace"] == "kube-system"]
    ours = {path for path in paths(items) if not path.startswith("[].metadata.managedFields")}
    assert ours - known(plural) - DOCUMENTED.get(plural, set()) == set()
