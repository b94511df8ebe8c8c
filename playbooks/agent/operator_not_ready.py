"""Fewer operators are ready than the Deployment wants."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, told
from playbooks.model.cilium.down import keeps_operator_down
from playbooks.model.cilium.operator import Operator, status_of
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_PASSING = frozenset({Standing.STARTING, Standing.GOING})


@fault(
    "AGT022",
    step="operator",
    cases=(Case("OPERATOR-unready", proof="W", twin="the same Deployment with its pod ready"),),
)
def operator_not_ready(operator: Operator) -> Iterator[Finding]:
    """Fewer operators are ready than the Deployment wants.

    An operator is ready when its health endpoint answers, whether it leads or waits for the lease. With none
    ready, nothing fails at once, and nobody registers CRDs, hands out PodCIDRs or collects garbage.
    """
    deployment = operator.deployment
    if deployment is None or len(operator.ready) >= deployment.wanted:
        return
    bad = [pod for pod in operator.pods if operator.standing(pod) not in (*_PASSING, Standing.READY)]
    if not bad:
        return
    status, ready = status_of(bad[0]), len(operator.ready)
    runs = operator.standing(bad[0]) is Standing.UNREADY
    if ready and not runs:
        return
    yield finding(
        Severity.WARN if not ready else Severity.INFO,
        operator.ref,
        f"{operator.ref}: {ready} of {deployment.wanted} operators are ready",
        evidence=(
            operator.evidence(f"{bad[0].metadata.name}: {told(status) if status else bad[0].status.phase}"),
        ),
        asserts=(Condition(ConditionKind.OPERATOR_DOWN),) if runs and not ready else (),
        because_of=(
            *((Condition(ConditionKind.OPERATOR_DOWN),) if not runs else ()),
            *keeps_operator_down(bad[0].spec.node_name),
            Condition(ConditionKind.NODE_NOT_READY, bad[0].spec.node_name),
        ),
        impact="another replica leads"
        if ready
        else "no garbage collection, PodCIDRs and CRDs; traffic goes on",
        last_seen=operator.taken_at,
        ongoing=Ongoing.YES,
        owner=operator.owner,
        fixes=(
            Fix.cure(
                "Look at the operator that is not ready.",
                why="Its log says what it waits for: the API server, the key-value store, cloud credentials.",
                risk=Risk.LOW,
                steps=(
                    described(bad[0]),
                    step(
                        "Read its log.",
                        kubectl("-n", operator.namespace, "logs", bad[0].metadata.name, "--tail=100"),
                    ),
                ),
                undo="Nothing is changed by reading.",
                verify="The Deployment has all of its replicas ready.",
            ),
        ),
    )
