"""A pod goes on sending UDP to a backend that is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from playbooks.model.cilium.agent.recent_flows import RecentFlow, RefusedFlows
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, capture, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.rule import Case, fault

_STALE = 151
_LEAST = 3
_LONG = timedelta(seconds=30)
_LATELY = timedelta(minutes=10)


@fault(
    "SVC012",
    step="agreement",
    cases=(Case("SV-06", proof="W", twin="the same flows to an address that a pod has"),),
)
def connected_udp_sticks(pods: Pods, nodes: Nodes, refused: Fleet[RefusedFlows]) -> Iterator[Finding]:
    """A pod goes on sending UDP to a backend that is gone.

    The socket load balancer translates a service's address once, when a socket is connected. A UDP socket
    that stays connected keeps the address of its pod after that pod is gone: proxies and resolvers that
    hold one socket for ever send into the void, `Stale or unroutable IP`. Agents end such sockets, but only
    where the kernel has CONFIG_INET_UDP_DIAG and CONFIG_INET_DIAG_DESTROY.
    """
    if pods.provenance.namespace or pods.provenance.is_truncated:
        return
    held = {pod.status.pod_ip for pod in pods.items}
    held |= {a.address for node in nodes.items for a in node.status.addresses or ()}
    by_name = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods.items}
    found: dict[tuple[str, str], list[tuple[RefusedFlows, list[RecentFlow]]]] = defaultdict(list)
    for _, fact in refused:
        for flows in _sockets(fact):
            last = flows[-1]
            pod = (last.source.namespace, last.source.pod_name)
            if pod in by_name and last.addresses.destination not in held:
                found[pod].append((fact, flows))
    for name, sockets in sorted(found.items()):
        yield _finding(by_name[name], sockets)


def _sockets(fact: RefusedFlows) -> Iterator[list[RecentFlow]]:
    """Drops of one socket that go on: the same source port, again and again, until now."""
    by_socket: dict[tuple[str, str, str, int, int], list[RecentFlow]] = defaultdict(list)
    for flow in fact.items:
        if flow.drop_reason == _STALE and flow.protocol == "UDP" and flow.time and not flow.is_reply:
            by_socket[flow.connection].append(flow)
    for flows in by_socket.values():
        first, last = flows[0].time, flows[-1].time
        if not first or not last or fact.taken_at - last > _LATELY:
            continue
        if len(flows) >= _LEAST and last - first >= _LONG:
            yield flows


def _finding(pod: Pod, sockets: Sequence[tuple[RefusedFlows, list[RecentFlow]]]) -> Finding:
    fact, flows = sockets[0]
    first, last = flows[0], flows[-1]
    target = f"{last.addresses.destination}:{last.port}"
    meta = pod.metadata
    said = f"{last.addresses.source}:{last.source_port} -> {target} UDP DROPPED Stale or unroutable IP"
    return finding(
        Severity.WARN,
        Ref("Pod", meta.name, meta.namespace, pod.spec.node_name),
        f"{pod.ref} keeps sending UDP to {target}, which no pod has any more",
        evidence=(fact.evidence(f"{said}, {len(flows)} times by the same socket"),),
        impact=f"{sum(len(one) for _, one in sockets)} packets of {len(sockets)} sockets lost lately",
        first_seen=first.time,
        last_seen=last.time,
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
        fixes=(
            Fix.mitigation(
                f"Restart {pod.ref}, so that it opens its sockets anew.",
                why="A new socket is translated to a backend that lives.",
                risk=Risk.MEDIUM,
                steps=(
                    capture(
                        f"Save the log of {pod.ref}.",
                        kubectl("-n", meta.namespace, "logs", meta.name, "--all-containers"),
                    ),
                    step(
                        f"Delete {pod.ref}; its owner makes a new one.",
                        kubectl("-n", meta.namespace, "delete", "pod", meta.name),
                    ),
                ),
                undo="Nothing to undo.",
                verify="No new drop `Stale or unroutable IP` comes from this pod.",
            ),
            Fix.cure(
                "Let agents end sockets whose backend is gone.",
                why="They can where the kernel lets them look up and destroy UDP sockets.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Read the kernel's options on the node.",
                        "zcat /proc/config.gz | grep -E 'INET_(UDP_)?DIAG'",
                    ),
                    "Boot a kernel with CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG and CONFIG_INET_DIAG_DESTROY.",
                ),
                undo="Boot the kernel from before.",
                verify="The drops do not come back when backends are replaced.",
            ),
        ),
    )
