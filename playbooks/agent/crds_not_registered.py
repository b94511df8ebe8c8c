"""Agents wait for CRDs that nobody has registered."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_words import AgentWords, Heard, unheard
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    CouldNotLook,
    Evidence,
    Finding,
    Fix,
    Ongoing,
    Ref,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.kube.crds import CiliumKinds
from playbooks.model.rule import Case, fault

_WAITS = re.compile(
    r"waiting for cilium operator to register|unable to find all cilium crds|crds? were not found",
    re.IGNORECASE,
)
_OVER = re.compile(r"all cilium crds have been found", re.IGNORECASE)
_NAMED = re.compile(r"crd:([a-z0-9.-]+\.cilium\.io)")


@fault(
    "AGT016",
    step="running",
    cases=(
        Case(
            "AG-04",
            proof="V",
            lines=(
                'level=info msg="Still waiting for Cilium Operator to register the following CRDs: '
                '[crd:ciliumnodes.cilium.io crd:ciliumidentities.cilium.io ...]"',
            ),
            twin="the same log that goes on with All Cilium CRDs have been found",
        ),
        Case("CRD-gone", proof="W", twin="the API server that serves ciliumnodes and ciliumidentities"),
    ),
)
def crds_not_registered(
    fleet: Fleet[AgentWords],
    kinds: CiliumKinds | None,
    installation: Installation,
    config: CiliumConfig | None,
) -> Iterator[Finding | CouldNotLook]:
    """Agents wait for CRDs that nobody has registered.

    The operator registers Cilium's CRDs when it starts to lead, and agents wait for those that they need.
    The wait is longer than the startup probe is patient, so kubelet ends the agent before it can say which
    ones it missed. A missing or failing operator is the usual cause; one of another version registers
    others; and an API server behind a proxy may not let the agents list them.
    """
    yield from unheard(fleet)
    waiting = {node: heard for node, words in fleet if (heard := words.last_saying(_WAITS, _OVER))}
    absent = kinds.lacks(*_needed(config)) if kinds else ()
    if not waiting and not absent:
        return
    names = dict.fromkeys([*(f"{plural}.cilium.io" for plural in absent), *_named(waiting)])
    refs = [Ref("CustomResourceDefinition", name) for name in names]
    workload = installation.workload or Ref("DaemonSet", "cilium", installation.namespace)
    times = [heard.line.time for heard in waiting.values() if heard.line.time]
    how = f"{len(waiting)} agents wait for it" if waiting else "the API server does not serve it"
    what = f"{refs[0]} is not registered: {how}" if refs else f"{workload}: agents wait for CRDs"
    yield finding(
        Severity.ERROR,
        refs or workload,
        what,
        evidence=tuple(_proofs(waiting, absent, kinds)),
        asserts=(
            Condition(ConditionKind.CRDS_MISSING),
            *(
                Condition(ConditionKind.AGENT_DOWN, node)
                for node, words in fleet
                if node in waiting and words.standing is not Standing.READY
            ),
        ),
        because_of=(Condition(ConditionKind.OPERATOR_DOWN),),
        alternatives=(
            "The operator is not running, or does not lead: its pods and its lease tell.",
            "The operator has another version than the agents and registers others: compare the images.",
            "The agents may not list CRDs, or a proxy hides them: kubectl get crds shows them.",
        ),
        impact=f"not ready: agents on {', '.join(sorted(waiting)[:5]) or 'every node that restarts'}",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES,
        fixes=(_fix(installation),),
    )


def _needed(config: CiliumConfig | None) -> tuple[str, ...]:
    """The kinds without which no agent starts, whatever is switched on."""
    if config is None:
        return ()
    is_crd = config.get("identity-allocation-mode", "crd") == "crd"
    return ("ciliumnodes", "ciliumidentities") if is_crd else ("ciliumnodes",)


def _named(waiting: dict[str, Heard]) -> Iterator[str]:
    for heard in waiting.values():
        yield from _NAMED.findall(heard.line.text)


def _proofs(
    waiting: dict[str, Heard], absent: tuple[str, ...], kinds: CiliumKinds | None
) -> Iterator[Evidence]:
    yield from (heard.proof for heard in list(waiting.values())[:3])
    if absent and kinds:
        yield kinds.evidence(f"no {', no '.join(absent)} among the kinds of cilium.io")


def _fix(installation: Installation) -> Fix:
    namespace = installation.namespace
    return Fix.cure(
        "Get the operator to run and to lead, in the version of the agents.",
        why="It registers the CRDs at its start; the agents go on by themselves within a second.",
        risk=Risk.LOW,
        steps=(
            step(
                "Look at the operator.",
                kubectl("-n", namespace, "get", "pods", "-l", "io.cilium/app=operator", "-o", "wide"),
            ),
            step(
                "Read its log.", kubectl("-n", namespace, "logs", "deployment/cilium-operator", "--tail=100")
            ),
            step(
                "Set crd-wait-timeout to 30s if the agents do not say which CRD they miss.",
                kubectl(
                    *("-n", namespace, "patch", "configmap", "cilium-config", "--type", "merge", "-p"),
                    '{"data":{"crd-wait-timeout":"30s"}}',
                ),
            ),
        ),
        undo="Take crd-wait-timeout out again.",
        verify="The log of every agent says All Cilium CRDs have been found and are available.",
    )
