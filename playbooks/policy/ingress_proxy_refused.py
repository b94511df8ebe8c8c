"""Ingress or Gateway answers 403, since policy refuses the proxy behind them."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, is_admitted_now, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Written
from playbooks.model.rule import Case, fault

_INGRESS = "ingress"
_PROXY = Labels(("reserved:ingress",))
_POLICY = """apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: ingress-to-backends
spec:
  endpointSelector:
    matchExpressions:
      - {key: "reserved:ingress", operator: Exists}
  egress:
    - toEntities: [cluster]"""


@fault(
    "POL010",
    step="requests",
    cases=(Case("PO-07", proof="W", twin="the same flows with a policy that admits the entity ingress"),),
)
def ingress_proxy_refused(
    policies: WrittenPolicies, pods: LabelledPods, config: CiliumConfig, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """Ingress or Gateway answers 403, since policy refuses the proxy behind them.

    Requests through Cilium's Ingress and Gateway reach their backends from Envoy, with the identity
    `reserved:ingress`. Default deny holds for it as for any pod: for its egress where a clusterwide policy
    selects it or `enable-policy` is `always`, and at the backends' ingress. The client then gets `403 Access
    denied` from Envoy, although it may call the Ingress itself.
    """
    yield from unseen(refused)
    at_proxy: list[Refusal] = []
    at_backend: dict[tuple[Ref, ...], list[Refusal]] = {}
    for drop in refusals(refused):
        pod = pods.by_name.get(drop.pod)
        if drop.direction is Direction.EGRESS and _is_proxy(drop.own.labels):
            if not is_admitted_now(policies, _PROXY, drop):
                at_proxy.append(drop)
        elif drop.direction is Direction.INGRESS and _is_proxy(drop.peer.labels) and pod:
            if is_admitted_now(policies, pod.labels, drop):
                continue
            closing = policies.denying_by_default(pod.labels, Direction.INGRESS)
            refs = tuple(dict.fromkeys(one.policy for one in closing)) or (pod.pod.ref,)
            at_backend.setdefault(refs, []).append(drop)
    if at_proxy:
        yield _at_proxy(at_proxy, policies, config)
    for refs, drops in at_backend.items():
        yield _at_backend(refs, drops, policies)


def _is_proxy(labels: tuple[str, ...]) -> bool:
    return f"reserved:{_INGRESS}" in labels


def _closing(policies: WrittenPolicies) -> list[Written]:
    """Clusterwide policies whose selector takes the proxy in, as one for all but a namespace does."""
    return [
        one
        for one in policies.items
        if not one.namespace
        and not one.is_for_nodes
        and Direction.EGRESS in one.default_deny
        and one.selector.matches(_PROXY.by_key)
    ]


def _at_proxy(drops: list[Refusal], policies: WrittenPolicies, config: CiliumConfig) -> Finding:
    closing = _closing(policies)
    is_always = config.get("enable-policy").lower() == "always"
    refs = [one.policy for one in closing] or [config.ref if is_always else Ref("Identity", _INGRESS)]
    evidence = [drops[-1].evidence()]
    evidence += [policies.evidence(f"{one.policy} {one.place} selects {one.selector}") for one in closing[:2]]
    evidence += [config.evidence("enable-policy: always")] if is_always else []
    seen = span(drops)
    return finding(
        Severity.WARN,
        refs,
        f"{refs[0]} refuses what Ingress and Gateway send to their backends",
        evidence=evidence,
        impact=f"clients get 403; {len(drops)} packets of the proxy refused lately",
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        fixes=(_fix("Admit what the proxy of Ingress and Gateway sends.", _POLICY),),
    )


def _at_backend(refs: tuple[Ref, ...], drops: list[Refusal], policies: WrittenPolicies) -> Finding:
    workload = drops[-1].own.workload
    seen = span(drops)
    return finding(
        Severity.WARN,
        refs,
        f"{refs[0]} refuses the proxy of Ingress and Gateway at {workload}",
        evidence=(
            drops[-1].evidence(),
            policies.evidence(f"{', '.join(map(str, refs[:3]))}: default deny for ingress"),
        ),
        impact=f"clients get 403; {told(drops)}",
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        fixes=(
            _fix(
                f"Admit the entity ingress at {workload}.",
                f"ingress:\n  - fromEntities: [ingress]\n    toPorts:\n      - ports: [{{port: "
                f'"{drops[-1].flow.port}", protocol: {drops[-1].flow.protocol or "ANY"}}}]',
            ),
        ),
    )


def _fix(title: str, manifest: str) -> Fix:
    return Fix.cure(
        title,
        why="Envoy calls the backends with the identity reserved:ingress, and policy asks for that.",
        risk=Risk.MEDIUM,
        steps=(step("Apply this as a policy of its own, or put it into the one that refuses.", manifest),),
        undo="Delete the policy, or apply the manifest as it was.",
        verify="`hubble observe --identity 8 --verdict DROPPED` shows nothing new; requests get answers.",
    )
