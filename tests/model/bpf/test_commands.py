"""Every way about maps and programs asks a command that only reads, in old versions and in new ones."""

from __future__ import annotations

import pytest

from playbooks.knowledge.agent_commands import read_only
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scene
from playbooks.model.request import AgentCommand
from tests.facts import every_kind, running_agent

KINDS = [kind for kind in every_kind() if kind.__module__.startswith("playbooks.model.bpf")]
LARGE = ("ct", "nat list", "map list -o json", "map list --verbose")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1.14.1", "1.20.2"])
def test_it_only_reads(kind: type[Fact], version: str) -> None:
    scene = Scene({Agents: running_agent("n", "kube-system", "cilium-x", "agent", version=version)}, "n")
    for way in kind.ways:
        request = way.ask(scene)
        if isinstance(request, AgentCommand):
            assert read_only(request.argv)
            said = " ".join(request.argv)
            assert request.is_heavy == any(f" {part}" in said for part in LARGE), said
