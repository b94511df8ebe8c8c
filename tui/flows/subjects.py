"""The flows of what a finding is about, in the words of `hubble observe`."""

from __future__ import annotations

from collections.abc import Iterable

from playbooks.model.finding import Ref
from tui.flows.question import DROPS, TROUBLES, Question

MOST = 40
"""Names in one question: servers compare every flow with each."""
_OWN = "cilium"
"""How the pods of Cilium are called; they have their node's address, and no flow names them."""
_PODS = frozenset({"Pod", "Endpoint", "CiliumEndpoint"})
_WORKLOADS = frozenset({"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "CronJob"})
_SERVICES = frozenset({"Service", "Ingress", "Gateway"})
_NODES = frozenset({"Node", "CiliumNode"})
_POLICIES = frozenset({"NetworkPolicy", "CiliumNetworkPolicy", "CiliumEndpointSlice"})
_REFUSED_IN = "-n"
"""Of what a policy is about only refusals are asked for: all traffic of its namespace would hide them."""
_DROPS_ONLY = frozenset({"--node-name", _REFUSED_IN})


def flows_of(subjects: Iterable[Ref]) -> Question:
    """All flows of pods, workloads, services, namespaces; drops of nodes; `DROPS` when none is named."""
    flags = ("--pod", "--service", "--namespace", _REFUSED_IN, "--node-name")
    named: dict[str, list[str]] = {flag: [] for flag in flags}
    for ref in subjects:
        flag, value = _flag(ref)
        if flag and value not in named[flag] and len(named[flag]) < MOST:
            named[flag].append(value)
    # All traffic of a node would be all traffic: of what runs there only the pods that are named count.
    if any(named[flag] for flag in flags if flag != "--node-name"):
        named["--node-name"].clear()
    parts = [
        (*(word for value in values for word in (flag, value)), *(TROUBLES if flag in _DROPS_ONLY else ()))
        for flag, values in named.items()
        if values
    ]
    if not parts:
        return DROPS
    shown = sum(len(values) for values in named.values())
    return Question(tuple(parts), f"of {shown} subject{'' if shown == 1 else 's'}")


def _flag(ref: Ref) -> tuple[str, str]:
    """The flag that finds its flows, with its value; two empty strings when none does."""
    path = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
    if ref.kind in _NODES:
        return "--node-name", ref.name
    if ref.kind in _PODS and ref.namespace and not ref.name.isdigit():
        return _pod(ref, path)
    if ref.kind in _WORKLOADS and ref.namespace and not ref.name.startswith(_OWN):
        # Flows of before 1.13 name no workload, and names of pods begin with that of theirs.
        return "--pod", f"{path}-"
    if ref.kind in _SERVICES and ref.namespace:
        return "--service", path
    if ref.kind == "Namespace":
        return "--namespace", ref.name
    if ref.kind in _POLICIES and ref.namespace:
        return _REFUSED_IN, ref.namespace
    return ("--node-name", ref.node) if ref.node else ("", "")


def _pod(ref: Ref, path: str) -> tuple[str, str]:
    is_agent = ref.kind == "Pod" and ref.name.startswith(_OWN)
    return ("--node-name" if ref.node else "", ref.node) if is_agent else ("--pod", path)
