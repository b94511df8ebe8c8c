"""The operator: its lease, and the definitions that it registers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice.catalog import CRDS, LEASES, Kind
from playbooks.practice.objects import Json, labels_of, micro_stamp, moment_of, stamp
from playbooks.practice.ownership import Writer
from playbooks.practice.runs import PodRun

if TYPE_CHECKING:
    from playbooks.practice.world import World

BOOT = 2.0
"""Seconds until the operator is up and asks for its lease."""
LEASE = "cilium-operator-resource-lock"
"""Name of the lease."""
NAMESPACE = "kube-system"
"""Where it is."""
SCHEMA_VERSION = "1.33.12"
"""Version of the definitions."""
WRITER = Writer("cilium-operator-generic")
"""Who the operator is as a field manager."""
_CONTAINER = "cilium-operator"
_DURATION = 15


def leader(world: World) -> PodRun | None:
    """The operator's pod that leads, if one does."""
    for run in world.runs.values():
        if labels_of(run.pod).get("io.cilium/app") == "operator":
            container = run.containers[_CONTAINER]
            if container.is_up and container.run is not None and "leading" in container.run.noticed:
                return run
    return None


def has_registered(world: World) -> bool:
    """Whether a leader is there and done with the definitions."""
    if world.profile.is_operator_hosted:
        return True
    run = leader(world)
    current = run.containers[_CONTAINER].run if run else None
    return current is not None and "registered" in current.noticed


def reconcile(world: World) -> None:
    """Let an operator that is up become the leader."""
    if leader(world) is not None:
        return
    for run in world.runs.values():
        if labels_of(run.pod).get("io.cilium/app") == "operator" and run.containers[_CONTAINER].is_up:
            _acquire(world, run)
            return


def beat(world: World) -> None:
    """Renew the lease, and register what somebody has deleted."""
    run = leader(world)
    current = run.containers[_CONTAINER].run if run else None
    if run is None or current is None:
        return
    renewed = world.now - timedelta(seconds=(world.now - current.started).total_seconds() % 2)
    lease = world.store.get(LEASES, NAMESPACE, LEASE)
    if lease is None or lease["spec"]["renewTime"] != micro_stamp(renewed):
        _write_lease(world, run, current.noticed["leading"], renewed)


def _acquire(world: World, run: PodRun) -> None:
    lease = world.store.get(LEASES, NAMESPACE, LEASE)
    if lease is not None:
        left = _DURATION - (world.now - moment_of(lease["spec"]["renewTime"])).total_seconds()
        if left > 0 and lease["spec"].get("holderIdentity"):
            world.after(left, lambda: world.store.dirty.add(LEASES.key))
            return
    current = run.containers[_CONTAINER].run
    if current is None:
        return
    current.noticed["leading"] = world.now
    _write_lease(world, run, world.now, world.now)
    missing = [kind for kind in world.profile.kinds if world.store.get(CRDS, "", kind.qualified) is None]
    for number, kind in enumerate(missing):
        world.after(1.0 + number, lambda kind=kind: _register(world, run, kind))  # type: ignore[misc]
    world.after(1.5 + len(missing), lambda: _registered(world, run))


def _write_lease(world: World, run: PodRun, acquired: datetime, renewed: datetime) -> None:
    before = world.store.get(LEASES, NAMESPACE, LEASE)
    holder = f"{run.node}-{run.uid.replace('-', '')[:10]}"
    turns = 0
    if before is not None:
        turns = before["spec"].get("leaseTransitions", 0) + (before["spec"].get("holderIdentity") != holder)
    item: Json = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": LEASE, "namespace": NAMESPACE},
        "spec": {
            "acquireTime": micro_stamp(acquired),
            "holderIdentity": holder,
            "leaseDurationSeconds": _DURATION,
            "leaseTransitions": turns,
            "renewTime": micro_stamp(renewed),
        },
    }
    world.put(LEASES, item, WRITER)


def _leads(world: World, run: PodRun) -> bool:
    return leader(world) is run


def _register(world: World, run: PodRun, kind: Kind) -> None:
    if _leads(world, run):
        world.put(CRDS, definition(kind, stamp(world.now), is_newest=world.profile.is_newest), WRITER)


def register_all(world: World) -> None:
    """Register every definition at once, as an operator outside of the cluster did long ago."""
    for kind in world.profile.kinds:
        world.put(CRDS, definition(kind, stamp(world.now), is_newest=world.profile.is_newest), WRITER)


def _registered(world: World, run: PodRun) -> None:
    current = run.containers[_CONTAINER].run
    if _leads(world, run) and current is not None:
        current.noticed["registered"] = world.now
        world.store.dirty.add(LEASES.key)


def definition(kind: Kind, now: str, *, is_newest: bool = True) -> Json:
    """The CustomResourceDefinition of a kind; its schema takes anything."""
    names: Json = {
        "categories": ["cilium"],
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    versions = [
        {
            "name": version,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "served": True,
            "storage": index == 0,
        }
        for index, version in enumerate(kind.versions)
    ]
    conditions = [
        {
            "lastTransitionTime": now,
            "message": message,
            "reason": reason,
            "status": "True",
            "type": title,
        }
        for title, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "labels": {"io.cilium.k8s.crd.schema.version": SCHEMA_VERSION} if is_newest else {},
            "name": kind.qualified,
        },
        "spec": {
            "conversion": {"strategy": "None"},
            "group": kind.group,
            "names": names,
            "scope": "Namespaced" if kind.is_namespaced else "Cluster",
            "versions": versions,
        },
        "status": {
            "acceptedNames": names,
            "conditions": conditions,
            "storedVersions": [kind.versions[0]],
        },
    }
