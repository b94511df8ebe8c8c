"""Our reading of policies against the practice cluster's, which keeps Cilium's rules in code of its own."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import tests.practice.policies as kept
from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.fact import Choice
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World
from tests.practice.policies.deciding import given, title

CASES = yaml.safe_load((Path(kept.__path__[0]) / "cases.yaml").read_text("utf-8"))
End = LabelledPod | str
"""A pod, or an address outside."""
_ASK = re.compile(r"(\S+) > (\S+) (\d+)(?:/(TCP|UDP|SCTP))?")
_SAID = {
    Decision.FREE: "allow",
    Decision.ADMITTED: "allowed",
    Decision.NOT_ADMITTED: "default-denied",
    Decision.DENIED: "denied",
}


_PASSES = {"allow": "passes", "allowed": "passes"}
"""Whether a policy had a say, or none was asked, makes no difference to who gets through."""


async def known(world: World) -> tuple[WrittenPolicies, LabelledPods]:
    source = WorldSource(world)
    knowing = Knowing(Asking(source, 1, Turns(8), lambda request: False), Choice(), lambda: source.now)
    policies, pods = await knowing.know(WrittenPolicies), await knowing.know(LabelledPods)
    assert isinstance(policies, WrittenPolicies)
    assert isinstance(pods, LabelledPods)
    return policies, pods


def said(policies: WrittenPolicies, source: End, to: End, port: int, protocol: str) -> str:
    containers = (to.pod.spec.containers if isinstance(to, LabelledPod) else None) or ()
    names = tuple(one.name for part in containers for one in part.ports or () if one.container_port == port)
    sides = [
        decide(policies.items, Asked(own.labels, way, peer_of(other), port, protocol, names)).decision
        for own, way, other in ((source, Direction.EGRESS, to), (to, Direction.INGRESS, source))
        if isinstance(own, LabelledPod)
    ]
    if Decision.UNKNOWN in sides:
        return "unknown"
    worst = next((one for one in (Decision.DENIED, Decision.NOT_ADMITTED) if one in sides), None)
    return _SAID[worst or (Decision.ADMITTED if Decision.ADMITTED in sides else Decision.FREE)]


def peer_of(end: End) -> Peer:
    return Peer(Labels(("reserved:world",)), end) if isinstance(end, str) else Peer(end.labels)


def named(pods: LabelledPods, path: str) -> LabelledPod:
    namespace, _, name = path.partition("/")
    return pods.by_name[namespace, name]


def is_between_pods(case: dict[str, Any], ask: str) -> bool:
    return not case.get("config") and case["asks"][ask] in _SAID.values() and bool(_ASK.fullmatch(ask))


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_what_is_read_is_what_is_decided(case: dict[str, Any]) -> None:
    with given(case) as world:
        policies, pods = asyncio.run(known(world))
        wrong = []
        for ask, expected in case["asks"].items():
            match = _ASK.fullmatch(ask)
            if not match or not is_between_pods(case, ask):
                continue
            source, to, port, protocol = match.groups()
            if any("(" in end or end == "api" for end in (source, to)):
                continue
            ends = [end if end[0].isdigit() else named(pods, title(world, end)) for end in (source, to)]
            found = said(policies, ends[0], ends[1], int(port), protocol or "TCP")
            if found != "unknown" and _PASSES.get(found, found) != _PASSES.get(expected, expected):
                wrong.append((ask, expected, found))
        assert wrong == []
