"""Questions for names are led to a port at which the DNS proxy no longer listens."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.proxy_leads import ProxyLeads
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import restart_agent
from playbooks.model.dns.proxy import DnsProxy
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_SETTLED = 120
"""Seconds after its start in which an agent writes its rules anew."""


@fault(
    "POL017",
    step="names",
    cases=(Case("PO-17", proof="W", twin="the same rules with the port of the proxy"),),
)
def dns_led_to_old_port(
    leads: OnNode[ProxyLeads], proxy: OnNode[DnsProxy], agents: Agents
) -> Iterator[Finding]:
    """Questions for names are led to a port at which the DNS proxy no longer listens.

    Rules of the mangle table (`CILIUM_PRE_mangle`, target TPROXY) hand questions of pods with DNS rules to
    the agent's DNS proxy, at the port that it chose. An agent that starts again and takes another port must
    replace them; some releases of 1.16 restored the old port from a file instead. All lookups of such pods
    on the node then go nowhere, and pods without DNS rules are well.
    """
    node = leads.node
    agent = agents.by_node.get(node)
    led = {one.port for one in leads.fact.items if one.proxy.startswith("cilium-dns")}
    heard = proxy.fact.ports
    if not led or not heard or led & heard or agent is None:
        return
    if not agent.has_run_for(_SETTLED, proxy.fact.taken_at):
        return
    wrong = ", ".join(map(str, sorted(led)))
    right = ", ".join(map(str, sorted(heard)))
    yield finding(
        Severity.ERROR,
        agent.pod.ref,
        f"{agent.pod.ref}: lookups are led to port {wrong}, its DNS proxy listens at {right}",
        evidence=(
            leads.fact.evidence(f"TPROXY to host cilium-dns-egress proxy … --on-port {wrong}"),
            proxy.fact.evidence(f"DNS proxy at port {right}, {len(proxy.fact.redirects)} redirects"),
        ),
        impact=f"no pod with a rule for DNS on {node} can look up a name",
        first_seen=agent.started_at,
        last_seen=leads.fact.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            restart_agent(
                agent,
                why="A new agent writes the rules for the port that it takes.",
                verify="Lookups from pods with DNS rules on the node are answered.",
            ),
            Fix.cure(
                "Update to 1.16.4 or later, or fix the port of the DNS proxy.",
                why="Newer releases forget ports that are older than 15 minutes.",
                risk=Risk.MEDIUM,
                steps=(step("Fix the port until then.", "dnsProxy:\n  proxyPort: 40045"),),
                undo="Set proxyPort: 0 again.",
                verify="Lookups go on after the agent of a node was restarted.",
            ),
        ),
    )
