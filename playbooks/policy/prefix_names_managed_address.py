"""A rule admits by address what Cilium knows by identity, so it admits nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Ongoing, Severity, finding
from playbooks.model.kube.nodes import Nodes
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer, Prefix
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault

_LONGEST_MEANT = 8
"""Prefixes shorter than this mean the world, not some machine."""
_NODE = Peer(Labels(("reserved:remote-node", "reserved:kube-apiserver")))
_MANAGED = frozenset({"host", "remote-node", "kube-apiserver"})


@fault(
    "POL006",
    step="written",
    cases=(Case("PO-03", proof="W", twin="the same policy with toEntities instead of the address"),),
)
def prefix_names_managed_address(
    policies: WrittenPolicies,
    pods: LabelledPods,
    nodes: Nodes,
    agents: Agents,
    config: CiliumConfig,
    refused: Fleet[RefusedFlows],
) -> Iterator[Finding]:
    """A rule admits by address what Cilium knows by identity, so it admits nothing.

    `ipBlock`, `toCIDR` and `fromCIDR` match only addresses outside of the cluster. Nodes, the API server on
    a node and pods carry identities of their own (`host`, `remote-node`, `kube-apiserver`, labels), whatever
    their address: a rule with just that address is valid and never matches. From 1.15 on
    `policy-cidr-match-mode: nodes` lets prefixes match nodes too.
    """
    if "nodes" in config.get("policy-cidr-match-mode"):
        return
    addresses = {
        address.address: node.name
        for node in nodes.items
        if node.name in agents.by_node
        for address in node.status.addresses or ()
        if address.type in ("InternalIP", "ExternalIP")
    }
    by_policy = _by_policy(policies, pods, refused)
    for one in policies.items:
        for rule in one.rules:
            for prefix in () if rule.is_deny else _prefixes(rule):
                network = _network(prefix)
                if network is None or network.prefixlen < _LONGEST_MEANT:
                    continue
                drops = [d for d in by_policy.get(one.policy, ()) if _is_meant(rule, network, prefix, d)]
                exact = addresses.get(str(network.network_address), "")
                is_node = bool(exact) and network.num_addresses == 1
                if drops or (is_node and _is_needed(one, rule, policies, pods)):
                    yield _finding(
                        _Wrong(one, rule, prefix, drops, exact if is_node else ""), policies, nodes
                    )


@dataclass(frozen=True, slots=True)
class _Wrong:
    written: Written
    rule: Rule
    prefix: Prefix
    drops: list[Refusal]
    node: str


def _by_policy(
    policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]
) -> dict[object, list[Refusal]]:
    """Refusals of peers that have an identity of the cluster, by the policies of the pod that refused."""
    found: dict[object, list[Refusal]] = {}
    for refusal in refusals(refused):
        peer, pod = refusal.as_peer, pods.by_name.get(refusal.pod)
        is_managed = bool(peer.labels.reserved & _MANAGED or peer.labels.namespace) and not peer.is_outside
        for one in policies.selecting(pod.labels) if pod and is_managed else ():
            found.setdefault(one.policy, []).append(refusal)
    return found


def _prefixes(rule: Rule) -> Iterator[Prefix]:
    return (peer for peer in rule.peers or () if isinstance(peer, Prefix))


def _network(prefix: Prefix) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(prefix.cidr, strict=False)
    except ValueError:
        return None


def _is_meant(rule: Rule, network: IPv4Network | IPv6Network, prefix: Prefix, drop: Refusal) -> bool:
    flow = drop.flow
    if drop.direction is not rule.direction or not rule.is_at(flow.port, flow.protocol):
        return False
    try:
        address = ip_address(drop.peer_address)
        return address in network and not any(address in ip_network(hole) for hole in prefix.holes)
    except ValueError:
        return False


def _is_needed(one: Written, rule: Rule, policies: WrittenPolicies, pods: LabelledPods) -> bool:
    """Whether some selected pod refuses other nodes with their API server, which the rule was to admit."""
    port = next((port for port in rule.ports or () if port.first), None)
    at = (port.first, "TCP" if port.protocol == "ANY" else port.protocol) if port else (443, "TCP")
    for pod in pods.selected_by(one):
        asked = Asked(pod.labels, rule.direction, _NODE, *at)
        if decide(tuple(policies.selecting(pod.labels)), asked).decision is Decision.NOT_ADMITTED:
            return True
    return False


def _finding(wrong: _Wrong, policies: WrittenPolicies, nodes: Nodes) -> Finding:
    rule, drops = wrong.rule, wrong.drops
    what = str(drops[-1].peer) if drops else f"node {wrong.node}"
    evidence = [policies.evidence(f"{rule.policy} {rule.place}: {wrong.prefix}")]
    evidence += [drops[-1].evidence()] if drops else []
    if wrong.node:
        evidence.append(nodes.evidence(f"{wrong.node}: {wrong.prefix.cidr.partition('/')[0]}"))
    seen = span(drops)
    return finding(
        Severity.ERROR if drops and wrong.node else Severity.WARN,
        rule.policy,
        f"{rule.policy} admits {wrong.prefix.cidr}, but prefixes never match {what}",
        evidence=evidence,
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(rule.policy)),),
        impact=told(drops) if drops else "the rule admits nobody at that address",
        first_seen=seen[0],
        last_seen=seen[1] or policies.taken_at,
        ongoing=Ongoing.YES,
        owner=wrong.written.owner,
        fixes=(
            corrected(
                "Name the peer by what it is instead of by its address.",
                wrong.written,
                rule.place,
                why="Prefixes match only what is outside of the cluster; entities and labels match the rest.",
                verify="`cilium-dbg policy selectors` lists identities for the new peer, and the drops end.",
                change=_instead(rule, drops),
            ),
        ),
    )


def _instead(rule: Rule, drops: list[Refusal]) -> str:
    key = "toEntities" if rule.direction is Direction.EGRESS else "fromEntities"
    if drops and drops[-1].peer.pod_name:
        return f"{'toEndpoints' if rule.direction is Direction.EGRESS else 'fromEndpoints'}: [matchLabels: …]"
    reserved = sorted(drops[-1].as_peer.labels.reserved & _MANAGED) if drops else ["host", "remote-node"]
    return f"{key}: [{', '.join(reserved)}]  # in a CiliumNetworkPolicy; a NetworkPolicy knows no entities"
