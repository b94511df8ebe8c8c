"""A call that was named as wanted is refused by policy."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    CouldNotLook,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.rule import Case, fault
from playbooks.model.wanted import Refused, WantedCall, WantedCalls


@fault(
    "POL029",
    step="refused",
    cases=(Case("wanted-call", proof="R", twin="the same call from a pod that the policy admits"),),
)
def wanted_call_refused(calls: WantedCalls) -> Iterator[Finding | CouldNotLook | NotApplicable]:
    """A call that was named as wanted is refused by policy.

    Policies are made to refuse, so a refused call is no fault by itself. It is one where somebody says that
    it is to pass: `check policy --from SRC --to DST`. What decides is what the agents of both ends realized
    and hold in their policy maps, not what is written; `honeyguide why SRC DST` tells the same at length.
    """
    if not calls.items:
        yield NotApplicable("no call was named; check policy --from SRC --to DST names one")
    for call in calls.items:
        yield from (_finding(call, one, calls) for one in call.refused)
        if call.doubts and not call.refused:
            yield CouldNotLook(f"{call.source} to {call.destination}: {'; '.join(call.doubts[:3])}")


def _finding(call: WantedCall, one: Refused, calls: WantedCalls) -> Finding:
    namespace, _, name = one.endpoint.partition("/")
    subjects = one.policies or (Ref("Pod", name, namespace, one.node),)
    verb = "forbids" if one.is_denied else "does not let"
    call_word = "to call" if one.is_denied else "call"
    folded = "" if one.pairs == call.pairs else f" in {one.pairs} of {call.pairs} pairs of pods"
    seen = f"; {call.attempts} attempts refused lately" if call.attempts else ""
    return finding(
        Severity.ERROR,
        subjects,
        f"{subjects[0]} {verb} {call.source} {call_word} {call.destination}{folded}",
        because_of=(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in subjects),
        evidence=one.evidence or (calls.evidence(one.why),),
        impact=f"{one.direction} of {one.endpoint} on {one.node}: {one.why}{seen}",
        last_seen=calls.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_fix(call, one),),
    )


def _fix(call: WantedCall, one: Refused) -> Fix:
    if one.is_denied:
        which = str(one.policies[0]) if one.policies else "the policy"
        steps = (step(f"Narrow the rule of {which} that denies."),)
    elif one.change:
        opens = f"; {one.opens}" if one.opens else ""
        steps = (step(f"Apply this change{opens}.", one.change),)
    else:
        steps = (step(f"Write a rule for {one.direction} of {one.endpoint} that admits the call."),)
    return Fix.cure(
        f"Admit {call.source} to {call.destination}.",
        why="Both ends of a connection have to admit it; a refusal by name wins over every admission.",
        risk=Risk.MEDIUM,
        steps=steps,
        undo="Apply the manifest as it was, or delete the new policy.",
        verify=f"`honeyguide why {call.source} {call.destination}` says admitted.",
    )
