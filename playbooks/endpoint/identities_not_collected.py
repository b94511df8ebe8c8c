"""Identities that no endpoint has stay in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.identities import CiliumIdentities, CiliumIdentity
from playbooks.model.cilium.operator import Operator
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_OLD = timedelta(hours=2)
"""Longer than the operator lets an unused identity live."""
_SOME = 20
_MANY = 1000


@fault(
    "END019",
    step="identity",
    cases=(Case("EP-06-identities", proof="W", twin="the same identities with endpoints that have them"),),
)
def identities_not_collected(
    identities: CiliumIdentities, published: ClusterEndpoints, operator: Operator
) -> Iterator[Finding | CouldNotLook]:
    """Identities that no endpoint has stay in the cluster.

    The operator deletes an identity some time after its last endpoint is gone. Without an operator they
    stay, and every agent keeps them: in the entries of each policy that admits them, and at last the policy
    maps are full and new pods cannot talk to old ones.
    """
    if any(fact.provenance.is_truncated or fact.provenance.namespace for fact in (identities, published)):
        yield CouldNotLook("not all endpoints or identities could be listed, so an unused one proves nothing")
        return
    used = {one.identity for one in published.items if one.identity is not None}
    if not used:
        return
    unused = [one for one in identities.items if one.number and one.number not in used]
    old = [one for one in unused if lasts(one.metadata.creation_timestamp, identities.taken_at, _OLD)]
    if len(old) >= _SOME and len(old) > len(used):
        yield _finding(old, len(used), identities, published, operator)


def _finding(
    old: list[CiliumIdentity],
    used: int,
    identities: CiliumIdentities,
    published: ClusterEndpoints,
    operator: Operator,
) -> Finding:
    is_away = operator.sure and not operator.ready
    log = kubectl("-n", operator.namespace, "logs", f"deployment/{operator.ref.name}", "--tail=500")
    shown = ", ".join(one.metadata.name for one in old[:5])
    return finding(
        Severity.WARN if is_away or len(old) >= _MANY else Severity.INFO,
        operator.ref,
        f"{operator.ref} leaves {len(old)} identities that no endpoint has",
        evidence=(
            identities.evidence(f"{len(old)} of {len(identities.items)} older than 2h, such as {shown}"),
            published.evidence(f"{len(published.items)} endpoints with {used} identities, none of these"),
        ),
        because_of=(Condition(ConditionKind.OPERATOR_DOWN),),
        impact="policy maps fill up with identities that nobody has",
        first_seen=min(
            (one.metadata.creation_timestamp for one in old if one.metadata.creation_timestamp), default=None
        ),
        last_seen=identities.taken_at,
        ongoing=Ongoing.YES,
        owner=operator.owner,
        fixes=(
            Fix.cure(
                "Get the operator to collect identities.",
                why="It deletes unused ones every 15 minutes, and agents forget them.",
                risk=Risk.LOW,
                steps=(
                    step(f"Read the log of {operator.ref}.", f"{log} | grep -i identit"),
                    step(
                        "Look whether the operator runs.",
                        kubectl("-n", operator.namespace, "get", "deployment", operator.ref.name),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="The number of CiliumIdentities falls to about that of the endpoints' label sets.",
            ),
        ),
    )
