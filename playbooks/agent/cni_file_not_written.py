"""The agent cannot write the CNI configuration of its node."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import captured_log, kubectl
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_controllers import failing
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_CONTROLLER = "write-cni-file"
_SETTLED = 120.0
"""Seconds after which the file must be there: it is written when the agent is ready."""


@fault(
    "AGT058",
    step="status",
    cases=(Case("status-cni-file", proof="W", twin="the same status with cni-file.state Ok"),),
)
def cni_file_not_written(status: OnNode[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """The agent cannot write the CNI configuration of its node.

    The container runtime asks the first file in /etc/cni/net.d who connects a new pod. The agent writes its
    file there when it is ready and puts it back when somebody takes it away. Where it cannot, new pods stay
    in ContainerCreating, or another CNI that left its file connects them past Cilium.
    """
    part = status.fact.response.cni_file
    agent = agents.by_node.get(status.node)
    writing = next((one for one in failing(status.fact) if one.name == _CONTROLLER), None)
    is_settled = agent is not None and agent.has_run_for(_SETTLED, status.fact.taken_at)
    is_bad = part is not None and part.is_bad and is_settled
    if not (is_bad or writing):
        return
    proofs = [status.fact.evidence(f"cni-file: {part.said}")] if part and part.is_bad else []
    proofs += [status.fact.evidence(writing.row)] if writing else []
    yield finding(
        Severity.WARN,
        agents.ref(status.node),
        f"the agent cannot write the CNI configuration of {status.node}",
        evidence=proofs,
        stated_cause=part.msg if part and part.is_bad else writing.message if writing else "",
        impact="new pods on the node get no network, or one that is not Cilium's",
        last_seen=status.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Make /etc/cni/net.d of {status.node} writable for the agent.",
                why="The agent tries again by itself.",
                risk=Risk.LOW,
                steps=(
                    *([captured_log(agent)] if agent else []),
                    step("Read which path and which error the message names."),
                    step(
                        "Look how the path is mounted in the agent's pod.",
                        kubectl("-n", *_pod(agents.ref(status.node)), "-o", "yaml"),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="The row CNI Config file of the agent's status says that the file was written.",
            ),
        ),
        same_as="cni-file",
    )


def _pod(ref: Ref) -> tuple[str, ...]:
    return (ref.namespace or "kube-system", "get", ref.kind.lower(), ref.name)
