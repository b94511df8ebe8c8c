"""A network device that the agent is told to use does not exist on its node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agent_words import AgentWords
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"\bdevice [\"'`]?(?P<device>[\w.@:-]{1,15})[\"'`]? does not exist(?! any ?more)"
    r"|unable to determine direct routing device|cannot find (the )?direct routing device",
    re.IGNORECASE,
)
_KEYS = ("encrypt-interface", "direct-routing-device", "devices", "egress-masquerade-interfaces")
# Devices of pods come and go; a line about one of them is no matter of the configuration.
_OF_PODS = ("lxc", "cilium_", "veth", "tmp")


@fault(
    "AGT036",
    step="running",
    cases=(
        Case(
            "AG-13", proof="V", lines=("Device eth0 does not exist",), twin="the same log without that line"
        ),
        Case(
            "DEVICE-routing",
            proof="V",
            lines=(
                'level=fatal msg="failed to start: daemon creation failed: failed to detect devices: unable '
                'to determine direct routing device. Use --direct-routing-device to specify it" '
                "subsys=daemon",
            ),
            twin="the same log without that line",
        ),
    ),
)
def encryption_device_missing(
    words: OnNode[AgentWords], installation: Installation, config: CiliumConfig | None
) -> Iterator[Finding | CouldNotLook]:
    """A network device that the agent is told to use does not exist on its node.

    IPsec, direct routing and masquerading work on named devices. A name that was chosen once for all nodes
    fails on those whose devices are called otherwise: eth0 here, ens5 there. The agent warns and goes on, and
    what should leave through that device does not.
    """
    heard = words.fact.last_saying(_SAYS)
    match = _SAYS.search(heard.line.said) if heard else None
    device = (match["device"] or "") if match else ""
    if heard is None or device.startswith(_OF_PODS):
        for gap in words.fact.missing[:1]:
            yield CouldNotLook(f"{words.node}: {gap.detail}")
        return
    keys = _naming(config, device)
    is_ipsec = config is not None and config.is_on("enable-ipsec")
    what = "for IPsec " if is_ipsec and keys in ([], ["encrypt-interface"]) else ""
    name = f"device {device}" if device else "a device for direct routing"
    agent = words.fact.agent
    is_down = words.fact.standing is not Standing.READY
    yield finding(
        Severity.ERROR if is_down else Severity.WARN,
        (*((config.ref,) if config and keys else ()), agent.pod.ref),
        f"{config.ref if config and keys else agent.pod.ref}: {name} {what}does not exist on {words.node}",
        evidence=(
            heard.proof,
            *([config.evidence(f"{key}: {config.get(key)}") for key in keys] if config else []),
        ),
        asserts=(
            Condition(ConditionKind.NODE_UNFIT, words.node),
            *((Condition(ConditionKind.AGENT_DOWN, words.node),) if is_down else ()),
        ),
        stated_cause=heard.line.said,
        impact=f"traffic of {words.node} that should leave through that device does not",
        first_seen=heard.line.time,
        last_seen=heard.line.time,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Name a device, or a pattern, that every node has.",
                why="The agent finds its device at the next start.",
                risk=Risk.MEDIUM,
                steps=(
                    sysdump(),
                    step("List the devices of the node.", agent.command("ip", "-br", "link").command()),
                    step(
                        "Set encryption.ipsec.interface, or devices, to a name or pattern such as eth+.",
                        helm_upgrade(installation.namespace, "encryption.ipsec.interface=ethX"),
                    ),
                ),
                undo="Set the name back.",
                verify="The agent's log does not say it again after its restart.",
            ),
        ),
        same_as=f"{device} {keys}",
    )


def _naming(config: CiliumConfig | None, device: str) -> list[str]:
    """The options that name the device, or, where the text names none, the devices that were to be used."""
    if config is None:
        return []
    if not device:
        # Among the devices that it was told to use it found none that has an address.
        return ["devices"] if config.get("devices") and "+" not in config.get("devices") else []
    return [key for key in _KEYS if device in config.get(key).replace(",", " ").split()]
