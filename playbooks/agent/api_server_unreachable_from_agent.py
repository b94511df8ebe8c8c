"""An agent does not reach the API server at its start."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.agent_words import AgentWords, Heard
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.logs import last_words
from playbooks.model.cilium.restarting import kubectl, sysdump
from playbooks.model.cilium.standing import Standing
from playbooks.model.cilium.template import blamed, is_told_api_server
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pods
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"unable to contact (the )?k8s api-?server|unable to initialize kubernetes subsystem"
    r"|unable to (connect to|reach) (the )?(k8s|kubernetes|api)[ -]?(api|server)",
    re.IGNORECASE,
)
_FAILS = re.compile(
    r'https?://[^\s"/]+/(api|apis|version|healthz|livez|readyz)\b.*: '
    r"(dial |context deadline|net/http: |x509: |tls: |remote error|EOF|proxyconnect|http2: |connect: )"
)
_REVISION = "controller-revision-hash"
_OVER = re.compile(r"connected to (k8s )?api-?server", re.IGNORECASE)
_IP = re.compile(r"[0-9.]+|\[[0-9a-fA-F:]+\]")
_ADDRESS = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[^\s\"/:]+)(?::(\d+))?")
_LINE = (
    'level=error msg="Unable to contact k8s api-server" error="Get '
    '\\"https://10.96.0.1:443/api/v1/namespaces/kube-system\\": dial tcp 10.96.0.1:443: i/o timeout"'
)
_TWIN = "the same log that goes on with Connected to apiserver"


@fault(
    "AGT015",
    step="running",
    cases=(
        Case("AG-01", proof="V", lines=(_LINE,), twin=_TWIN),
        Case(
            "AG-01b",
            proof="V",
            lines=('level=fatal msg="Unable to initialize Kubernetes subsystem"',),
            twin=_TWIN,
        ),
        Case("AG-02", proof="V", lines=(_LINE,), twin=_TWIN),
    ),
)
def api_server_unreachable_from_agent(
    words: OnNode[AgentWords],
    installation: Installation,
    nodes: Nodes | None,
    pods: Pods,
    agents: Agents,
    slices: EndpointSlices | None,
) -> Iterator[Finding | CouldNotLook]:
    """An agent does not reach the API server at its start.

    The first thing that an agent's pod does is to read its configuration from the API server, before it has
    set up any service translation on the node. Told no address, it takes the ClusterIP of the service
    kubernetes, which only kube-proxy or an agent that already runs translates: without kube-proxy it waits
    for itself. From 1.19 on it marks its own packets so that they pass the host firewall, and kube-proxy in
    IPVS mode does not serve marked packets.
    """
    heard = words.fact.last_saying(_SAYS, _OVER) or _final(words.fact)
    if heard is None:
        for gap in words.fact.missing[:1]:
            yield CouldNotLook(f"{words.node}: {gap.detail}")
        return
    agent = words.fact.agent
    is_down = words.fact.standing is not Standing.READY
    host, port = _address(heard)
    is_virtual = port in ("443", "") and host != "" and not _is_of_node(host, nodes)
    proxies = pods.matching({"k8s-app": "kube-proxy"})
    has_proxy = any(pod.is_ready for pod in proxies if pod.spec.node_name == words.node)
    is_dialed = is_down and not is_virtual and "dial " in heard.line.said
    real = _told_wrong(agent, host, agents, slices) if is_dialed else ""
    subjects = (
        *blamed(agent.pod, installation.workload, is_template=bool(real)),
        *((node.ref,) if nodes and (node := nodes.get(words.node)) else ()),
    )
    yield finding(
        Severity.ERROR,
        subjects,
        f"{subjects[0]}: its agents ask {host}:{port} for the API server, which is at {real}"
        if real
        else f"{agent.pod.ref} does not reach the API server{f' at {host}:{port}' if host else ''}",
        evidence=(
            heard.proof,
            *((slices.evidence(f"default/kubernetes: {real}"),) if real and slices else ()),
        ),
        asserts=(
            Condition(ConditionKind.API_SERVER_UNREACHABLE, words.node),
            *((Condition(ConditionKind.AGENT_DOWN, words.node),) if is_down else ()),
        ),
        because_of=(
            Condition(ConditionKind.NODE_UNREACHABLE, words.node),
            Condition(ConditionKind.NODE_NOT_READY, words.node),
        ),
        stated_cause=heard.line.said,
        alternatives=_alternatives(installation, is_virtual=is_virtual, has_proxy=has_proxy),
        impact=f"no new pods, policies and services on {words.node}",
        first_seen=heard.line.time,
        last_seen=heard.line.time,
        ongoing=Ongoing.YES,
        fixes=_fixes(installation, words.node, is_virtual=is_virtual),
        same_as=f"{host}:{port}",
    )


def _final(words: AgentWords) -> Heard | None:
    """A failed call of the API server, where it is what a run ended with."""
    if words.standing is Standing.IN_INIT:
        return words.last_saying(_FAILS, _OVER)
    if words.standing is not Standing.CRASHING:
        return None
    ends = [Heard(log, line) for log in words.logs if (line := last_words(log.lines))]
    return next((heard for heard in ends if _FAILS.search(heard.line.said)), None)


def _address(heard: Heard) -> tuple[str, str]:
    match = _ADDRESS.search(heard.line.said)
    return (match[1], match[2] or "") if match else ("", "")


def _told_wrong(agent: Agent, host: str, agents: Agents, slices: EndpointSlices | None) -> str:
    """Where the API server says it is, if all agents made like this one are told to look elsewhere."""
    if not _IP.fullmatch(host) or slices is None or not is_told_api_server(agent.pod):
        return ""
    own = slices.of_service("default", "kubernetes")
    every = {
        address for one in own for endpoint in one.endpoints or () for address in endpoint.addresses or ()
    }
    made = agent.pod.metadata.label(_REVISION)
    is_used = any(
        other.pod.is_ready and other.pod.metadata.label(_REVISION) == made
        for other in agents.by_node.values()
    )
    return "" if is_used or host.strip("[]") in every else ", ".join(sorted(every))


def _is_of_node(host: str, nodes: Nodes | None) -> bool:
    every = nodes.items if nodes else ()
    return any(address.address == host for node in every for address in node.status.addresses or ())


def _alternatives(installation: Installation, *, is_virtual: bool, has_proxy: bool) -> Iterator[str]:
    minor = installation.minor
    if is_virtual and has_proxy and minor and minor >= (1, 19):
        yield (
            "kube-proxy in IPVS mode does not serve the marked packets of 1.19 and later: the ConfigMap "
            "kube-proxy says mode: ipvs, and the same agents started with 1.18."
        )
    if is_virtual:
        yield (
            "Nobody translates the ClusterIP on this node: kube-proxy is missing or broken there, and "
            "k8sServiceHost is not set; iptables -t nat -L has no KUBE-SVC rule for default/kubernetes."
        )
    yield "A firewall or route stands between the node and the API server: nothing on the node reaches it."
    yield "The API server is down or has another certificate: every node says so, and kubectl fails too."


def _fixes(installation: Installation, node: str, *, is_virtual: bool) -> Iterator[Fix]:
    namespace = installation.namespace
    if is_virtual and installation.minor and installation.minor >= (1, 19):
        yield Fix.mitigation(
            "Let the agent's packets to the API server be as they were before 1.19.",
            why="Unmarked packets are translated by kube-proxy in IPVS mode as before.",
            risk=Risk.MEDIUM,
            steps=(
                step(
                    "Set enable-k8s-host-firewall-bypass to false, if kube-proxy's mode is ipvs.",
                    kubectl(
                        *("-n", namespace, "patch", "configmap", "cilium-config", "--type", "merge", "-p"),
                        '{"data":{"enable-k8s-host-firewall-bypass":"false"}}',
                    ),
                ),
            ),
            undo="Set it to true again.",
            verify="The init container config ends well within seconds.",
        )
    yield Fix.cure(
        "Tell the agents an address of the API server that needs no service translation.",
        why="The agent then depends on nothing that it has to set up itself.",
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step("Look whether kube-proxy runs on the node.", _proxies(node)),
            step(
                "Set host and port of the API server or of its load balancer; the agents restart for it.",
                helm_upgrade(namespace, "k8sServiceHost=HOST", "k8sServicePort=PORT"),
            ),
        ),
        undo="Unset the two values.",
        verify="The log of the init container config says Connected to apiserver.",
    )


def _proxies(node: str) -> str:
    by_node = f"spec.nodeName={node}"
    return kubectl("get", "pods", "-A", "-l", "k8s-app=kube-proxy", "--field-selector", by_node, "-o", "wide")
