"""The agents or the operator may not do what a feature needs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agent_words import AgentWords, unheard
from playbooks.model.cilium.down import OPERATOR
from playbooks.model.cilium.logs import LogLine
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.operator import OperatorRun
from playbooks.model.cilium.restarting import kubectl, sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.moments import is_recent
from playbooks.model.rule import Case, fault

_DENIED = re.compile(
    r'User \\?"system:serviceaccount:([^:"\\]+):([^"\\]+)\\?" cannot (\w+) resource \\?"([^"\\]+)\\?"'
    r'(?: in API group \\?"([^"\\]*)\\?")?'
)
_LATELY = timedelta(minutes=10)
"""Who is refused asks again within minutes."""
_CHART = ("cilium", "cilium-operator")
"""ServiceAccounts whose ClusterRole has the same name in the chart."""


@fault(
    "AGT018",
    step="running",
    cases=(
        Case(
            "AG-10",
            proof="V",
            lines=(
                'level=error msg="error retrieving resource lock '
                "kube-system/cilium-l2announce-default-service-red: "
                'leases.coordination.k8s.io \\"cilium-l2announce-default-service-red\\" is forbidden: User '
                '\\"system:serviceaccount:kube-system:cilium\\" cannot get resource \\"leases\\"..."',
            ),
            twin="the same log without that line",
        ),
    ),
)
def permission_missing(
    fleet: Fleet[AgentWords], operator: OperatorRun | None
) -> Iterator[Finding | CouldNotLook]:
    """The agents or the operator may not do what a feature needs.

    The chart gives the ServiceAccounts only the permissions of the features that are switched on in its
    values. A feature that is switched on in the ConfigMap alone, a role that was edited, or agents that were
    upgraded without the chart ask for more than their role holds, and the API server refuses every time.
    """
    yield from unheard(fleet)
    found: dict[tuple[object, ...], list[_Denial]] = defaultdict(list)
    for denial in (*_of_agents(fleet), *(_of_operator(operator) if operator else ())):
        found[*denial.who, *denial.role].append(denial)
    for same in found.values():
        yield _finding(same)


@dataclass(frozen=True, slots=True)
class _Denial:
    who: tuple[str, str]
    """Namespace and name of the ServiceAccount."""
    what: str
    """Verb and resource."""
    node: str
    log: Log
    line: LogLine
    is_down: bool

    @property
    def role(self) -> tuple[Ref, ...]:
        """What should allow it in the chart: the agents read their ConfigMap by a role of its own."""
        namespace, name = self.who
        if name == "cilium" and self.what.endswith(" configmaps"):
            return (Ref("Role", "cilium-config-agent", namespace),)
        return (Ref("ClusterRole", name),) if name in _CHART else ()


def _of_agents(fleet: Fleet[AgentWords]) -> Iterator[_Denial]:
    for node, words in fleet:
        is_down = words.standing in (Standing.CRASHING, Standing.IN_INIT, Standing.UNREADY)
        for log in words.logs:
            yield from _denials(log, node, words.taken_at, is_down=is_down)


def _of_operator(operator: OperatorRun) -> Iterator[_Denial]:
    logs = [operator.current]
    if not operator.is_ready and operator.log is not operator.current:
        logs.append(operator.log)
    for log in logs:
        if log:
            yield from _denials(log, "", operator.taken_at, is_down=not operator.is_ready)


def _denials(log: Log, node: str, now: datetime, *, is_down: bool) -> Iterator[_Denial]:
    """The last refusal of each kind in a log; of a program that runs well only those of late."""
    seen: set[str] = set()
    for line in reversed(log.lines):
        match = _DENIED.search(line.said) or _DENIED.search(line.raw)
        if not match:
            continue
        resource = f"{match[4]}.{match[5]}" if match[5] else match[4]
        what = f"{match[3]} {resource}"
        is_now = is_down or line.time is None or is_recent(line.time, now, _LATELY)
        if what not in seen and is_now:
            yield _Denial((match[1], match[2]), what, node, log, line, is_down)
        seen.add(what)


def _finding(same: list[_Denial]) -> Finding:
    namespace, name = same[0].who
    account = Ref("ServiceAccount", name, namespace)
    subjects = (*same[0].role, account)
    wanted = list(dict.fromkeys(denial.what for denial in same))
    nodes = sorted({denial.node for denial in same if denial.node})
    of_operator = any(not denial.node for denial in same)
    is_down = any(denial.is_down for denial in same)
    times = [denial.line.time for denial in same if denial.line.time]
    more = f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
    return finding(
        Severity.ERROR if is_down else Severity.WARN,
        subjects,
        f"{subjects[0]} does not let {namespace}/{name} {wanted[0]}{more}",
        evidence=[denial.log.evidence(denial.line.raw[:1000]) for denial in same[:3]],
        asserts=(
            Condition(ConditionKind.PERMISSION_MISSING),
            *(Condition(ConditionKind.PERMISSION_MISSING, node) for node in nodes),
            *((Condition(ConditionKind.PERMISSION_MISSING, detail=OPERATOR),) if of_operator else ()),
        ),
        stated_cause=same[0].line.said,
        alternatives=(
            "The role lacks the rule: other calls of the same account succeed.",
            "The account is bound to no role: every call of it is refused.",
        ),
        impact=f"what needs to {', '.join(wanted[:3])} does not work",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES if is_down else Ongoing.UNKNOWN,
        fixes=(_fix(subjects, wanted),),
    )


def _fix(subjects: tuple[Ref, ...], wanted: list[str]) -> Fix:
    account = subjects[-1]
    verb, _, resource = wanted[0].partition(" ")
    who = f"--as=system:serviceaccount:{account.namespace}:{account.name}"
    role = f"{subjects[0]}" if len(subjects) > 1 else f"the role that {account} is bound to"
    return Fix.cure(
        f"Let {account} {', '.join(wanted[:3])}.",
        why="The next call succeeds; agents and operator repeat theirs.",
        risk=Risk.LOW,
        steps=(
            sysdump(),
            step("Ask the API server whether it is allowed.", kubectl("auth", "can-i", verb, resource, who)),
            step(
                "Switch the feature on in the Helm values: its permissions come with it.",
                helm_upgrade(account.namespace),
            ),
            step(f"Add the rule to {role} where the roles are not the chart's."),
        ),
        undo="Take the rule out again.",
        verify="The line is_forbidden does not come again in the logs.".replace(
            "is_forbidden", "is forbidden"
        ),
    )
