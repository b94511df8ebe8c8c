"""Which policies stand behind a verdict: those that Hubble names, else those that we find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from playbooks.model.finding import Ref
from playbooks.model.hubble.aggregation.tally import Row, Tally
from playbooks.model.hubble.aggregation.traffic import connection
from playbooks.model.hubble.seen import Endpoint, Policy, Seen
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Peer
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction

_DIRECTIONS = {1: Direction.INGRESS, 2: Direction.EGRESS}
_DERIVED = "reserved:io.cilium.policy.derived-from="
_UNNAMED = {"ICMPv4": "ICMP", "ICMPv6": "ICMP"}


class Reason(NamedTuple):
    """A policy and what it did."""

    kind: str
    """Such as `CiliumNetworkPolicy`; empty where Hubble did not tell (before 1.17)."""
    namespace: str
    """Its namespace; empty for clusterwide ones."""
    name: str
    """Its name; of rules that agents have of their own what they are for, such as `allow-any-egress`."""
    is_denial: bool
    """Whether it refused."""
    direction: int
    """`flow.TrafficDirection`: 1 coming in, 2 going out."""


class ByPolicy:
    """Counts flows by the policies that Hubble names for them."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self._tally: Tally[Reason] = Tally()

    def add(self, flows: Sequence[Seen], now: int = 0) -> None:
        """Count a batch that arrived now (0: not live)."""
        named = [(reason, flow) for flow in flows if flow.policies for reason in reasons(flow)]
        self._tally.add(
            [reason for reason, _ in named],
            [flow.time for _, flow in named],
            [connection(flow) for _, flow in named],
            now,
        )

    def rows(self, now: int = 0) -> list[Row[Reason]]:
        """By policy, what it did and in which direction; those with most events first."""
        return self._tally.rows(now)


class Behind(msgspec.Struct, frozen=True):
    """The policies behind a verdict."""

    policies: tuple[Ref, ...]
    """Those named or found; may be none."""
    is_ours: bool
    """Whether we found them in the policies as written, because Hubble names none."""
    decision: str
    """What follows from the policies as we read them; empty where Hubble names them."""
    is_complete: bool
    """Whether no other policy can be involved, as far as all could be read."""


def reasons(flow: Seen) -> list[Reason]:
    """The policies that Hubble names for a flow."""
    told = flow.policies
    if told is None:
        return []
    lists = (
        (told.egress_allowed_by, False, 2),
        (told.ingress_allowed_by, False, 1),
        (told.egress_denied_by, True, 2),
        (told.ingress_denied_by, True, 1),
    )
    return [
        Reason(one.kind, one.namespace, one.name or built_in(one), denies, direction)
        for policies, denies, direction in lists
        for one in policies
    ]


def behind(flow: Seen, written: WrittenPolicies | None) -> Behind | None:
    """The policies behind a flow's verdict; None where it cannot be known.

    Hubble names those with an effect of their own. Where it names none, as for what default deny refuses, the
    policies as written tell which of them select the endpoint; that is now, not when the flow was seen.
    """
    if flow.policies:
        named = dict.fromkeys(map(_ref, flow.policies.denying or flow.policies.allowing))
        return Behind(tuple(named), is_ours=False, decision="", is_complete=True)
    direction = _DIRECTIONS.get(flow.direction)
    # Answers pass by connection tracking, and no policy is asked.
    if written is None or direction is None or flow.is_reply:
        return None
    is_in = direction is Direction.INGRESS
    endpoint, other = (flow.destination, flow.source) if is_in else (flow.source, flow.destination)
    if not endpoint.labels:
        return None
    address = flow.ip.source if is_in else flow.ip.destination
    names = flow.source_names if is_in else flow.destination_names
    asked = Asked(
        Labels(endpoint.labels),
        direction,
        Peer(Labels(other.labels), address, names),
        flow.l4.destination_port,
        _UNNAMED.get(flow.l4.protocol, flow.l4.protocol),
    )
    found = decide(tuple(written.selecting(asked.labels)), asked)
    by_rules = tuple(rule.policy for rule in found.rules)
    refs = found.default_deny if found.decision is Decision.NOT_ADMITTED else by_rules
    return Behind(tuple(dict.fromkeys(refs)), True, found.decision.value, written.is_complete)


def built_in(policy: Policy) -> str:
    """What a policy without a name is called: agents admit some traffic by rules of their own."""
    return next((label.removeprefix(_DERIVED) for label in policy.labels if label.startswith(_DERIVED)), "")


def selecting(endpoint: Endpoint, written: WrittenPolicies) -> tuple[Ref, ...]:
    """The policies that select an endpoint as Hubble tells it, whatever they say."""
    return tuple(dict.fromkeys(one.policy for one in written.selecting(Labels(endpoint.labels))))


def _ref(policy: Policy) -> Ref:
    if not policy.name:
        return Ref("rule of the agent", built_in(policy), "")
    default = "CiliumNetworkPolicy" if policy.namespace else "CiliumClusterwideNetworkPolicy"
    return Ref(policy.kind or default, policy.name, policy.namespace)
