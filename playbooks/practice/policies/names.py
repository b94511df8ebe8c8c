"""Names that agents saw being looked up: the cache of their DNS proxies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice.naming import stable
from playbooks.practice.objects import Json, labels_of
from playbooks.practice.policies.asking import is_allowed
from playbooks.practice.policies.computing import Computed
from playbooks.practice.policies.peers import Named
from playbooks.practice.policies.requests import DnsQuery
from playbooks.practice.traffic import names as leading
from playbooks.practice.traffic.call import Call

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

TTL = 30
"""Seconds for which an answer of DNS holds."""
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Lookup:
    """One answer that an endpoint got through the proxy."""

    endpoint: int
    """Its number."""
    name: str
    """The full name, with a dot at its end."""
    ips: tuple[str, ...]
    """What it leads to."""
    at: datetime
    """When it came."""

    @property
    def until(self) -> datetime:
        """When it runs out."""
        return self.at + timedelta(seconds=TTL)


def lookups(world: World, run: PodRun, policy: Computed) -> Iterator[Lookup]:
    """What a pod with this policy looked up through the proxy of its node."""
    endpoint = world.network.endpoints.get((run.namespace, run.name))
    questions = _asked_by(policy)
    if endpoint is None or not questions or world.tampered.leads_astray(world, run.node):
        return
    for call in _calls(world, run):
        if leading.is_address(call.host):
            continue
        ips = leading.addresses(world, call.host)
        if ips and is_allowed(questions, DnsQuery(call.host)):
            yield Lookup(endpoint.id, f"{call.host.rstrip('.')}.", ips, _last(world, run, call))


def _last(world: World, run: PodRun, call: Call) -> datetime:
    """When a pod last made a call, which begins with a lookup."""
    epoch, every = world.traffic.epoch or world.now, max(round(call.every * _SECOND), 1)
    first = stable(f"{run.namespace}/{run.name}>{call.url}", 0, every - 1)
    elapsed = round((world.now - epoch).total_seconds() * _SECOND)
    return world.now - timedelta(seconds=((elapsed - first) % every) / _SECOND)


def _asked_by(policy: Computed) -> list[Json]:
    return [
        outcome.l7
        for one in policy.egress.filters
        for _, outcome in one.outcomes
        if outcome.kind == "dns" and outcome.l7
    ]


def _calls(world: World, run: PodRun) -> Iterator[Call]:
    app = labels_of(run.pod).get("app", "")
    return (call for call in world.traffic.calls if (call.namespace, call.app) == (run.namespace, app))


def selectors_by_ip(found: Iterator[Lookup], names: tuple[Named, ...]) -> dict[str, tuple[Named, ...]]:
    """The selectors that fit the names of each address."""
    by_ip: dict[str, dict[Named, None]] = {}
    for one in found:
        for selector in names:
            if selector.fits(one.name):
                for ip in one.ips:
                    by_ip.setdefault(ip, {})[selector] = None
    return {ip: tuple(selectors) for ip, selectors in by_ip.items()}


def asked_count(world: World, run: PodRun, seconds: float) -> int:
    """How often a pod asked for names in so many seconds."""
    return sum(int(seconds // call.every) for call in _calls(world, run) if not leading.is_address(call.host))
