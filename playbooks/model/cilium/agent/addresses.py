"""Which identity an agent gives to each address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks, of_few_pods
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Way
from playbooks.model.kube.pods import Pods


class Origin(msgspec.Struct, frozen=True):
    """Whose address it is, and who told of it."""

    source: str = ""
    """`custom-resource`, `k8s`, `kvstore`, `clustermesh` …"""
    namespace: str = ""
    name: str = ""


class KnownAddress(msgspec.Struct, frozen=True):
    """One prefix."""

    cidr: str
    identity: int | None = None
    """Its identity; text tells labels instead."""
    host_ip: str = msgspec.field(default="", name="hostIP")
    """The node that it lives on; empty for none, and in text."""
    encrypt_key: int | None = msgspec.field(default=None, name="encryptKey")
    metadata: Origin | None = None
    labels: tuple[str, ...] | None = None
    """Labels of its identity; JSON tells its number instead."""

    @property
    def pod(self) -> tuple[str, str] | None:
        """Namespace and name of the pod that has it, if it is told."""
        return (self.metadata.namespace, self.metadata.name) if self.metadata and self.metadata.name else None


@dataclass(frozen=True, kw_only=True)
class AgentAddresses(Fact):
    """`cilium-dbg ip list` of one node: the agent's side of the ipcache map."""

    items: tuple[KnownAddress, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, Pods)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_cidr(self) -> Mapping[str, KnownAddress]:
        """By prefix, such as `10.244.0.14/32`."""
        return {item.cidr: item for item in self.items}


def _decode_json(answer: Answer) -> AgentAddresses:
    items = rows_of(answer, KnownAddress)
    return AgentAddresses(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentAddresses:
    rows = rows_in(text_of(answer).split("\n"), ("IP", "IDENTITY", "SOURCE"), goes_on=True)
    items = tuple(map(_address, rows))
    return AgentAddresses(provenance=Provenance.of(answer.request, answer.end), items=items)


def _address(row: Row) -> KnownAddress:
    number = number_of(row.text("IDENTITY"))
    source = row.text("SOURCE")
    return KnownAddress(
        row.text("IP"),
        number,
        metadata=Origin(source) if source else None,
        labels=row.lines("IDENTITY") if number is None else None,
    )


AgentAddresses.ways = (
    answered("agent's addresses", of_few_pods(asks("cilium-dbg", "ip", "list", "-o", "json")), _decode_json),
    answered("agent's addresses as text", of_few_pods(asks("cilium-dbg", "ip", "list")), _decode_text),
)
