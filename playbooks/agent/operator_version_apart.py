"""Operator and agents are of different minor versions."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation, minor_of, version_of
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.workloads import DaemonSets, Deployment, Deployments
from playbooks.model.rule import Case, fault


@fault(
    "AGT067",
    step="configuration",
    cases=(Case("operator-version", proof="W", twin="the same operator with the agents' version"),),
)
def operator_version_apart(
    installation: Installation, agents: Agents, deployments: Deployments, daemon_sets: DaemonSets | None
) -> Iterator[Finding]:
    """Operator and agents are of different minor versions.

    The operator registers the CRDs that agents of its own version read, and changes objects the way they
    expect. One minor version apart is what an upgrade passes through. Further apart is tested by nobody:
    agents may wait for CRDs that this operator does not know.
    """
    operator = deployments.labelled("io.cilium/app", "operator", installation.namespace)
    if operator is None:
        return
    version = _version(operator)
    own, theirs = minor_of(version), {minor_of(agent.version) for agent in agents.by_node.values()}
    known = [minor for minor in theirs if minor]
    if own is None or not known:
        return
    farthest = max(known, key=lambda minor: abs(minor[1] - own[1]) + 100 * abs(minor[0] - own[0]))
    if farthest == own:
        return
    apart = abs(farthest[1] - own[1]) if farthest[0] == own[0] else 100
    workload = daemon_sets.get(installation.workload) if daemon_sets else None
    is_standing = workload is not None and not workload.is_rolling_out
    name = f"{farthest[0]}.{farthest[1]}"
    yield finding(
        Severity.WARN if apart > 1 and is_standing else Severity.INFO,
        operator.ref,
        f"{operator.ref} is {version}, agents are {name}",
        evidence=(
            deployments.evidence(f"image of {operator.ref}: {_image(operator)}"),
            agents.evidence(f"agents: {', '.join(sorted({a.version for a in agents.by_node.values()}))}"),
        ),
        impact="CRDs and objects may not be what agents expect" if apart > 1 else "",
        last_seen=deployments.taken_at,
        ongoing=Ongoing.YES,
        owner=operator.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Bring operator and agents to one version.",
                why="Both come from one release and are tested together.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Upgrade both together, one minor version at a time.",
                        "helm upgrade cilium cilium/cilium -n kube-system --version VERSION",
                    ),
                ),
                undo="Roll the release back: helm rollback cilium.",
                verify="Operator and agents name the same version.",
            ),
        ),
    )


def _image(operator: Deployment) -> str:
    containers = operator.spec.template.spec.containers or ()
    named = [c for c in containers if c.name == "cilium-operator"] or list(containers[:1])
    return named[0].image if named else ""


def _version(operator: Deployment) -> str:
    return version_of(_image(operator))
