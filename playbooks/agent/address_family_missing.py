"""The kernel of a node lacks an address family that the agent uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import helm_upgrade, saved_log
from playbooks.model.cilium.agent_words import AgentWords, Heard
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.logs import last_words
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"address family not supported by protocol|EAFNOSUPPORT|protocol family not supported", re.I
)

_ENDS = re.compile(
    r"^(failed to start|daemon creation failed|error while (creating|initializing) daemon)\b", re.I
)


@fault(
    "AGT019",
    step="running",
    cases=(
        Case(
            "AG-12",
            proof="V",
            lines=(
                "failed to start: daemon creation failed: error while initializing daemon: failed while "
                "reinitializing datapath: listing routing rules: address family not supported by protocol",
            ),
            twin="the same log without the address family's error",
        ),
    ),
)
def address_family_missing(
    words: OnNode[AgentWords], installation: Installation
) -> Iterator[Finding | CouldNotLook]:
    """The kernel of a node lacks an address family that the agent uses.

    A kernel without IPv6, or with it switched off at boot, refuses IPv6 sockets and rules. The agent should
    put up with it where IPv6 is off; 1.15.4 did not, and set-ups with the L7 proxy fail there at the start.
    """
    fact = words.fact
    heard = _final(fact) if fact.standing is not Standing.READY else None
    if heard is None:
        for gap in fact.missing[:1]:
            yield CouldNotLook(f"{words.node}: {gap.detail}")
        return
    is_known = installation.version.startswith("1.15.4")
    yield finding(
        Severity.ERROR,
        fact.agent.pod.ref,
        f"{fact.agent.pod.ref}: the kernel of {words.node} lacks an address family",
        evidence=(heard.proof,),
        asserts=(Condition(ConditionKind.NODE_UNFIT, words.node),),
        stated_cause=heard.line.said,
        alternatives=()
        if is_known
        else (
            "IPv6 is switched off at boot: /proc/cmdline holds ipv6.disable=1.",
            "The kernel was built without a family: /proc/net/protocols lacks it.",
        ),
        impact=f"the agent on {words.node} does not start",
        first_seen=heard.line.time,
        last_seen=heard.line.time,
        ongoing=Ongoing.YES,
        fixes=_fixes(fact, installation, is_known=is_known),
        same_as="family",
    )


def _final(words: AgentWords) -> Heard | None:
    """The text, where a run ended with it: elsewhere agents put up with a family that is not there."""
    for log in words.logs:
        ends = [line for line in log.lines if _ENDS.search(line.said)]
        for line in (last_words(log.lines), *ends[-1:]):
            if line and _SAYS.search(line.text):
                return Heard(log, line)
    return None


def _fixes(words: AgentWords, installation: Installation, *, is_known: bool) -> Iterator[Fix]:
    namespace = installation.namespace
    yield Fix.mitigation(
        "Switch the L7 proxy off until then, if no L7 policy, Ingress or Gateway is used.",
        why="The part that asks for the missing family is then not set up.",
        risk=Risk.HIGH,
        steps=(
            saved_log(words.agent.pod, words.agent.container, is_previous=False),
            step("Set l7Proxy to false.", helm_upgrade(namespace, "l7Proxy=false")),
        ),
        undo="Set l7Proxy to true.",
        verify="The agent is ready.",
    )
    if is_known:
        yield Fix.cure(
            "Upgrade to 1.15.5 or later.",
            why="A missing family is put up with there.",
            risk=Risk.MEDIUM,
            steps=(
                sysdump(),
                step("Upgrade the chart.", f"{helm_upgrade(namespace)} --version 1.15.5"),
            ),
            undo="Go back to the version before.",
            verify="The agent is ready.",
        )
    else:
        yield Fix.cure(
            "Give the kernel the address family back, or tell Cilium to do without it.",
            why="The agent's sockets and rules need it.",
            risk=Risk.MEDIUM,
            steps=(
                sysdump(),
                step("Look whether IPv6 is off on the node.", "cat /proc/sys/net/ipv6/conf/all/disable_ipv6"),
                step("Take ipv6.disable=1 from the boot parameters, or set enable-ipv6 to false."),
            ),
            undo="Go back to the boot parameters before.",
            verify="The agent is ready.",
        )
