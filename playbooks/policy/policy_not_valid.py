"""Policy is not valid, so no agent enforces it."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.policies import (
    CiliumClusterwideNetworkPolicies,
    CiliumNetworkPolicies,
    CiliumNetworkPolicy,
)
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault


@fault(
    "POL018",
    step="written",
    cases=(Case("policy-not-valid", proof="W", twin="the same policy with the condition Valid True"),),
)
def policy_not_valid(
    policies: CiliumNetworkPolicies | None, clusterwide: CiliumClusterwideNetworkPolicies | None
) -> Iterator[Finding]:
    """Policy is not valid, so no agent enforces it.

    The API server checks a Cilium policy only against its schema. What the schema cannot say, such as a
    selector that is no label or a prefix without a length, is found by the operator, which writes it into
    the condition `Valid`. Agents leave such a policy out whole: what it was to admit is refused by default
    deny of others, and what it was to refuse passes.
    """
    for fact in (policies, clusterwide):
        for one in fact.items if fact else ():
            said = one.valid
            if fact and said and said.status == "False":
                yield _finding(one, said.message or said.reason, fact)


def _finding(
    one: CiliumNetworkPolicy, message: str, fact: CiliumNetworkPolicies | CiliumClusterwideNetworkPolicies
) -> Finding:
    said = one.valid
    owner = one.metadata.managed_by
    where = ("-n", one.metadata.namespace) if one.metadata.namespace else ()
    kind = "cnp" if one.metadata.namespace else "ccnp"
    return finding(
        Severity.ERROR,
        one.ref,
        f"{one.ref} is not valid: {message}",
        evidence=(fact.evidence(f"{one.ref} condition Valid: False, {message}"),),
        stated_cause=message,
        impact="no agent enforces any of it",
        first_seen=said.last_transition_time if said else None,
        last_seen=fact.taken_at,
        ongoing=Ongoing.YES,
        owner=owner,
        fixes=(
            Fix.cure(
                "Correct what the condition names.",
                why="Agents leave a policy out until all of it can be read.",
                risk=Risk.MEDIUM,
                steps=(
                    step("Read the whole message.", kubectl(*where, "describe", kind, one.metadata.name)),
                    step(
                        f"Correct {one.ref} in its manifest{f', in {owner}' if owner else ''}, and apply it."
                    ),
                ),
                undo="Apply the manifest as it was; it is not enforced either way.",
                verify="The column VALID says True. Watch drops: the policy begins to act.",
            ),
        ),
    )
