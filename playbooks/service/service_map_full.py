"""A map of services or backends is full on a node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.bpf.filling import Filling, MapFilling
from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agent_words import AgentWords, Heard
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import (
    CouldNotLook,
    Evidence,
    Finding,
    Fix,
    Ongoing,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"resize it with the flag \\?\"?--bpf-lb-map-max"
    r"|cilium_lb[46]_\w+.*(map is full|argument list too long|no space left on device)"
    r"|(inserting|upserting|updating) service in LB map.*(map is full|argument list too long)",
    re.IGNORECASE,
)
_OURS = re.compile(r"^cilium_lb[46]_(services|backends|reverse_nat)")
_TWIN = "the same log without that line, and maps with room"


@fault(
    "SVC011",
    step="maps",
    cases=(
        Case(
            "SV-05",
            proof="V",
            lines=(
                'level=error msg="Error while inserting service in LB map" error="... Unable to update '
                'element for LB bpf map: You can resize it with the flag \\"--bpf-lb-map-max\\". '
                'The resizing might break existing connections to services" k8sSvcName=...',
            ),
            twin=_TWIN,
        ),
        Case(
            "SV-05b",
            proof="V",
            lines=(
                "failed to update backend cilium_lb4_backends_v2 map ...: the map is full, please consider "
                "resizing it. argument list too long",
            ),
            twin=_TWIN,
        ),
    ),
)
def service_map_full(
    words: OnNode[AgentWords], filling: OnNode[MapFilling] | None, installation: Installation, agents: Agents
) -> Iterator[Finding | CouldNotLook]:
    """A map of services or backends is full on a node.

    One entry for each port of each address of a service, and one more for each backend behind it: 65,536 by
    default. A full map takes nothing new. Old services go on, new ones do not work on this node, and the
    agent lists them all the same: only the map itself tells. The gauge of map pressure has been seen at 0.42
    on a full map, so entries are counted here.
    """
    heard = words.fact.last_saying(_SAYS)
    full = [one for one in filling.fact.at_least(1.0) if _OURS.match(one.name)] if filling else []
    if heard is None and not full:
        for gap in words.fact.missing[:1]:
            yield CouldNotLook(f"{words.node}: {gap.detail}")
        return
    yield _finding(words.node, heard, full, filling, installation, agents)


def _finding(
    node: str,
    heard: Heard | None,
    full: list[Filling],
    filling: OnNode[MapFilling] | None,
    installation: Installation,
    agents: Agents,
) -> Finding:
    ref = agents.ref(node)
    proofs: list[Evidence] = [heard.proof] if heard else []
    if filling and full:
        proofs.append(
            filling.fact.evidence("\n".join(f"{m.name}: {m.entries} of {m.maximum} entries" for m in full))
        )
    what = full[0].name if full else "a map of its services"
    return finding(
        Severity.ERROR if heard else Severity.WARN,
        ref,
        f"{ref}: {what} is full; new services and backends do not work on {node}",
        evidence=proofs,
        asserts=(Condition(ConditionKind.MAP_FULL, node, "services"),),
        stated_cause=heard.line.said if heard else "",
        impact=f"services made since then, and new backends, are not reached from {node}",
        first_seen=heard.line.time if heard else None,
        last_seen=heard.line.time if heard else None,
        ongoing=Ongoing.YES if full else Ongoing.UNKNOWN,
        fixes=(
            Fix.cure(
                "Raise the size of the maps of services.",
                why="The maps are made anew in that size when the agents start.",
                risk=Risk.HIGH,
                steps=(
                    sysdump(),
                    step(
                        "Set bpf.lbMapMax to twice the entries in use; agents restart.",
                        helm_upgrade(installation.namespace, "bpf.lbMapMax=131072"),
                    ),
                ),
                undo="Set the value from before again. Resizing may break connections to services.",
                verify="`cilium-dbg map list` counts fewer entries than the new size, and the line is gone.",
            ),
        ),
        same_as="services",
    )
