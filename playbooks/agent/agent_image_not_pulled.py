"""An agent does not start since an image of its pod cannot be pulled."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, told
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, agents_standing, held_by
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.pods import ContainerStatus
from playbooks.model.rule import Case, fault

_REASONS = (
    (re.compile(r"not found|manifest unknown|no match for platform", re.I), "there is no such image"),
    (re.compile(r"invalid reference|couldn't parse image|InvalidImageName", re.I), "its name is not one"),
    (re.compile(r"unauthori[sz]ed|denied|authentication|forbidden|no basic auth", re.I), "access is denied"),
    (re.compile(r"toomanyrequests|rate limit|429", re.I), "the registry limits the rate"),
    (re.compile(r"x509|certificate|tls", re.I), "the registry's certificate is not trusted"),
    (re.compile(r"timeout|no such host|refused|unreachable|dial", re.I), "the registry is not reached"),
    (re.compile(r"no space left", re.I), "the node's disk is full"),
)


@fault(
    "AGT007",
    step="running",
    cases=(Case("IMAGE-unpulled", proof="W", twin="the same pods with the image of the healthy cluster"),),
)
def agent_image_not_pulled(
    agents: Agents, installation: Installation, warnings: Warnings | None
) -> Iterator[Finding]:
    """An agent does not start since an image of its pod cannot be pulled.

    A rollout replaces a few agents at a time, so a wrong tag or missing credentials take out those few and
    then stop. A node pulls through its own network: what one node cannot pull and all others can is a matter
    of that node. Events and the container's state name it: `Failed to pull image`, `failed to pull and unpack
    image`, `ErrImagePull`, `ImagePullBackOff`.
    """
    by_image: dict[str, list[tuple[Agent, ContainerStatus]]] = defaultdict(list)
    for agent in agents_standing(agents, Standing.UNPULLED):
        held = held_by(agent.pod)
        if held:
            by_image[_image(agent, held)].append((agent, held))
    for image, same in by_image.items():
        yield _finding(agents, installation, warnings, image, same)


def _image(agent: Agent, held: ContainerStatus) -> str:
    spec = agent.pod.spec
    every = (*(spec.init_containers or ()), *(spec.containers or ()))
    return next((one.image for one in every if one.name == held.name), held.image)


def _finding(
    agents: Agents,
    installation: Installation,
    warnings: Warnings | None,
    image: str,
    same: list[tuple[Agent, ContainerStatus]],
) -> Finding:
    nodes = {agent.node for agent, _ in same}
    others = [agent for node, agent in agents.by_node.items() if node not in nodes and _has(agent, image)]
    # An image that no node has is the workload's fault; one that other nodes have is the node's.
    workload = () if others or installation.workload is None else (installation.workload,)
    pods = tuple(agent.pod.ref for agent, _ in same)
    failed = [proof for agent, _ in same for proof in _events(warnings, agent)]
    first, held = same[0]
    why = next((words for pattern, words in _REASONS if pattern.search(f"{failed} {told(held)}")), "")
    return finding(
        Severity.ERROR,
        (*workload, *pods),
        f"{(*workload, *pods)[0]}: {image} cannot be pulled{f': {why}' if why else ''}",
        evidence=(agents.evidence(told(held)), *failed[:1]),
        asserts=(Condition(ConditionKind.AGENT_DOWN, node) for node in sorted(nodes)),
        stated_cause=held.state.waiting.message if held.state.waiting else "",
        impact=f"no agent on {', '.join(sorted(nodes)[:5])}: new pods, policies and DNS rules wait there",
        first_seen=first.pod.status.start_time,
        last_seen=agents.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Make {image} available, or name one that is.",
                why="Kubelet tries again by itself, ever less often, up to five minutes apart.",
                risk=Risk.LOW,
                steps=(
                    described(first.pod),
                    step(
                        "Compare the image with that of the last rollout.",
                        kubectl(
                            *("-n", installation.namespace, "rollout", "history", "daemonset"),
                            installation.workload.name if installation.workload else "cilium",
                        ),
                    ),
                    step("Correct tag, registry or imagePullSecrets in the Helm values."),
                ),
                undo="Set the values back.",
                verify="Every agent pod has pulled its images and is ready.",
            ),
        ),
    )


def _has(agent: Agent, image: str) -> bool:
    return agent.pod.is_ready and any(one.image == image for one in agent.pod.spec.containers or ())


def _events(warnings: Warnings | None, agent: Agent) -> Iterator[Evidence]:
    """What kubelet said about pulling, newest last in the API: the one with the registry's own words."""
    for event in warnings.about(agent.pod, "Failed") if warnings else ():
        if warnings and "Failed to pull image" in event.text:
            yield warnings.evidence(event.excerpt)
