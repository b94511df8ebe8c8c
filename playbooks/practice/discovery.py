"""What an API server says of itself: versions, groups, kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import refusals
from playbooks.practice.catalog import READ_WRITE, Kind
from playbooks.practice.objects import Json

if TYPE_CHECKING:
    from playbooks.practice.world import World

_VERSION: Json = {
    "major": "1",
    "minor": "34",
    "emulationMajor": "1",
    "emulationMinor": "34",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "33",
    "gitVersion": "v1.34.4",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-11-01T00:00:00Z",
    "goVersion": "go1.26.8",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_REVIEWS = (
    ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
)


def document(world: World, path: str) -> Json | str:
    """The answer to a path that holds no objects; text for health checks. Raises `Refused`."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["version"]:
            return _VERSION
        case ["healthz" | "livez" | "readyz"]:
            return "ok"
        case ["api"]:
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
            }
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups(world)}
        case ["api", "v1"]:
            return _resources(world, "", "v1")
        case ["apis", group]:
            for entry in _groups(world):
                if entry["name"] == group:
                    return {"kind": "APIGroup", "apiVersion": "v1", **entry}
        case ["apis", group, version]:
            return _resources(world, group, version)
    raise refusals.no_resource()


def _groups(world: World) -> list[Json]:
    versions: dict[str, list[str]] = {"authorization.k8s.io": ["v1"]}
    for kind in world.store.kinds:
        if kind.group:
            known = versions.setdefault(kind.group, [])
            known += [version for version in kind.versions if version not in known]
    groups = []
    for group, served in versions.items():
        entries = [{"groupVersion": f"{group}/{version}", "version": version} for version in served]
        groups.append({"name": group, "versions": entries, "preferredVersion": entries[0]})
    return groups


def _resources(world: World, group: str, version: str) -> Json:
    resources: list[Json] = []
    for kind in world.store.kinds:
        if kind.group == group and version in kind.versions:
            resources += _entries(kind)
    if group == "authorization.k8s.io":
        resources += [
            {
                "name": name,
                "singularName": kind.lower(),
                "namespaced": False,
                "kind": kind,
                "verbs": ["create"],
            }
            for name, kind in _REVIEWS
        ]
    if not resources:
        raise refusals.no_resource()
    served = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": served, "resources": resources}


def _entries(kind: Kind) -> list[Json]:
    entry: Json = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.is_namespaced,
        "kind": kind.kind,
        "verbs": list(READ_WRITE),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.plural in ("pods", "services", "deployments", "replicasets", "daemonsets", "statefulsets"):
        entry["categories"] = ["all"]
    entries = [entry]
    for name in kind.subresources:
        inner: Json = {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "namespaced": kind.is_namespaced,
            "kind": kind.kind,
            "verbs": ["get", "patch", "update"],
        }
        if name == "scale":
            inner |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        elif name == "exec":
            inner |= {"kind": "PodExecOptions", "verbs": ["create", "get"]}
        elif name == "log":
            inner["verbs"] = ["get"]
        entries.append(inner)
    return entries
