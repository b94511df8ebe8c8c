"""A module of the agent calls itself degraded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.modules import AgentModules, Module
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_controllers import Failing, is_in_trouble
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault

_PERSISTENT = 3
"""Reports of the same error in a row from which on it is no hiccup."""
_CAUSES = (
    ConditionKind.KVSTORE_DOWN,
    ConditionKind.CRDS_MISSING,
    ConditionKind.PERMISSION_MISSING,
    ConditionKind.SECRET_MISSING,
    ConditionKind.ENVOY_DOWN,
    ConditionKind.API_SERVER_UNREACHABLE,
    ConditionKind.MAP_FULL,
)


@fault(
    "AGT055",
    step="status",
    cases=(Case("module-degraded", proof="W", twin="the same row with Level OK"),),
)
def module_degraded(
    modules: OnNode[AgentModules],
    agents: Agents,
    installation: Installation,
    status: OnNode[AgentStatus] | None,
    daemon_sets: DaemonSets | None,
) -> Iterator[Finding]:
    """A module of the agent calls itself degraded.

    Modules report how their last piece of work ended. A single report is forgotten with the next good one;
    the same error several times in a row is not. A report that holds a duration never repeats word for word,
    so its count stays 1 and proves nothing: it is told, no more. The version check of Envoy fails every two
    minutes where no Envoy is installed, which is no fault at all.
    """
    troubled = _troubled(status.fact) if status else []
    for module in modules.fact.degraded:
        if _is_envoy_version_check(module) and not _has_envoy(installation, status, daemon_sets):
            continue
        if any(_is_same(module, one) for one in troubled):
            continue
        # Without the status it cannot be told from a controller that says the same: then it is only noted.
        yield _finding(module, modules, agents, is_proved=status is not None and module.count >= _PERSISTENT)


def _troubled(status: AgentStatus) -> list[Failing]:
    return [Failing(one, 0.0) for one in status.response.controllers or () if is_in_trouble(one)]


def _is_same(module: Module, controller: Failing) -> bool:
    """Whether a failing controller says the same: it is about the same endpoint, or has the same name."""
    about = module.endpoint
    if about:
        return controller.endpoint == about[0]
    return module.component.rpartition(".")[2].removeprefix("timer-").removeprefix("job-") == controller.name


def _is_envoy_version_check(module: Module) -> bool:
    return module.module.endswith("envoy-proxy") and module.component.endswith("version-check")


def _has_envoy(
    installation: Installation, status: OnNode[AgentStatus] | None, daemon_sets: DaemonSets | None
) -> bool:
    proxy = status.fact.response.proxy if status else None
    if proxy and proxy.envoy_deployment_mode == "embedded":
        return True
    items = daemon_sets.items if daemon_sets else ()
    return any(
        item.metadata.namespace == installation.namespace
        and "cilium-envoy"
        in (item.metadata.name, item.spec.template.metadata.label("k8s-app"), item.metadata.label("k8s-app"))
        for item in items
    )


def _finding(module: Module, modules: OnNode[AgentModules], agents: Agents, *, is_proved: bool) -> Finding:
    node, about = modules.node, module.endpoint
    subject = Ref("Endpoint", about[2] or str(about[0]), about[1], node) if about else agents.ref(node)
    agent = agents.by_node.get(node)
    return finding(
        Severity.WARN if is_proved else Severity.INFO,
        subject,
        f"{module.name} is degraded on {node}",
        evidence=(modules.fact.evidence(module.row),),
        because_of=[Condition(kind, where) for kind in _CAUSES for where in ("", node)],
        stated_cause=module.error or module.message,
        impact="what the module does on this node may be stale or missing" if is_proved else "",
        last_seen=module.updated,
        ongoing=Ongoing.YES if is_proved else Ongoing.UNKNOWN,
        fixes=[
            Fix.cure(
                "Remove the cause that the module's error names.",
                why="The module reports itself well as soon as its work succeeds.",
                risk=Risk.LOW,
                steps=(
                    captured_log(agent),
                    step(
                        "Look whether it is still degraded.",
                        agent.command("cilium-dbg", "status", "--all-health").command(),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="The row Modules Health of the agent's status says Degraded(0).",
            ),
            restart_agent(
                agent,
                why="A new agent starts all of its modules anew.",
                verify="The row Modules Health of the agent's status says Degraded(0).",
            ),
        ]
        if agent
        else (),
        same_as=re.sub(r"\d+", "N", f"{module.module} {module.error}"),
    )
