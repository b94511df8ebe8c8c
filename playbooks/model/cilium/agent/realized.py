"""The policy of one endpoint as its agent computed it, with the rules that each port follows from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

_KIND = "k8s:io.cilium.k8s.policy.derived-from="
_NAME = "k8s:io.cilium.k8s.policy.name="
_NAMESPACE = "k8s:io.cilium.k8s.policy.namespace="


@dataclass(frozen=True, slots=True, order=True)
class PolicyName:
    """A policy as it is named by the labels of its rules."""

    kind: str
    """`CiliumNetworkPolicy`, `NetworkPolicy` …; empty when not told."""
    namespace: str
    """Empty for clusterwide ones."""
    name: str
    """Empty when the labels name none."""

    @classmethod
    def of(cls, labels: tuple[str, ...]) -> PolicyName | None:
        """From labels as `source:key=value`; nothing where they name no policy."""
        found = {
            prefix: label.removeprefix(prefix)
            for label in labels
            for prefix in (_KIND, _NAME, _NAMESPACE)
            if label.startswith(prefix)
        }
        if not found.get(_NAME):
            return None
        return cls(found.get(_KIND, ""), found.get(_NAMESPACE, ""), found[_NAME])

    def __str__(self) -> str:
        """As agents write it: `namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Verdict(msgspec.Struct, frozen=True):
    """What happens to traffic of one selector on a port."""

    verdict: int = 0
    """0 allows, 1 denies; left out by the agent when 0."""
    listener: str = ""
    dns: tuple[msgspec.Raw, ...] | None = None
    http: tuple[msgspec.Raw, ...] | None = None
    kafka: tuple[msgspec.Raw, ...] | None = None
    l7: tuple[msgspec.Raw, ...] | None = None
    """Of a parser of Envoy's own."""
    l7proto: str = ""
    server_names: object = msgspec.field(default=None, name="serverNames")
    """Names in TLS that pass."""

    @property
    def is_deny(self) -> bool:
        """Whether it refuses."""
        return self.verdict == 1

    @property
    def is_redirect(self) -> bool:
        """Whether a proxy looks at the traffic."""
        return bool(self.dns or self.http or self.has_more)

    @property
    def has_more(self) -> bool:
        """Whether more than HTTP and DNS decides."""
        return bool(self.kafka or self.l7 or self.l7proto or self.listener or self.server_names)


class PortPolicy(msgspec.Struct, frozen=True, rename="kebab"):
    """Who may use a port, by selector."""

    port: int | None = None
    """0 means all ports."""
    end_port: int | None = msgspec.field(default=None, name="end-port")
    port_name: str = ""
    protocol: str = ""
    tier: int | None = None
    l7_rules: tuple[dict[str, Verdict | None], ...] | None = None

    @property
    def selectors(self) -> Mapping[str, Verdict]:
        """What is decided for each selector, by the selector's text."""
        every = (item for rules in self.l7_rules or () for item in rules.items())
        return {selector: verdict or Verdict() for selector, verdict in every}


class PolicyRule(msgspec.Struct, frozen=True, rename="kebab"):
    """One port of an endpoint's policy."""

    rule: str = ""
    """The port with its selectors, as JSON in a string."""
    derived_from_rules: tuple[tuple[str, ...], ...] | None = None
    """Labels of the rules that it follows from."""

    @property
    def port(self) -> PortPolicy | None:
        """The port with its selectors; nothing where this version writes it otherwise."""
        try:
            return msgspec.json.decode(self.rule, type=PortPolicy)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    @property
    def policies(self) -> tuple[PolicyName, ...]:
        """The policies that it follows from."""
        named = (PolicyName.of(labels) for labels in self.derived_from_rules or ())
        return tuple(dict.fromkeys(name for name in named if name))


class L4Policy(msgspec.Struct, frozen=True):
    """Ports in both directions."""

    ingress: tuple[PolicyRule, ...] | None = None
    egress: tuple[PolicyRule, ...] | None = None


class EndpointPolicy(msgspec.Struct, frozen=True, rename="kebab"):
    """A policy as computed for one endpoint; what the way does not tell is absent."""

    policy_revision: int | None = None
    id: int | None = None
    """The identity for which it was computed."""
    policy_enabled: str = ""
    """none, ingress, egress, both, or one of them behind `audit-`."""
    allowed_ingress_identities: tuple[int, ...] | None = None
    """Allowed on all ports; 0 stands for everybody."""
    denied_ingress_identities: tuple[int, ...] | None = None
    allowed_egress_identities: tuple[int, ...] | None = None
    denied_egress_identities: tuple[int, ...] | None = None
    l4: L4Policy | None = None

    @property
    def is_audit(self) -> bool:
        """Whether it only writes down what it would refuse."""
        return self.policy_enabled.startswith("audit-")

    @property
    def is_told(self) -> bool:
        """Whether it is known for which directions it holds."""
        return bool(self.policy_enabled)

    def holds_for(self, direction: str) -> bool:
        """Whether traffic in a direction, `ingress` or `egress`, is refused unless allowed."""
        return self.policy_enabled in ("both", direction)

    @property
    def policies(self) -> tuple[PolicyName, ...]:
        """Every policy that it follows from."""
        return tuple(dict.fromkeys(name for rule in self._rules() for name in rule.policies))

    def _rules(self) -> Iterator[PolicyRule]:
        if self.l4:
            yield from self.l4.ingress or ()
            yield from self.l4.egress or ()
