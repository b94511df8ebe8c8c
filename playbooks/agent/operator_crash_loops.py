"""The operator ends again and again."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, saved_log, told
from playbooks.model.cilium.down import keeps_operator_down
from playbooks.model.cilium.operator import Operator, OperatorRun, container_of, status_of
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding
from playbooks.model.rule import Case, fault


@fault(
    "AGT021",
    step="operator",
    cases=(
        Case("OPERATOR-crash", proof="W", twin="the same pod, ready and without restart"),
        Case("OPERATOR-memory", proof="W", twin="the same pod, ready and without restart"),
    ),
)
def operator_crash_loops(operator: Operator, run: OperatorRun) -> Iterator[Finding | CouldNotLook]:
    """The operator ends again and again.

    The operator reads the same ConfigMap as the agents, and its own part of it: pools of addresses, garbage
    collection, cloud credentials. It ends with a fatal line when it cannot use them, and also when it loses
    its lease to a slow API server, after which another replica leads. While none leads, nothing fails at
    once.
    """
    failing = [
        pod for pod in operator.pods if operator.standing(pod) in (Standing.CRASHING, Standing.OUT_OF_MEMORY)
    ]
    for pod in failing:
        status = status_of(pod)
        if status is None:
            continue
        of_this = run.pod is pod
        words = [run.words(run.last)] if of_this and run.last else []
        why = run.cause if of_this and run.last else ""
        if not why:
            end = status.last_end
            why = f"{end.reason or 'ended'}, exit code {end.exit_code}" if end else status.waiting_reason
        is_first = status.state.running is not None and status.restart_count <= 1
        yield finding(
            Severity.WARN if is_first or operator.ready else Severity.ERROR,
            (operator.ref, pod.ref),
            f"{operator.ref} crash-loops: {why}",
            evidence=[*words, operator.evidence(f"{pod.metadata.name}: {told(status)}")],
            asserts=() if operator.ready else (Condition(ConditionKind.OPERATOR_DOWN),),
            because_of=keeps_operator_down(pod.spec.node_name),
            stated_cause=run.last.said if of_this and run.last else "",
            alternatives=(f"Its own words would decide: {run.missing.detail}.",)
            if of_this and run.missing and not words
            else (),
            impact="another replica leads"
            if operator.ready
            else "no garbage collection, no PodCIDR for new nodes, no CRD registration; traffic goes on",
            last_seen=status.last_end.finished_at if status.last_end else None,
            ongoing=Ongoing.YES,
            owner=operator.owner,
            fixes=(
                Fix.cure(
                    "Remove the cause that the operator's last lines name.",
                    why="The operator starts by itself as soon as its start can succeed.",
                    risk=Risk.LOW,
                    steps=(
                        saved_log(pod, container_of(pod), is_previous=status.state.running is not None),
                        sysdump(),
                        described(pod),
                    ),
                    undo="Nothing is changed by reading.",
                    verify="The lease cilium-operator-resource-lock has a holder and is renewed.",
                ),
            ),
            same_as=f"crash {why}",
        )
