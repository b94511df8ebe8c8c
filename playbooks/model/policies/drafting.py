"""The narrowest rule that admits a connection, drafted for a person to review."""

from __future__ import annotations

import json
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import Party
from playbooks.model.policies.labels import NAMESPACE, Labels

_PASSING = ("hash", "revision", "pod-name", "pod-index", "generation")
"""Parts of keys of labels that do not survive a rollout."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A CiliumNetworkPolicy for one connection."""

    name: str
    """Of the policy."""
    namespace: str
    """Of the policy."""
    own: tuple[tuple[str, str], ...]
    """Labels that select the endpoint that is to admit."""
    peer: tuple[tuple[str, str], ...]
    """Labels that select who is admitted."""
    port: int
    """0 for all."""
    protocol: str
    """`TCP`, `UDP`, `SCTP` or `ANY`."""

    @property
    def shown_yaml(self) -> str:
        """The manifest; labels are quoted, whatever they hold."""
        ports = (
            "      toPorts:",
            "        - ports:",
            f"            - port: {json.dumps(str(self.port))}",
            f"              protocol: {self.protocol or 'ANY'}",
        )
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
                *(f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in self.own),
                "  ingress:",
                "    - fromEndpoints:",
                "        - matchLabels:",
                *(f"            {json.dumps(key)}: {json.dumps(value)}" for key, value in self.peer),
                *(ports if self.port else ()),
            )
        )


def admitting(endpoint: Labels, peer: Party, port: int, protocol: str) -> Draft:
    """A policy that lets one peer in at one port, by labels that survive a rollout."""
    own, other = _stable(endpoint), _stable(Labels(peer.labels))
    if peer.namespace and peer.namespace != endpoint.namespace:
        other = (*other, (f"k8s:{NAMESPACE}", peer.namespace))
    name = dict(own).get("app") or dict(own).get("app.kubernetes.io/name") or "workload"
    return Draft(f"{name}-ingress", endpoint.namespace, own, other, port, protocol)


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
