"""Who a peer of a policy map is, in words and as policies see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playbooks.knowledge.identities import RESERVED
from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.identities import AgentIdentities
from playbooks.model.cilium.identities import CiliumIdentities
from playbooks.model.policies.labels import Labels

EVERYBODY = 0
HOST = 1
AGGREGATES = range(11, 15)
"""Identities that stand for many."""
_WIDER = {"kube-apiserver": "remote-node", "world-ipv4": "world", "world-ipv6": "world"}
"""What else carries the label of a reserved identity."""
_STAND_FOR = {0: "anybody", 11: "this cluster", 12: "all clusters", 13: "the world", 14: "other nodes"}
_SINGLE = range(1, 11)
"""Reserved identities that stand for one kind of peer."""
_TELLING = 2


@dataclass(frozen=True, slots=True)
class Directory:
    """Labels by identity."""

    labels: Mapping[int, Labels]
    """Of every identity that some source names."""

    @classmethod
    def of(
        cls,
        endpoints: AgentEndpoints | Gap,
        identities: AgentIdentities | Gap | None,
        published: CiliumIdentities | Gap,
    ) -> Directory:
        """From an agent and from the API server, whichever tells."""
        known = {number: _reserved(name) for number, name in enumerate(RESERVED) if number in _SINGLE}
        for one in () if isinstance(published, Gap) else published.items:
            if one.number is not None and one.security_labels:
                known[one.number] = Labels(tuple(f"{k}={v}" for k, v in one.security_labels.items()))
        for endpoint in () if isinstance(endpoints, Gap) else endpoints.items:
            if endpoint.identity is not None and endpoint.labels:
                known.setdefault(endpoint.identity, Labels(endpoint.labels))
        if isinstance(identities, AgentIdentities):
            for each in identities.items:
                if each.labels:
                    known.setdefault(each.id, Labels(each.labels))
        return cls(known)

    def named(self, identity: int, namespace: str) -> str:
        """An identity with what tells it apart, as seen from a namespace."""
        if identity in _STAND_FOR:
            return _STAND_FOR[identity]
        labels = self.labels.get(identity)
        if labels is None:
            return f"identity {identity}"
        if labels.reserved:
            return RESERVED[identity] if identity in _SINGLE else min(labels.reserved)
        if labels.cidrs:
            return f"{labels.cidrs[0]} {identity}"
        here = "" if labels.namespace == namespace else f"{labels.namespace}/"
        return f"{here}{_telling(labels) or 'pods'} {identity}"


def _reserved(name: str) -> Labels:
    names = (name, *((_WIDER[name],) if name in _WIDER else ()))
    return Labels(tuple(f"reserved:{each}" for each in names))


def _telling(labels: Labels) -> str:
    """The labels that people choose, `app` first."""
    bare = [label.partition(":")[2] for label in labels.written if label.startswith("k8s:")]
    own = [label for label in bare if not label.startswith(("io.", "app.kubernetes.io/managed"))]
    own.sort(
        key=lambda label: (
            label.partition("=")[0].rpartition("/")[2] not in ("app", "name", "k8s-app"),
            label,
        )
    )
    return ",".join(own[: 1 if own and own[0].startswith(("app=", "k8s-app=")) else _TELLING])
