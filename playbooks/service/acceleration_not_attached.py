"""XDP acceleration is asked for, and a device cannot have it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agent_words import AgentWords, Heard
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"(Failed to (compile|attach|load) XDP program|attaching XDP program to interface|"
    r"attaching XDP program to device|XDP program .*: (invalid argument|operation not supported))",
    re.IGNORECASE,
)
_IGNORED = re.compile(r"best-effort", re.IGNORECASE)
_DEVICE = re.compile(r"(?:interface|device)[ =\"]+([\w.@-]{1,30})")
_TWIN = "the same log without that line"


@fault(
    "SVC014",
    step="replacement",
    cases=(
        Case(
            "SV-09",
            proof="V",
            lines=(
                'level=fatal msg="Failed to compile XDP program" error="program cil_xdp_entry: attaching XDP '
                'program to interface eth1: invalid argument"',
            ),
            twin=_TWIN,
        ),
        Case(
            "SV-09b",
            proof="V",
            lines=(
                'level=info msg="Failed to attach XDP program, ignoring due to best-effort mode" '
                'device=bond0.184 error="... create link: operation not supported"',
            ),
            twin=_TWIN,
        ),
    ),
)
def acceleration_not_attached(
    words: OnNode[AgentWords], config: CiliumConfig
) -> Iterator[Finding | CouldNotLook]:
    """XDP acceleration is asked for, and a device cannot have it.

    With acceleration, programs sit in the driver, before the kernel builds a packet. The driver must know
    how: VLAN and bond devices and some virtual ones do not, others only up to an MTU (3498 with ENA) or with
    half of their channels. With `native` an agent that cannot attach them does not start; with `best-effort`
    it goes on without, and says so once.
    """
    heard = words.fact.last_saying(_SAYS)
    if heard is None:
        for gap in words.fact.missing[:1]:
            yield CouldNotLook(f"{words.node}: {gap.detail}")
        return
    yield _finding(words, heard, config)


def _finding(words: OnNode[AgentWords], heard: Heard, config: CiliumConfig) -> Finding:
    is_ignored = _IGNORED.search(heard.line.said) is not None
    device = _DEVICE.search(heard.line.text)
    name = heard.line.fields.get("device", "") or (device[1] if device else "a device")
    is_down = not is_ignored and words.fact.standing is not Standing.READY
    node = words.node
    if is_ignored:
        summary = f"{words.fact.agent.pod.ref} runs without XDP acceleration on {name}"
    else:
        summary = f"{config.ref} asks for XDP acceleration, which {name} of {node} cannot have"
    return finding(
        Severity.INFO if is_ignored else Severity.ERROR,
        words.fact.agent.pod.ref if is_ignored else config.ref,
        summary,
        evidence=(
            heard.proof,
            config.evidence(f"bpf-lb-acceleration: {config.get('bpf-lb-acceleration', '(not set)')}"),
        ),
        asserts=(
            *((Condition(ConditionKind.NODE_UNFIT, node),) if not is_ignored else ()),
            *((Condition(ConditionKind.AGENT_DOWN, node),) if is_down else ()),
        ),
        stated_cause="" if is_ignored else heard.line.said,
        impact="services work, only slower" if is_ignored else f"the agent of {node} does not start",
        first_seen=heard.line.time,
        last_seen=heard.line.time,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=_fixes(config, name),
        same_as=f"{is_ignored} {name}",
    )


def _fixes(config: CiliumConfig, device: str) -> tuple[Fix, ...]:
    return (
        Fix.mitigation(
            "Ask for acceleration only where it is possible.",
            why="With best-effort, agents go on without it on devices that cannot have it.",
            risk=Risk.MEDIUM,
            steps=(
                sysdump(),
                step(
                    "Set loadBalancer.acceleration to best-effort.",
                    helm_upgrade(config.metadata.namespace, "loadBalancer.acceleration=best-effort"),
                ),
            ),
            undo="Set loadBalancer.acceleration=native again.",
            verify="All agents are ready.",
        ),
        Fix.cure(
            "Let the device have programs in its driver.",
            why="Drivers refuse them above an MTU of their own, or without channels to spare.",
            risk=Risk.HIGH,
            steps=(
                step(f"Read the kernel's log for {device}.", f"dmesg | grep -i xdp | grep {device}"),
                step(
                    f"Set the MTU of {device} to what the driver allows with XDP.",
                    f"ip link set dev {device} mtu 3498",
                ),
                step(
                    f"Halve the channels of {device}, where the driver asks for it.", f"ethtool -l {device}"
                ),
            ),
            undo=f"Set the MTU and the channels of {device} back.",
            verify="`cilium-dbg status --verbose` says XDP Acceleration: Native.",
        ),
    )
