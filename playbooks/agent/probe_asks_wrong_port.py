"""A probe of the agents asks a port at which they do not listen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import described, helm_upgrade
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.down import asked_at_wrong_port
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.template import blamed, deaf_port
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.events import Event, Warnings
from playbooks.model.rule import Case, fault

_FAILED = re.compile(r"(Liveness|Readiness|Startup) probe failed: .*:(\d+)\b.*connection refused")


@fault(
    "AGT077",
    step="running",
    cases=(Case("PROBE-port", proof="W", twin="the same pod whose probe asks the port called health"),),
)
def probe_asks_wrong_port(
    agents: Agents, installation: Installation, warnings: Warnings
) -> Iterator[Finding]:
    """A probe of the agents asks a port at which they do not listen.

    The chart's probes ask the port that the container calls health. One that asks another port gets
    `connection refused` from a sound agent: as readiness probe it keeps the agent's pod unready and its node
    tainted, as liveness or startup probe it ends the agent again and again, without a word in its log.
    """
    for agent in agents.by_node.values():
        if agent.pod.is_ready:
            continue
        told = next(_complaints(agent, warnings), None)
        if told:
            yield _finding(agent, installation, agents, warnings, *told)


def _complaints(agent: Agent, warnings: Warnings) -> Iterator[tuple[str, int, Event]]:
    for event in warnings.about(agent.pod, "Unhealthy"):
        said = _FAILED.search(event.text)
        probe = said[1].lower() if said else ""
        port = deaf_port(agent.pod, agent.container, probe)
        if said and port and str(port) == said[2]:
            yield probe, port, event


def _finding(
    agent: Agent,
    installation: Installation,
    agents: Agents,
    warnings: Warnings,
    probe: str,
    port: int,
    event: Event,
) -> Finding:
    subjects = blamed(agent.pod, installation.workload, is_template=True)
    path = f"/spec/template/spec/containers/0/{probe}Probe/httpGet/port"
    return finding(
        Severity.ERROR,
        subjects,
        f"{subjects[0]}: the {probe} probe asks port {port}, where nobody listens",
        evidence=(
            warnings.evidence(event.excerpt),
            agents.evidence(
                f"{agent.container}: {probe}Probe.httpGet.port {port}, which it does not declare"
            ),
        ),
        asserts=(asked_at_wrong_port(agent.node), Condition(ConditionKind.AGENT_DOWN, agent.node)),
        impact=f"the agent on {agent.node} is not ready"
        + ("" if probe == "readiness" else ", and is ended again and again"),
        first_seen=event.first,
        last_seen=event.last,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Let the {probe} probe ask the port called health.",
                why="The agents are replaced, and a probe that reaches them leaves them alone.",
                risk=Risk.MEDIUM,
                steps=(
                    described(agent.pod),
                    step(f"Compare {path} with the port called health."),
                    step("Set the chart's probes again.", helm_upgrade(installation.namespace)),
                ),
                undo="Set the port back.",
                verify="No new event of reason Unhealthy appears, and the agents are ready.",
            ),
        ),
        same_as=f"{probe} {port}",
    )
