"""Reads scenarios from the files beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import yaml

from playbooks.practice import mesh
from playbooks.practice.objects import Json
from playbooks.practice.operations import carry_out, duration_of
from playbooks.practice.profile import DEFAULT as USUAL
from playbooks.practice.world import START, World, build

DEFAULT = "agent-crashloop"
"""The scenario that is opened without a name."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Something that cures the fault."""

    title: str
    """What it does."""
    commands: tuple[str, ...]
    """What a person would type."""
    steps: tuple[Json, ...]
    """The same as changes to the world."""

    def carry_out(self, world: World) -> None:
        """Do it."""
        carry_out(world, list(self.steps))


@dataclass(frozen=True, slots=True)
class Peer:
    """Another cluster of the mesh."""

    nodes: int
    """How many nodes it has."""
    changes: tuple[Json, ...]
    """What is done to it, before anything is done to the first cluster."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault to practise on."""

    name: str
    """Its name on the command line."""
    symptom: str
    """What a person reports."""
    playbook: str
    """The playbook that finds it."""
    expected: tuple[str, ...]
    """Ids of the rules whose findings are its roots."""
    expected_faults: tuple[str, ...]
    """Names of those rules' modules."""
    allowed: tuple[str, ...]
    """Names of the modules of rules that may find something beside."""
    hints: tuple[str, ...]
    """Help, from vague to plain."""
    fixes: tuple[Fix, ...]
    """What counts as a cure."""
    changes: tuple[Json, ...]
    """What is done to a healthy world."""
    peer: Peer | None = None
    """Another cluster, with which it is meshed."""
    profile: str = USUAL
    """How the cluster is set up."""
    config: tuple[tuple[str, str], ...] = ()
    """What its `cilium-config` holds from the start beside what the profile says."""

    def world(self, seed: int = 0, nodes: int = 6, now: datetime = START) -> World:
        """The world with the fault in it, at the moment somebody begins to look."""
        steps = list(self.changes)
        if self.peer is None:
            begin = now - timedelta(seconds=duration_of(steps))
            world = build(seed, nodes, begin, self.profile, config=dict(self.config))
        else:
            first = list(self.peer.changes)
            begin = now - timedelta(seconds=duration_of([*first, *steps]))
            world, other = build(seed, nodes, begin, mesh_id=1), self._other(seed, begin)
            mesh.join(world, other)
            carry_out(other, first)
        carry_out(world, steps)
        return world

    def _other(self, seed: int, begin: datetime) -> World:
        # Another seed is another name; a mesh cannot have two clusters of one name.
        assert self.peer is not None
        return build(seed + 1, self.peer.nodes, begin, mesh_id=2)


@cache
def names() -> tuple[str, ...]:
    """All scenarios, the healthy one first."""
    found = (
        entry.name.removesuffix(".yaml")
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".yaml")
    )
    return tuple(sorted(found, key=lambda name: (name != "healthy", name)))


@cache
def load(name: str) -> Scenario:
    """One scenario. Raises `ValueError` for a name that does not exist."""
    if name not in names():
        raise ValueError(f"there is no practice scenario {name!r}; there are {', '.join(names())}")
    data: Json = yaml.safe_load(files(__package__).joinpath(f"{name}.yaml").read_text("utf-8"))
    return Scenario(
        name=name,
        symptom=" ".join(data["symptom"].split()),
        playbook=data["playbook"],
        expected=tuple(data.get("expected") or ()),
        expected_faults=tuple(data.get("expected_faults") or ()),
        allowed=tuple(data.get("allowed") or ()),
        hints=tuple(data.get("hints") or ()),
        fixes=tuple(
            Fix(fix["title"], tuple(fix["commands"]), tuple(fix["steps"])) for fix in data.get("fixes") or ()
        ),
        changes=tuple(data.get("changes") or ()),
        peer=_peer(data["peer"]) if "peer" in data else None,
        profile=data.get("profile", USUAL),
        config=tuple((data.get("config") or {}).items()),
    )


def _peer(data: Json) -> Peer:
    return Peer(data["nodes"], tuple(data.get("changes") or ()))
