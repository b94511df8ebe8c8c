"""The narrowest rule that admits a connection, drafted for a person to review."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.labels import NAMESPACE, Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.written import Direction, Written

_PASSING = ("hash", "revision", "pod-name", "pod-index", "generation")
"""Parts of keys of labels that do not survive a rollout."""
_ENTITIES = ("kube-apiserver", "host", "remote-node", "health", "ingress", "init", "unmanaged")
"""Reserved labels that rules name as entities, the narrowest first."""
_INDENT = "    "

DNS_RULE = """\
    - toEndpoints:
        - matchLabels:
            "k8s:io.kubernetes.pod.namespace": "kube-system"
            "k8s:k8s-app": "kube-dns"
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
              - matchPattern: "*\""""
"""Lets pods ask the cluster's DNS, and the agent's DNS proxy learn the answers."""


@dataclass(frozen=True, slots=True)
class Who:
    """The peer of a draft, as narrowly as it can be named for long."""

    labels: tuple[tuple[str, str], ...] = ()
    """Of pods."""
    entity: str = ""
    """One of Cilium's names for peers without labels of their own."""
    prefix: str = ""
    """An address outside of the cluster."""
    name: str = ""
    """A DNS name outside of the cluster."""

    def lines(self, direction: Direction) -> Iterator[str]:
        """The peer in a rule of Cilium's."""
        word = "from" if direction is Direction.INGRESS else "to"
        if self.labels:
            yield f"{_INDENT}- {word}Endpoints:"
            yield f"{_INDENT}    - matchLabels:"
            yield from _labels(self.labels, 8)
        elif self.entity:
            yield f"{_INDENT}- {word}Entities: [{json.dumps(self.entity)}]"
        elif self.name:
            yield f"{_INDENT}- {word}FQDNs:"
            yield f"{_INDENT}    - matchName: {json.dumps(self.name)}"
        else:
            yield f"{_INDENT}- {word}CIDR: [{json.dumps(self.prefix)}]"


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule for one direction of one connection."""

    name: str
    """Of a policy that holds nothing else."""
    namespace: str
    """Of the policy."""
    own: tuple[tuple[str, str], ...]
    """Labels that select the endpoint that is to admit."""
    peer: Who
    """Who is admitted."""
    port: int
    """0 for all."""
    protocol: str
    """`TCP`, `UDP`, `SCTP` or `ANY`."""
    direction: Direction = Direction.INGRESS
    """Seen from the endpoint that is to admit."""
    needs_dns: bool = False
    """Whether a rule for DNS has to come with it, for nothing teaches the agent the name's addresses."""
    requests: tuple[str, ...] = ()
    """What may pass at the port, as lines of `rules`; empty for everything."""

    @property
    def shown_rule(self) -> str:
        """The entry for the list of rules; labels are quoted, whatever they hold."""
        ports = (
            "      toPorts:",
            "        - ports:",
            f"            - port: {json.dumps(str(self.port))}",
            f"              protocol: {self.protocol or 'ANY'}",
            *((f"{_INDENT}      rules:", *self.requests) if self.requests else ()),
        )
        lines = [*self.peer.lines(self.direction), *(ports if self.port else ())]
        return "\n".join([*lines, *((DNS_RULE,) if self.needs_dns else ())])

    @property
    def shown_yaml(self) -> str:
        """The manifest of a policy that holds nothing else."""
        return "\n".join(
            (
                "apiVersion: cilium.io/v2",
                "kind: CiliumNetworkPolicy",
                "metadata:",
                f"  name: {json.dumps(self.name)}",
                f"  namespace: {json.dumps(self.namespace)}",
                "spec:",
                "  endpointSelector:",
                "    matchLabels:",
                *_labels(self.own, 2),
                f"  {self.direction}:",
                self.shown_rule,
            )
        )

    def shown_diff(self, holder: Written) -> str:
        """The same rule as an addition to a policy."""
        places = [rule.place for rule in holder.of(self.direction)]
        where = f"after {places[-1]}" if places else f"{holder.place}.{self.direction}"
        rule = self._of_kubernetes() if holder.policy.kind == "NetworkPolicy" else self.shown_rule
        return "\n".join(
            (
                *head_of_diff(holder),
                f"@@ {where} @@",
                *(f"+{line}" for line in rule.split("\n")),
            )
        )

    def fits(self, holder: Written) -> bool:
        """Whether a policy's kind can hold the rule: Kubernetes' own knows neither entities nor names."""
        return holder.policy.kind != "NetworkPolicy" or bool(self.peer.labels or self.peer.prefix)

    def also_opened(self, pods: LabelledPods, meant: Iterable[tuple[str, str]]) -> Opened:
        """Whom the rule admits and lets admit beside those who are meant, by namespace and name."""
        known = set(meant)
        own = pods.selected(Selector(dict(self.own)), self.namespace)
        peers = pods.selected(Selector(dict(self.peer.labels)), self.namespace) if self.peer.labels else ()
        return Opened(tuple(others(peers, known)), tuple(others(own, known)), pods.is_complete)

    def _of_kubernetes(self) -> str:
        word = "from" if self.direction is Direction.INGRESS else "to"
        lines = [f"{_INDENT}- {word}:"]
        labels = {key.removeprefix("k8s:"): value for key, value in self.peer.labels}
        namespace = labels.pop(NAMESPACE, "")
        if self.peer.prefix:
            lines += [f"{_INDENT}    - ipBlock:", f"            cidr: {json.dumps(self.peer.prefix)}"]
        else:
            lines += [f"{_INDENT}    - podSelector:", "            matchLabels:"]
            lines += _labels(tuple(labels.items()), 10)
        if namespace:
            wanted = (("kubernetes.io/metadata.name", namespace),)
            lines += ["          namespaceSelector:", "            matchLabels:", *_labels(wanted, 10)]
        if self.port:
            lines += ["      ports:", f"        - port: {self.port}", f"          protocol: {self.protocol}"]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a draft opens beside what it is for."""

    peers: tuple[str, ...]
    """Other pods that are admitted, as `namespace/name`."""
    endpoints: tuple[str, ...]
    """Other pods that admit the peer."""
    is_complete: bool
    """Whether all pods of the cluster are known."""
    beyond: tuple[str, ...] = ()
    """What else is admitted, in words: peers that are no pods, and other ports."""
    newly_denied: tuple[str, ...] = ()
    """Pods without default deny until now, that refuse from then on what no rule admits."""

    @property
    def is_wider(self) -> bool:
        """Whether it opens more than it is for."""
        return bool(self.peers or self.endpoints or self.beyond or self.newly_denied)

    @property
    def said(self) -> str:
        """In one sentence."""
        admitted = [*((_some(self.peers),) if self.peers else ()), *self.beyond]
        parts = [f"admits {', '.join(admitted)}"] if admitted else []
        parts += [f"opens {_some(self.endpoints)}"] if self.endpoints else []
        if self.newly_denied:
            parts.append(f"puts {_some(self.newly_denied)} into default deny")
        doubt = "" if self.is_complete else "; not all pods could be read"
        return f"it also {' and '.join(parts)}{doubt}" if parts else f"it opens nothing else{doubt}"


def admitting(
    endpoint: Labels,
    peer: Peer,
    port: int,
    protocol: str,
    direction: Direction = Direction.INGRESS,
    *,
    knows_names: bool = True,
) -> Draft | None:
    """A rule that admits one peer at one port; nothing where an end has nothing to be named by for long.

    `knows_names` says whether some policy of the endpoint already leads its questions for names to the proxy.
    """
    own, who = _stable(endpoint), _who(endpoint, peer)
    if not own or who is None:
        return None
    name = dict(own).get("app") or dict(own).get("app.kubernetes.io/name") or "workload"
    needs_dns = bool(who.name) and not knows_names
    return Draft(f"{name}-{direction}", endpoint.namespace, own, who, port, protocol, direction, needs_dns)


def holder_of(selecting: Sequence[Written], draft: Draft) -> Written | None:
    """The policy that should hold a rule: one for just that endpoint that already speaks of the direction."""
    fitting = [
        one
        for one in selecting
        if one.namespace == draft.namespace
        and not one.selector.is_empty
        and (draft.direction in one.default_deny or any(True for _ in one.of(draft.direction)))
        and draft.fits(one)
    ]
    # Of several the one that says most about whom it selects is the likeliest to be the endpoint's own.
    return max(fitting, key=lambda one: len(one.selector.match_labels or {}), default=None)


def _who(endpoint: Labels, peer: Peer) -> Who | None:
    labels = peer.labels
    if labels.namespace:
        stable = _stable(labels)
        if not stable:
            return None
        elsewhere = labels.namespace != endpoint.namespace
        return Who((*stable, *(((f"k8s:{NAMESPACE}", labels.namespace),) if elsewhere else ())))
    for entity in _ENTITIES:
        if entity in labels.reserved:
            return Who(entity=entity)
    if peer.names:
        return Who(name=peer.names[0].rstrip("."))
    if peer.is_outside and peer.address:
        return Who(prefix=f"{peer.address}/{128 if ':' in peer.address else 32}")
    return None


def _stable(labels: Labels) -> tuple[tuple[str, str], ...]:
    split = (label.partition(":")[2].partition("=") for label in labels.written if label.startswith("k8s:"))
    pairs = ((key, value) for key, _, value in split)
    return tuple(
        sorted(
            (key, value)
            for key, value in pairs
            if not key.startswith("io.") and not any(part in key for part in _PASSING)
        )
    )


def _labels(labels: tuple[tuple[str, str], ...], indent: int) -> Iterator[str]:
    return (f"{' ' * (indent + 4)}{json.dumps(key)}: {json.dumps(value)}" for key, value in labels)


def head_of_diff(holder: Written) -> tuple[str, str]:
    """The policy that a change is for, twice."""
    owner = f" (managed by {holder.owner})" if holder.owner else ""
    return f"--- {holder.policy}{owner}", f"+++ {holder.policy}"


def others(pods: Iterable[LabelledPod], known: set[tuple[str, str]]) -> Iterator[str]:
    """Names of the pods that are not known yet."""
    for one in pods:
        meta = one.pod.metadata
        if (meta.namespace, meta.name) not in known:
            yield f"{meta.namespace}/{meta.name}"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more
