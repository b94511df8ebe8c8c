"""Instances cannot get another network interface, so their nodes get no more addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.logs import LogLine
from playbooks.model.cilium.operator import Operator, OperatorLog
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.sandboxes import Refusal, WaitingPods
from playbooks.model.moments import is_recent
from playbooks.model.rule import Case, fault

_SAYS = re.compile(r"Instance is out of (interfaces|ENIs)", re.IGNORECASE)
_LATELY = timedelta(hours=1)
_NODE = ("name", "node", "nodeName", "k8sNodeName")


@fault(
    "END021",
    step="addresses",
    cases=(
        Case(
            "EP-10",
            proof="V",
            lines=('level=warn msg="Instance is out of interfaces"',),
            twin="the same log without that line",
        ),
        Case(
            "EP-10b",
            proof="V",
            lines=(
                'level=warning msg="Instance is out of ENIs" allocated=4 instanceID=i-0b2c222593d8c4889 '
                "max=4 name=ip-192-168-14-23.ec2.internal subsys=eni",
            ),
            twin="the same log without that line",
        ),
    ),
)
def interfaces_used_up(
    log: OperatorLog, operator: Operator, waiting: WaitingPods | None
) -> Iterator[Finding]:
    """Instances cannot get another network interface, so their nodes get no more addresses.

    In ENI mode the operator attaches interfaces to an instance and fills them with addresses, as many as its
    type allows. One node that has all it can get is simply full. Several at once, or pods that wait on them,
    mean that the nodes together have too few addresses for their pods.
    """
    lines = [line for line in log.lines if _SAYS.search(line.message) and _counts(line, log)]
    if not lines:
        return
    nodes = sorted({name for line in lines if (name := _node_of(line))})
    groups = waiting.on_nodes(Refusal.NO_ADDRESS) if waiting else {}
    hungry = {node: group for node, group in groups.items() if not nodes or node in nodes}
    proof = [log.evidence(line.raw[:500]) for line in lines[-3:]]
    if waiting:
        proof += [one for group in hungry.values() for one in group.proof(waiting)][:3]
    severity = Severity.ERROR if hungry else Severity.WARN if len(nodes) > 1 else Severity.INFO
    where = ", ".join(nodes[:3]) or "an instance"
    times = [line.time for line in lines if line.time]
    refs = [Ref("Node", name, node=name) for name in nodes] or [operator.ref]
    yield finding(
        severity,
        refs,
        f"{refs[0]}: {where} can get no more interfaces"[:100],
        evidence=proof,
        asserts=[Condition(ConditionKind.IPAM_EXHAUSTED, node, "interfaces") for node in hungry],
        impact="; ".join(f"{group.said} on {node}" for node, group in hungry.items()),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES if hungry else Ongoing.UNKNOWN,
        fixes=(_more(nodes),),
    )


def _counts(line: LogLine, log: OperatorLog) -> bool:
    return line.time is None or is_recent(line.time, log.taken_at, _LATELY)


def _node_of(line: LogLine) -> str:
    return next((line.fields[key] for key in _NODE if line.fields.get(key)), "")


def _more(nodes: list[str]) -> Fix:
    name = nodes[0] if nodes else "NODE"
    return Fix.cure(
        "Give the nodes more addresses.",
        why="An instance's type limits its interfaces and the addresses on each; prefixes hold 16 at once.",
        risk=Risk.MEDIUM,
        steps=(
            step(
                f"Look at what {name} has and wants.",
                kubectl("get", "ciliumnode", name, "-o", "jsonpath={.spec.ipam}{.status.eni}"),
            ),
            step("Set eni.awsEnablePrefixDelegation=true for new nodes, or choose larger instances."),
            step("Check that the subnets have free addresses."),
        ),
        undo="Set the value back; nodes that exist keep what they have.",
        verify="Pods on new nodes get addresses, and the operator's log no longer says it.",
    )
