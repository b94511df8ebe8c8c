"""Traffic is to be led through a proxy that does not listen."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.modules import AgentModules
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_response import Redirect
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault


def _deaf(status: AgentStatus) -> dict[str, Redirect]:
    proxy = status.response.proxy
    return {one.name: one for one in proxy.redirects if one.proxy_port == 0 and one.name} if proxy else {}


@fault(
    "AGT057",
    step="status",
    cases=(Case("status-proxy", proof="W", twin="the same redirect with a port in one of both looks"),),
    candidate=lambda status: bool(_deaf(status)),
)
def proxy_redirect_not_listening(
    status: Change[AgentStatus], agents: Agents, modules: OnNode[AgentModules] | None
) -> Iterator[Finding]:
    """Traffic is to be led through a proxy that does not listen.

    A rule on layer 7 or on DNS names sends an endpoint's traffic to a port of Envoy or of the agent's DNS
    proxy. The port is 0 until the proxy listens, for a moment after each new rule. If it stays 0, the packets
    of this rule have nowhere to go.
    """
    after = _deaf(status.after)
    node = status.after.provenance.node
    agent = agents.by_node.get(node)
    for name in _deaf(status.before).keys() & after.keys():
        redirect = after[name]
        yield finding(
            Severity.WARN,
            _subject(name, node, agents, modules),
            f"no proxy listens for redirect {name} on {node}",
            evidence=(
                status.before.evidence(f"proxy.redirects: {name} {redirect.proxy} proxy-port 0"),
                status.after.evidence(f"proxy.redirects: {name} {redirect.proxy} proxy-port 0"),
            ),
            because_of=(
                Condition(ConditionKind.ENVOY_DOWN, node),
                Condition(ConditionKind.AGENT_SILENT, node),
            ),
            impact="traffic of the endpoint under this rule is dropped",
            first_seen=status.before.taken_at,
            last_seen=status.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                restart_agent(
                    agent,
                    why="A new agent asks the proxies for their ports again.",
                    verify="Every redirect in the agent's status has a port.",
                ),
                Fix.cure(
                    "Find out why the proxy refused the listener.",
                    why="The proxy's answer to the agent names what it does not accept.",
                    risk=Risk.LOW,
                    steps=(
                        captured_log(agent),
                        step(
                            "Read what the agent's log says of the proxy.",
                            agent.log(tail=5000).command() + " | grep -iE 'proxy|envoy|nack'",
                        ),
                    ),
                    undo="Nothing is changed by looking.",
                    verify="Every redirect in the agent's status has a port.",
                ),
            )
            if agent
            else (),
            same_as=redirect.proxy,
        )


def _subject(name: str, node: str, agents: Agents, modules: OnNode[AgentModules] | None) -> Ref:
    id_ = name.partition(":")[0]
    if not id_.isdecimal() or len(id_) > 9:
        return agents.ref(node)
    pod = modules.fact.pod_of(int(id_)) if modules else None
    return Ref("Endpoint", pod[1], pod[0], node) if pod else Ref("Endpoint", id_, node=node)
