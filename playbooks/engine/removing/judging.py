"""Judges whether kube-proxy may go, by what agents say that they serve and by what is in use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from playbooks.engine.knowing import Knowing
from playbooks.engine.removing.verdicts import Break, OnOneNode, Removal
from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.proxy_rules import ProxyRules
from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.api_server_address import Environments
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services
from playbooks.model.services.proxies import proxy_pods
from playbooks.model.services.used import Used, used
from playbooks.model.views.services import ServiceView

_SWITCHES = {
    "NodePort": "nodePort.enabled=true",
    "HostPort": "hostPort.enabled=true",
    "externalIPs": "externalIPs.enabled=true",
    "Session Affinity": "sessionAffinity=true",
    "Graceful Termination": "enableK8sTerminatingEndpoint=true",
}
COMPARE = (
    ("Count the services and backends of every node; they must be the same.", "cilium-dbg service list"),
    ("Read what every agent says that it serves.", "cilium-dbg status --verbose"),
    ("Look whether chains of kube-proxy are left on the nodes.", "iptables-save | grep KUBE-SVC"),
    ("Call a ClusterIP from a pod and from the host, and each NodePort and address from outside.", ""),
    ("Restart one agent and see it become ready without kube-proxy.", ""),
    ("Run the check again.", "honeyguide check service"),
)
"""What to compare before and after."""


@dataclass(frozen=True, slots=True)
class _Cluster:
    agents: Agents
    proxied: frozenset[str]
    used: Mapping[str, Used]


async def judge(knowing: Knowing, nodes: Sequence[str]) -> Removal | Gap:
    """May kube-proxy go from these nodes; a gap where agents, services or pods are not known."""
    agents, services, pods = await asyncio.gather(
        knowing.know(Agents), knowing.know(Services), knowing.know(Pods)
    )
    for fact in (agents, services, pods):
        if isinstance(fact, Gap):
            return fact
    assert isinstance(agents, Agents)
    assert isinstance(services, Services)
    assert isinstance(pods, Pods)
    proxied = frozenset(pod.spec.node_name for pod in proxy_pods(pods))
    cluster = _Cluster(agents, proxied, used(services, pods))
    config, environments, installation = await asyncio.gather(
        knowing.know(CiliumConfig), knowing.know(Environments), knowing.know(Installation)
    )
    unchecked = [fact.detail for fact in (config, environments, installation) if isinstance(fact, Gap)]
    if pods.provenance.namespace:
        unchecked.append(f"pods outside of namespace {pods.provenance.namespace} were not seen")
    breaks = [*_without_address(config, environments, installation), *_sctp(services, config)]
    judged = await asyncio.gather(*(_node(knowing, node, cluster) for node in nodes))
    bare = sorted(proxied - set(agents.nodes)) if agents.nodes_known else []
    return Removal(
        proxies=len(proxied),
        breaks=tuple(breaks),
        nodes=tuple(sorted((*judged, *map(_bare, bare)), key=lambda one: one.node)),
        unchecked=tuple(dict.fromkeys(unchecked)),
        notes=tuple(_notes(services, config, proxied)),
        compare=COMPARE,
    )


def _without_address(
    config: CiliumConfig | Gap, environments: Environments | Gap, installation: Installation | Gap
) -> Iterator[Break]:
    if isinstance(config, Gap) or isinstance(environments, Gap) or isinstance(installation, Gap):
        return
    if config.get("k8s-api-server") or config.get("k8s-api-server-urls"):
        return
    if environments.told(installation) is False:
        yield Break(
            "Agents reach the API server by the ClusterIP of the service kubernetes, which nobody translates "
            "on a node whose agent only starts: no agent would come back from a restart.",
            "Set k8sServiceHost and k8sServicePort to an address that needs no proxy.",
            (environments.evidence(f"{installation.container}: no variable KUBERNETES_SERVICE_HOST"),),
        )


def _sctp(services: Services, config: CiliumConfig | Gap) -> Iterator[Break]:
    if isinstance(config, Gap) or config.is_on("enable-sctp"):
        return
    for service in services.items:
        if not service.is_headless and any(p.protocol == "SCTP" for p in service.spec.ports or ()):
            yield Break(
                f"{service.ref} has a port of SCTP, which agents do not serve without enable-sctp.",
                "Set sctp.enabled=true.",
                (services.evidence(f"{service.ref} protocol SCTP"), config.evidence("enable-sctp: not true")),
            )
            return


def _notes(services: Services, config: CiliumConfig | Gap, proxied: frozenset[str]) -> Iterator[str]:
    if not proxied:
        yield "No pod of kube-proxy is seen; some distributions run it inside of another process."
    yield "Connections that kube-proxy carries at that moment break: NodePorts and external addresses first."
    yield "Nobody removes its rules: clear them, or restart the nodes one by one."
    balanced = any(one.spec.type == "LoadBalancer" for one in services.items)
    if balanced and not isinstance(config, Gap):
        key = "kube-proxy-replacement-healthz-bind-address"
        if not config.get(key):
            yield f"Load balancers that ask kube-proxy's port 10256 get no answer: {key} is not set."


def _bare(node: str) -> OnOneNode:
    return OnOneNode(
        node, (Break("Kube-proxy runs there and no agent is meant to.", "Keep kube-proxy on this node."),)
    )


async def _node(knowing: Knowing, node: str, cluster: _Cluster) -> OnOneNode:
    told, rules = await asyncio.gather(knowing.know(Replacement, node), knowing.know(ProxyRules, node))
    view = await knowing.know(ServiceView, node)
    if isinstance(told, Gap):
        return OnOneNode(node, unchecked=(told.detail,))
    breaks = tuple(_breaks(node, told, cluster))
    unchecked = [gap.detail for gap in (view,) if isinstance(gap, Gap)]
    notes = []
    if isinstance(rules, ProxyRules) and rules.chains:
        notes.append(f"{rules.chains} chains of kube-proxy stand in iptables, such as {rules.example}.")
    elif isinstance(rules, Gap):
        notes.append(f"Its iptables were not seen: {rules.detail}.")
    if isinstance(view, ServiceView) and view.differences:
        notes.append(f"Look again whether this lasts: {view.differences[0].said}.")
    return OnOneNode(node, breaks, tuple(unchecked), tuple(notes))


def _breaks(node: str, told: Replacement, cluster: _Cluster) -> Iterator[Break]:
    if not told.is_on:
        yield Break(
            f"The agent does not replace kube-proxy (mode {told.mode}): no service would be served.",
            "Set kubeProxyReplacement=true and let the agents start again.",
            (told.evidence(told.said),),
        )
        return
    for kind, one in cluster.used.items():
        if told.features.get(kind) is False and (not one.nodes or node in one.nodes):
            yield Break(
                f"The agent does not serve {kind}, which {one.ref} uses.",
                f"Switch it on: {_SWITCHES[kind]}.",
                (told.evidence(f"{told.said}, {kind}: Disabled"), one.proof),
            )
    if told.socket_lb is False:
        yield Break(
            "Socket LB is off: processes of the host would reach no ClusterIP.",
            "Set socketLB.enabled=true, for the host only where a mesh needs it.",
            (told.evidence("Socket LB: Disabled"),),
        )
