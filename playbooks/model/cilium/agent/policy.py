"""The policies that an agent has taken in: its revision and rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agent.realized import PolicyName
from playbooks.model.cilium.agent.selectors import Label, policies_of
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.policies import PortRule
from playbooks.model.cilium.wire import number_of, struct_of, text_of, without_nulls
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way
from playbooks.model.kube.selectors import Selector

_REVISION = "Revision:"


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """One rule as the agent holds it: in 1.20 one direction of a policy, in older ones all of it."""

    policy: PolicyName | None
    """Whose rule it is; nothing for one that comes from no object."""
    uid: str
    """UID of that object; empty when not told."""
    subject: Selector | None
    """Which endpoints it is for, keys with their source before a colon."""
    is_for_ingress: bool | None
    """Whether it speaks of ingress; nothing when not told."""
    is_for_egress: bool | None
    """Whether it speaks of egress; nothing when not told."""
    is_deny: bool | None
    """Whether it refuses; nothing when not told."""
    ports: tuple[PortRule, ...]
    """Ports that it is about; empty for all of them, and for rules of whole policies."""


@dataclass(frozen=True, kw_only=True)
class AgentPolicy(Fact):
    """`cilium-dbg policy get` of one node."""

    revision: int | None
    """Counts up with every change; endpoints tell which one they have in force."""
    rules: tuple[LoadedRule, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def policies(self) -> frozenset[PolicyName]:
        """The policies that the agent has taken in."""
        return frozenset(rule.policy for rule in self.rules if rule.policy)


class _Response(msgspec.Struct, frozen=True):
    policy: str
    revision: int | None = None


class _Flat(msgspec.Struct, frozen=True, rename="pascal"):
    subject: Selector
    ingress: bool
    verdict: int | None = None
    labels: tuple[Label, ...] = ()
    l4: tuple[PortRule, ...] = msgspec.field(default=(), name="L4")


class _Written(msgspec.Struct, frozen=True, rename="camel"):
    endpoint_selector: Selector | None = None
    node_selector: Selector | None = None
    ingress: tuple[object, ...] | None = None
    egress: tuple[object, ...] | None = None
    ingress_deny: tuple[object, ...] | None = None
    egress_deny: tuple[object, ...] | None = None
    labels: tuple[Label, ...] = ()


def _decode_json(answer: Answer) -> AgentPolicy:
    response = struct_of(answer, _Response)
    return _fact(answer, response.policy, response.revision)


def _decode_text(answer: Answer) -> AgentPolicy:
    rules, _, last = text_of(answer).rstrip().rpartition("\n")
    if not last.startswith(_REVISION):
        raise Unreadable("the answer does not end with the revision of the policy")
    return _fact(answer, rules, number_of(last.removeprefix(_REVISION).strip()))


def _fact(answer: Answer, rules: str, revision: int | None) -> AgentPolicy:
    try:
        documents = without_nulls(msgspec.json.decode(rules or "null")) or []
        flat = isinstance(documents, list) and all(isinstance(d, dict) and "Subject" in d for d in documents)
        loaded = (
            tuple(map(_of_flat, msgspec.convert(documents, tuple[_Flat, ...])))
            if flat
            else tuple(map(_of_written, msgspec.convert(documents, tuple[_Written, ...])))
        )
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unreadable(f"the rules in the answer cannot be read: {error}") from error
    return AgentPolicy(provenance=Provenance.of(answer.request, answer.end), revision=revision, rules=loaded)


def _of_flat(rule: _Flat) -> LoadedRule:
    is_deny = None if rule.verdict is None else rule.verdict == 1
    name, uid = _origin(rule.labels)
    return LoadedRule(name, uid, rule.subject, rule.ingress, not rule.ingress, is_deny, rule.l4)


def _of_written(rule: _Written) -> LoadedRule:
    if rule.endpoint_selector is None and rule.node_selector is None:
        raise Unreadable("a rule does not say which endpoints it is for")
    denies = rule.ingress_deny is not None or rule.egress_deny is not None
    allows = rule.ingress is not None or rule.egress is not None
    name, uid = _origin(rule.labels)
    return LoadedRule(
        name,
        uid,
        rule.endpoint_selector or rule.node_selector,
        rule.ingress is not None or rule.ingress_deny is not None,
        rule.egress is not None or rule.egress_deny is not None,
        None if denies and allows else denies,
        (),
    )


def _origin(labels: tuple[Label, ...]) -> tuple[PolicyName | None, str]:
    names = policies_of((labels,))
    uids = (label.value for label in labels if label.key == "io.cilium.k8s.policy.uid")
    return (names[0] if names else None), next(uids, "")


_GET = ("cilium-dbg", "policy", "get")
AgentPolicy.ways = (
    answered("agent's policy", asks(*_GET, "-o", "json"), _decode_json),
    answered("agent's policy as text", asks(*_GET), _decode_text),
)
