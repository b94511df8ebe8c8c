"""Leases: who leads, and when it said so last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Fact, Scene, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import Meta, Object, listing
from playbooks.model.kube.resources import LEASES
from playbooks.model.request import Objects, Request


class LeaseSpec(Object, frozen=True):
    """A lease as held."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class Lease(Object, frozen=True):
    """A lease."""

    metadata: Meta
    spec: LeaseSpec = LeaseSpec()

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("Lease", self.metadata.name, self.metadata.namespace)


@dataclass(frozen=True, kw_only=True)
class Leases(Fact):
    """Leases of Cilium's namespace."""

    items: tuple[Lease, ...]
    """In the order of the API."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Installation,)
    ways: ClassVar[tuple[Way, ...]]

    def get(self, name: str) -> Lease | None:
        """A lease by name."""
        return next((lease for lease in self.items if lease.metadata.name == name), None)

    def has_witness(self, lease: Lease) -> bool:
        """Whether another lease that is renewed shows the cluster's time."""
        return any(other.spec.renew_time for other in self.items if other is not lease)

    def silence(self, lease: Lease) -> timedelta:
        """How long a lease has not been renewed, by the cluster's own clock as far as others show it.

        The clock of whoever asks may be wrong, so the newest renewal of the other leases counts too.
        """
        renewed = lease.spec.renew_time
        if renewed is None:
            return timedelta(0)
        others = [
            other.spec.renew_time for other in self.items if other is not lease and other.spec.renew_time
        ]
        by_asker = self.taken_at - renewed
        return min(by_asker, max(others) - renewed) if others else by_asker


def _ask(scene: Scene) -> Request | Gap:
    installation = scene.get(Installation)
    return (
        installation if isinstance(installation, Gap) else Objects(LEASES, namespace=installation.namespace)
    )


Leases.ways = (
    listing("leases", _ask, Lease, lambda provenance, items: Leases(provenance=provenance, items=items)),
)
