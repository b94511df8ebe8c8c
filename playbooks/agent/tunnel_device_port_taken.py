"""The tunnel device of a node cannot be set up since another device has its port."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import deleted, saved_log
from playbooks.model.cilium.agent_words import AgentWords
from playbooks.model.cilium.agents import Agent
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"(vxlan|geneve|tunnel)[^\n]*address already in use"
    r"|(creating|setting up|adding) (device|vxlan|geneve|tunnel)[^\n]*(file exists|device or resource busy)"
    r"|RTNETLINK answers: Address already in use",
    re.IGNORECASE,
)
_OVER = re.compile(r"daemon initialization completed", re.IGNORECASE)
"""An agent that has come so far has set up its tunnel device."""


@fault(
    "AGT017",
    step="running",
    cases=(
        Case(
            "AG-06",
            proof="V",
            lines=(
                "failed to setup vxlan tunnel device: setting up vxlan device: creating vxlan device "
                "cilium_vxlan: setting up device cilium_vxlan: address already in use",
            ),
            twin="the same log without that line",
        ),
        Case(
            "AG-06b",
            proof="V",
            lines=("RTNETLINK answers: Address already in use",),
            twin="the same log without that line",
        ),
    ),
)
def tunnel_device_port_taken(
    words: OnNode[AgentWords], config: CiliumConfig | None
) -> Iterator[Finding | CouldNotLook]:
    """The tunnel device of a node cannot be set up since another device has its port.

    Cilium uses one VXLAN or Geneve device for all peers, and the kernel gives a UDP port to one such device
    only. A device that another CNI left behind, usually flannel.1, holds 8472 for ever, and the agent fails
    at every start until it is gone.
    """
    heard = words.fact.last_saying(_SAYS, _OVER)
    if heard is None:
        for gap in words.fact.missing[:1]:
            yield CouldNotLook(f"{words.node}: {gap.detail}")
        return
    agent = words.fact.agent
    port = config.get("tunnel-port") if config else ""
    is_down = words.fact.standing is not Standing.READY
    kind = "geneve" if "geneve" in heard.line.said else "vxlan"
    number = port if port not in ("", "0") else "6081" if kind == "geneve" else "8472"
    yield finding(
        Severity.ERROR,
        agent.pod.ref,
        f"{agent.pod.ref}: another device on {words.node} has the port {number} of the {kind} tunnel",
        evidence=(heard.proof,),
        asserts=(
            Condition(ConditionKind.NODE_UNFIT, words.node),
            *((Condition(ConditionKind.AGENT_DOWN, words.node),) if is_down else ()),
        ),
        stated_cause=heard.line.said,
        impact=f"pods on {words.node} do not reach pods of other nodes, and the agent may not start",
        first_seen=heard.line.time,
        last_seen=heard.line.time,
        ongoing=Ongoing.YES,
        fixes=_fixes(words.fact.agent, words.node, kind),
        same_as=f"{kind} {number}",
    )


def _fixes(agent: Agent, node: str, kind: str) -> Iterator[Fix]:
    yield Fix.cure(
        f"Remove the other device from {node}, if no other CNI uses it any more.",
        why="The port is free as soon as its device is gone.",
        risk=Risk.HIGH,
        steps=(
            saved_log(agent.pod, agent.container, is_previous=False),
            step("List the node's tunnel devices and their dstport.", f"ip -d link show type {kind}"),
            step("Delete what the other CNI left on the node.", "ip link delete flannel.1"),
            deleted(agent.pod),
        ),
        undo="Start the other CNI again; it makes its device anew.",
        verify="The agent is ready, and only one device has that port.",
    )
    yield Fix.cure(
        "Choose another tunnel port for Cilium, if the other device has to stay.",
        why="Two devices go together as long as their ports differ.",
        risk=Risk.HIGH,
        steps=(
            sysdump(),
            step("Set tunnelPort in the Helm values for all nodes; peers must use the same one."),
            step("Delete the old device where the agent stays stuck.", f"ip link delete cilium_{kind}"),
        ),
        undo="Set tunnelPort back.",
        verify="The agents are ready and reach each other.",
    )
