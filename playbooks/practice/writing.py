"""What people and tools write, and how the server takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playbooks.practice import merging, refusals, services
from playbooks.practice.access import Attempt
from playbooks.practice.admission import admitted
from playbooks.practice.catalog import (
    CILIUM_CLUSTERWIDE_POLICIES,
    CILIUM_POLICIES,
    CRDS,
    NAMESPACES,
    PODS,
    POLICIES,
    SERVICES,
    Kind,
    kind_of,
)  # fmt: skip
from playbooks.practice.objects import Json, name_of, namespace_of
from playbooks.practice.ownership import Writer
from playbooks.practice.policies import kubernetes
from playbooks.practice.policies.validating import schema_complaint

if TYPE_CHECKING:
    from playbooks.practice.world import World

_SCALED = frozenset({"deployments", "replicasets", "statefulsets"})


def create(world: World, kind: Kind, namespace: str, item: Json, writer: Writer) -> Json:
    """Make a new object. Raises `Refused`."""
    refusals.require(world.access, Attempt("create", kind.group, kind.plural, namespace=namespace))
    return _create(world, kind, namespace, item, writer)


def replace(world: World, kind: Kind, namespace: str, name: str, item: Json, writer: Writer) -> Json:
    """Put an object in the place of another. Raises `Refused`."""
    refusals.require(world.access, Attempt("update", kind.group, kind.plural, namespace=namespace, name=name))
    before = world.store.get(kind, namespace, name)
    if before is None:
        raise refusals.not_found(kind, name)
    version = item.get("metadata", {}).get("resourceVersion")
    if version and version != before["metadata"]["resourceVersion"]:
        raise refusals.conflict(kind, name)
    return _put(world, kind, {**item, "metadata": {**item["metadata"], "name": name}}, writer)


def patch(world: World, kind: Kind, namespace: str, name: str, form: str, body: Any, writer: Writer) -> Json:
    """Change an object; `form` is the content type. Raises `Refused`."""
    refusals.require(world.access, Attempt("patch", kind.group, kind.plural, namespace=namespace, name=name))
    before = world.store.get(kind, namespace, name)
    if before is None:
        if "apply-patch" not in form:
            raise refusals.not_found(kind, name)
        return _create(
            world, kind, namespace, {**body, "metadata": {**body["metadata"], "name": name}}, writer
        )
    try:
        after = _patched(kind, before, form, body)
    except merging.BadPatch as error:
        raise refusals.invalid(kind, name, str(error)) from error
    if kind.key == SERVICES.key:
        after = services.admitted(world, after)
    return _put(world, kind, after, writer)


def scale(world: World, kind: Kind, namespace: str, name: str, replicas: int, writer: Writer) -> Json:
    """Set how many replicas are wanted, and return the Scale. Raises `Refused`."""
    attempt = Attempt("patch", kind.group, kind.plural, "scale", namespace, name)
    refusals.require(world.access, attempt)
    before = world.store.get(kind, namespace, name)
    if before is None:
        raise refusals.not_found(kind, name)
    scaled = {**before, "spec": {**before["spec"], "replicas": replicas}}
    return scale_of(kind, _put(world, kind, scaled, Writer(writer.manager, subresource="scale")))


def scale_of(kind: Kind, item: Json) -> Json:
    """The Scale of a workload. Raises `Refused`."""
    if kind.plural not in _SCALED:
        raise refusals.no_resource()
    labels = item["spec"]["selector"]["matchLabels"]
    metadata = {
        key: item["metadata"][key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": item["spec"].get("replicas", 1)},
        "status": {
            "replicas": item.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in labels.items()),
        },
    }


def delete(world: World, kind: Kind, namespace: str, name: str) -> Json:
    """Delete an object and return it as it was. Raises `Refused`."""
    refusals.require(world.access, Attempt("delete", kind.group, kind.plural, namespace=namespace, name=name))
    item = world.store.get(kind, namespace, name)
    if item is None:
        raise refusals.not_found(kind, name)
    if kind.key == CRDS.key:
        brought = kind_of(item)
        for custom in world.store.all(brought):
            world.remove(brought, namespace_of(custom), name_of(custom))
    if kind.key == NAMESPACES.key:
        for other in world.store.kinds:
            if other.is_namespaced:
                for inner in world.store.all(other, name):
                    world.remove(other, name, name_of(inner))
    world.remove(kind, namespace, name)
    world.settle()
    return item


def _create(world: World, kind: Kind, namespace: str, item: Json, writer: Writer) -> Json:
    metadata = {**item.get("metadata", {})}
    if kind.is_namespaced:
        metadata["namespace"] = namespace
        if world.store.get(NAMESPACES, "", namespace) is None:
            raise refusals.not_found(NAMESPACES, namespace)
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            raise refusals.invalid(
                kind, "", "metadata.name: Required value: name or generateName is required"
            )
        metadata["name"] = f"{metadata['generateName']}{world.names.suffix()}"
    if world.store.get(kind, namespace if kind.is_namespaced else "", metadata["name"]) is not None:
        raise refusals.already_exists(kind, metadata["name"])
    made = {
        **item,
        "apiVersion": item.get("apiVersion", kind.api_version),
        "kind": kind.kind,
        "metadata": metadata,
    }
    return _put(world, kind, _ADMISSION.get(kind.key, _unchanged)(world, made), writer)


def _put(world: World, kind: Kind, item: Json, writer: Writer) -> Json:
    if kind.key in (CILIUM_POLICIES.key, CILIUM_CLUSTERWIDE_POLICIES.key) and (why := schema_complaint(item)):
        raise refusals.invalid(kind, name_of(item), why)
    if kind.key == POLICIES.key:
        item = kubernetes.admitted(item)
    put = world.put(kind, item, writer)
    world.settle()
    return world.store.get(kind, namespace_of(put) if kind.is_namespaced else "", name_of(put)) or put


def _patched(kind: Kind, before: Json, form: str, body: Any) -> Json:
    if "json-patch" in form:
        after = merging.json_patch(before, body)
    elif "strategic-merge" in form and not kind.is_custom:
        after = merging.strategic_merge(before, body)
    elif "apply-patch" in form:
        stated = {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}
        after = merging.apply_patch(before, stated)
    else:
        after = merging.merge_patch(before, body)
    kept = {key: before["metadata"][key] for key in ("name", "uid", "creationTimestamp")}
    return {**after, "metadata": {**after["metadata"], **kept}}


def _unchanged(_world: World, item: Json) -> Json:
    return item


def _admit_pod(world: World, item: Json) -> Json:
    return admitted(item, world.names)


def _admit_workload(_world: World, item: Json) -> Json:
    spec = {"replicas": 1, "revisionHistoryLimit": 10, **item["spec"]}
    template = spec["template"]
    spec["template"] = {**template, "metadata": template.get("metadata") or {}}
    return {**item, "spec": spec}


_ADMISSION: dict[tuple[str, str], Callable[[Any, Json], Json]] = {
    PODS.key: _admit_pod,
    SERVICES.key: services.admitted,
    ("apps", "deployments"): _admit_workload,
    ("apps", "replicasets"): _admit_workload,
}
