"""Requests above ports: the entry of a policy that lets just one of them pass, and where it belongs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.drafting import Opened, head_of_diff, others
from playbooks.model.policies.peers import Match, Peer, Selected
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.written import PortsEntry, Rule, Written

_SPECIAL = re.compile(r"[.^$*+?()\[\]{}|\\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `rules.http` or `rules.dns`."""

    kind: str
    """`http` or `dns`."""
    fields: tuple[str, ...]
    """Its fields in YAML; values are quoted, whatever they hold."""

    def lines(self, indent: int) -> Iterator[str]:
        """As an entry of a list."""
        for number, field in enumerate(self.fields):
            yield f"{' ' * indent}{'  ' if number else '- '}{field}"


def http_entry(method: str, path: str, host: str, headers: Iterable[tuple[str, str]]) -> Entry:
    """Lets one request pass: its method and its path are compared as a whole, headers only where given."""
    fields = [f"method: {json.dumps(_exactly(method))}", f"path: {json.dumps(_exactly(path))}"]
    if host:
        fields.append(f"host: {json.dumps(_exactly(host))}")
    carried = [f"{name}: {value}" if value else name for name, value in headers]
    if carried:
        fields.append(f"headers: {json.dumps(carried)}")
    return Entry("http", tuple(fields))


def dns_entry(name: str) -> Entry:
    """Lets one name be looked up."""
    return Entry("dns", (f"matchName: {json.dumps(name.rstrip('.'))}",))


def _exactly(text: str) -> str:
    """An expression that fits just this text, in the dialect of Envoy."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


@dataclass(frozen=True, slots=True)
class Addition:
    """An entry added to a list of requests that a policy already has; the others stay."""

    entry: Entry
    """What is added."""
    holder: Written
    """To which policy."""
    rule: Rule
    """To which of its rules."""
    at: PortsEntry
    """To which of the rule's ports."""
    port: int
    """The port that is meant."""

    @property
    def shown_diff(self) -> str:
        """The change to the policy."""
        last = len(self._listed) - 1
        place = f"@@ after {self.at.place}.rules.{self.entry.kind}[{last}] @@"
        return "\n".join((*head_of_diff(self.holder), place, *(f"+{one}" for one in self.entry.lines(14))))

    def also_opened(self, pods: LabelledPods, meant: Iterable[tuple[str, str]]) -> Opened:
        """Whom the rule lets ask so beside those who are meant, of whom, and at which other ports."""
        known, rule = set(meant), self.rule
        every = (one for one in pods.items if self._is_selected(Peer(one.labels)))
        return Opened(
            tuple(others(every, known)),
            tuple(others(pods.selected_by(self.holder), known)),
            pods.is_complete,
            tuple(self._beyond()) if rule.peers is not None else ("everybody", *self._more_ports()),
        )

    def _is_selected(self, peer: Peer) -> bool:
        return any(
            isinstance(one, Selected) and one.matches(peer) is Match.YES for one in self.rule.peers or ()
        )

    def _beyond(self) -> Iterator[str]:
        yield from (str(one) for one in self.rule.peers or () if not isinstance(one, Selected))
        yield from self._more_ports()

    def _more_ports(self) -> Iterator[str]:
        for one in self.at.ports:
            if one.name or (one.first, one.last) != (self.port, self.port):
                yield f"at {one}"

    @property
    def _listed(self) -> tuple[object, ...]:
        l7 = self.at.l7
        return ((l7.http if self.entry.kind == "http" else l7.dns) if l7 else None) or ()


def additions(
    selecting: Iterable[Written],
    rules: Iterable[Rule],
    entry: Entry,
    port: int,
    protocol: str,
    names: tuple[str, ...],
) -> Iterator[Addition]:
    """Every place that lists requests of the kind for the port, in rules that admit the peer."""
    admitting = list(rules)
    for holder in selecting:
        for rule in holder.rules:
            for at in rule.entries if rule in admitting else ():
                found = Addition(entry, holder, rule, at, port)
                if at.is_at(port, protocol, names) and not at.has_more and found._listed:
                    yield found


def narrowest(found: Iterable[tuple[Addition, Opened | None]]) -> tuple[Addition, Opened | None] | None:
    """The place that opens least: of the endpoint's own namespace, for chosen endpoints, for few peers."""
    return min(found, key=_width, default=None)


def _width(found: tuple[Addition, Opened | None]) -> tuple[bool, bool, int]:
    addition, opened = found
    selector: Selector = addition.holder.selector
    count = len(opened.peers) + len(opened.endpoints) + len(opened.beyond) if opened else 0
    return not addition.holder.namespace, selector.is_empty, count
