"""No number is left for a new identity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_words import AgentWords, Heard, unheard
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import captured_log, kubectl, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"no more (available|free) (ids?|identit)|(identity|identities|id) (space|range|pool) (is )?exhausted",
    re.IGNORECASE,
)


@fault(
    "END029",
    step="identity",
    cases=(
        Case(
            "IDENTITIES-used-up",
            proof="V",
            lines=(
                'level=warning msg="Key allocation attempt failed" attempt=11 error="no more available IDs '
                'in configured space"',
            ),
            twin="the same log without that line",
        ),
    ),
)
def identities_used_up(
    fleet: Fleet[AgentWords], config: CiliumConfig | None
) -> Iterator[Finding | CouldNotLook]:
    """No number is left for a new identity.

    A cluster has 65,280 numbers for identities, fewer where `max-connected-clusters` gives more bits to the
    clusters; one for each set of labels. When all are given out, pods with labels that are known start as
    ever, and those with new ones wait for an identity. Labels that differ in every pod use them up, or an
    operator that is gone and collects none.
    """
    yield from unheard(fleet)
    heard = {node: said for node, words in fleet if (said := words.last_saying(_SAYS))}
    if heard:
        yield _finding(fleet, heard, config)


def _finding(fleet: Fleet[AgentWords], heard: dict[str, Heard], config: CiliumConfig | None) -> Finding:
    agents = [fleet.facts[node].agent for node in heard]
    refs: list[Ref] = [config.ref] if config else []
    refs += [one.pod.ref for one in agents if not one.is_lone]
    refs = refs or [Ref("Node", node, node=node) for node in heard]
    times = [said.line.time for said in heard.values() if said.line.time]
    first = next(iter(heard.values()))
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]}: no number is left for a new identity, say the agents of {len(heard)} nodes",
        evidence=[said.proof for said in list(heard.values())[:3]],
        because_of=(Condition(ConditionKind.OPERATOR_DOWN),),
        stated_cause=first.line.error or first.line.said,
        alternatives=(
            "Labels that differ in every pod make an identity each: kubectl get ciliumidentities shows them.",
            "Nobody collects identities that are not used: the operator does not run, or cannot keep up.",
        ),
        impact="pods with a set of labels that is new do not start",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.UNKNOWN,
        owner=config.metadata.managed_by if config else "",
        fixes=(
            Fix.cure(
                "Bring the number of identities down.",
                why="A number is free again some minutes after the last endpoint with its labels is gone.",
                risk=Risk.LOW,
                steps=(
                    captured_log(agents[0]),
                    sysdump(),
                    step("Count identities.", kubectl("get", "ciliumidentities") + " | wc -l"),
                    step("Start the operator if it does not run; it collects unused identities."),
                    step("Take labels that differ in every pod out of the chart's value `labels`."),
                ),
                undo="Set `labels` back and restart operator and agents.",
                verify="The agents do not say it again, and pods that waited for an identity run.",
            ),
        ),
    )
