"""Hubble Relay is not ready."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import held_by
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    Evidence,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    capture,
    finding,
    step,
)
from playbooks.model.kube.complaints import complaint_of, standing_of, unready_since
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Services
from playbooks.model.kube.workloads import Deployment, Deployments
from playbooks.model.moments import SETTLING, is_recent, lasts
from playbooks.model.rule import Case, fault

_LABEL = "hubble-relay"
_PEER = "hubble-peer"
_PORT = 4244
_LASTING = timedelta(seconds=60)
"""Relay turns unready for some seconds whenever its peers restart."""
_CONNECTING = timedelta(seconds=25)
"""What Relay needs from its own start to an answer of its agent."""
_BACK_OFF = timedelta(minutes=6)
"""Kubelet starts what ended again and again within five minutes; then Relay needs a moment."""


@fault(
    "AGT072",
    step="peers",
    cases=(
        Case("LAB-05", proof="R", twin="LAB-05 with a Relay pod that is ready"),
        Case("CN-17", proof="W", twin="the practice world with Relay ready"),
    ),
)
def relay_not_ready(
    installation: Installation,
    deployments: Deployments,
    pods: Pods,
    agents: Agents,
    services: Services | None,
    config: CiliumConfig | None,
) -> Iterator[Finding | NotApplicable]:
    """Hubble Relay is not ready.

    Relay asks every agent for its flows and answers as one. It learns of the agents from the one on its own
    node, through the service hubble-peer, and calls itself unhealthy when it is connected to none. So it
    follows the agents: it is down with them and comes back by itself, though kubelet may let it wait for
    five minutes more after it had ended many times. Its restarts alone mean nothing.
    """
    relay = deployments.labelled("k8s-app", _LABEL, installation.namespace)
    if relay is None:
        yield NotApplicable("Hubble Relay is not installed")
        return
    if not relay.wanted and not relay.metadata.deletion_timestamp:
        yield _of_zero(relay, deployments)
        return
    if relay.status.ready_replicas >= relay.wanted:
        return
    unready = [
        pod
        for pod in pods.matching({"k8s-app": _LABEL}, installation.namespace)
        if not pod.is_ready and not pod.is_going
    ]
    nodes = _behind(unready, agents)
    is_explained = bool(unready and nodes) and all(_is_looping(agents, node) for node in nodes)
    is_held = bool(unready) and all(_is_held(pod) for pod in unready)
    cut = _cut_off(installation, services, config) if unready and not nodes and not is_held else None
    if cut:
        yield _of_cut(cut, relay, deployments)
        return
    if is_held or is_explained or _is_steady(unready, agents) or _is_lasting(relay, unready, pods.taken_at):
        is_coming = not nodes and _is_coming(unready, agents, pods.taken_at)
        yield _finding(relay, unready, nodes, deployments, pods, is_coming=is_coming)


def _behind(unready: list[Pod], agents: Agents) -> list[str]:
    """Nodes whose agent is not ready, and on which Relay depends."""
    down = [
        node for node in agents.nodes if node not in agents.by_node or not agents.by_node[node].pod.is_ready
    ]
    if len(down) == len(agents.nodes):
        return down
    own = {pod.spec.node_name for pod in unready}
    return [node for node in down if node in own]


def _is_looping(agents: Agents, node: str) -> bool:
    """Whether an agent has failed to start before: what is unready with it will not be ready in seconds."""
    agent = agents.by_node.get(node)
    return bool(agent and agent.status and agent.status.restart_count and not agent.status.ready)


def _is_lasting(relay: Deployment, unready: list[Pod], now: datetime) -> bool:
    if not unready:
        return lasts(relay.metadata.creation_timestamp, now, _LASTING) and relay.status.replicas == 0
    return all(lasts(unready_since(pod), now, _LASTING) for pod in unready)


def _is_steady(unready: list[Pod], agents: Agents) -> bool:
    """Whether Relay is unready although no agent started lately: it connects to a sound one at once."""
    started = [status.state.running for agent in agents.by_node.values() if (status := agent.status)]
    is_old = all(one and lasts(one.started_at, agents.taken_at, SETTLING) for one in started)
    since = [unready_since(pod) for pod in unready]
    return bool(unready and started and is_old) and all(
        lasts(one, agents.taken_at, _CONNECTING) for one in since
    )


def _is_held(pod: Pod) -> bool:
    """Whether its image cannot be pulled, its container cannot be created, or it fails by itself."""
    every = pod.status.container_statuses or ()
    failed = (one.last_end.exit_code for one in every if one.last_end and one.state.waiting)
    return held_by(pod) is not None or any(code not in (0, 137, 143) for code in failed)


def _cut_off(
    installation: Installation, services: Services | None, config: CiliumConfig | None
) -> tuple[Ref, str, Evidence] | None:
    """What keeps Relay from every agent, however well both are: what it is, what is wrong, what proves it."""
    port, peer = 0, None
    if config:
        values = config.values
        if values.get("enable-hubble", "").lower() == "false":
            said = "enable-hubble: false"
            return config.ref, f"{config.ref} has {said}: no agent serves flows", config.evidence(said)
        _, _, text = values.get("hubble-listen-address", "").rpartition(":")
        port = int(text) if text.isdigit() else 0
    if services and not services.provenance.is_truncated:
        ref = Ref("Service", _PEER, installation.namespace)
        peer = next((one for one in services.items if one.ref == ref), None)
        is_whole = services.provenance.namespace in ("", installation.namespace)
        if peer is None and is_whole and services.items:
            proof = services.evidence(f"no service {_PEER} in {installation.namespace}")
            return ref, f"{ref} does not exist: Hubble Relay finds no agent", proof
    targets = {one.target_port for one in (peer.spec.ports if peer else None) or ()}
    if config and peer and port and port != _PORT and targets == {_PORT}:
        said = f"hubble-listen-address: {config.values['hubble-listen-address']}"
        why = f"{config.ref} has {said}, while {peer.ref} sends to {_PORT}"
        return config.ref, why, config.evidence(said)
    return None


def _of_cut(cut: tuple[Ref, str, Evidence], relay: Deployment, deployments: Deployments) -> Finding:
    ref, why, proof = cut
    ready = relay.status.ready_replicas
    return finding(
        Severity.WARN,
        (ref, relay.ref),
        why,
        evidence=(proof, deployments.evidence(f"{relay.ref}: {ready} of {relay.wanted} replicas are ready")),
        asserts=(Condition(ConditionKind.RELAY_DOWN),),
        impact="Hubble's command and its UI see no flows; traffic goes on",
        last_seen=deployments.taken_at,
        ongoing=Ongoing.YES,
        owner=relay.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Make {ref} again as the chart writes it, or uninstall Hubble Relay.",
                why="Relay connects by itself as soon as an agent answers it.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Read what the chart writes.",
                        f"helm get manifest cilium -n {relay.metadata.namespace}",
                    ),
                    step(f"Correct {ref} in the Helm values, and restart the agents if it is theirs."),
                ),
                undo="Set the values back.",
                verify=f"All replicas of {relay.ref} are ready.",
            ),
        ),
    )


def _of_zero(relay: Deployment, deployments: Deployments) -> Finding:
    scale = ("-n", relay.metadata.namespace, "scale", f"deployment/{relay.metadata.name}")
    return finding(
        Severity.WARN,
        relay.ref,
        f"{relay.ref} is scaled to zero: nobody collects the agents' flows",
        evidence=(deployments.evidence(f"{relay.ref}: .spec.replicas: 0"),),
        asserts=(Condition(ConditionKind.RELAY_DOWN),),
        impact="Hubble's command and its UI see no flows; traffic goes on",
        last_seen=deployments.taken_at,
        ongoing=Ongoing.YES,
        owner=relay.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Scale {relay.ref} to one again, or uninstall it.",
                why="Relay asks every agent for its flows as soon as it runs.",
                risk=Risk.LOW,
                steps=(step(f"Scale {relay.ref}.", kubectl(*scale, "--replicas=1")),),
                undo=f"Scale {relay.ref} to zero.",
                verify=f"All replicas of {relay.ref} are ready.",
            ),
        ),
    )


def _is_coming(unready: list[Pod], agents: Agents, now: datetime) -> bool:
    """Whether the agents of the nodes where Relay waits in back-off came back after it went, and lately."""
    return bool(unready) and all(_waits_for_kubelet(pod, agents, now) for pod in unready)


def _waits_for_kubelet(pod: Pod, agents: Agents, now: datetime) -> bool:
    agent, since = agents.by_node.get(pod.spec.node_name), unready_since(pod)
    ready = agent.pod.condition_of("Ready") if agent else None
    if complaint_of(pod) or ready is None or ready.status != "True" or since is None:
        return False
    came = ready.last_transition_time
    return came is not None and came >= since and is_recent(came, now, _BACK_OFF)


def _finding(
    relay: Deployment,
    unready: list[Pod],
    nodes: list[str],
    deployments: Deployments,
    pods: Pods,
    *,
    is_coming: bool = False,
) -> Finding:
    ready, wanted = relay.status.ready_replicas, relay.wanted
    starts = [since for pod in unready if (since := unready_since(pod))]
    kinds = (ConditionKind.AGENT_DOWN, ConditionKind.AGENT_SILENT)
    own = [pod.spec.node_name for pod in unready if pod.spec.node_name]
    proofs: list[Evidence] = [deployments.evidence(f"{relay.ref}: {ready} of {wanted} replicas are ready")]
    return finding(
        Severity.INFO if ready or is_coming else Severity.WARN,
        relay.ref,
        f"{relay.ref} has {ready} of {wanted} replicas ready"
        + (", and its agent has just come back" if is_coming else ""),
        evidence=[*proofs, *(pods.evidence(standing_of(pod)) for pod in unready[:3])],
        asserts=() if ready else (Condition(ConditionKind.RELAY_DOWN),),
        because_of=[
            *(Condition(kind, node) for node in nodes for kind in kinds),
            *(Condition(ConditionKind.NODE_NOT_READY, node) for node in own),
            Condition(ConditionKind.SECRET_MISSING),
        ],
        stated_cause=next(filter(None, map(complaint_of, unready)), ""),
        impact="Hubble's command and its UI see no flows; traffic goes on" if not ready else "",
        first_seen=min(starts, default=None),
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        owner=relay.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Remove what Relay's log and events name.",
                why="Relay connects again by itself as soon as an agent answers it.",
                risk=Risk.LOW,
                steps=(
                    capture(
                        f"Save the log of {relay.ref}.",
                        kubectl(
                            *("-n", relay.metadata.namespace, "logs"),
                            *(f"deployment/{relay.metadata.name}", "--tail=500"),
                        )
                        + " > hubble-relay.log",
                    ),
                    step(
                        "Read the events of its pods.",
                        kubectl(
                            "-n", relay.metadata.namespace, "describe", "pods", "-l", f"k8s-app={_LABEL}"
                        ),
                    ),
                    step("Open TCP 4244 from Relay to all nodes, if its log says that peers do not answer."),
                ),
                undo="Nothing is changed by looking.",
                verify=f"All replicas of {relay.ref} are ready.",
            ),
        ),
    )
