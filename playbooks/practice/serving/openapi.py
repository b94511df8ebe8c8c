"""As much of OpenAPI as kubectl asks for before it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice.objects import Json

if TYPE_CHECKING:
    from playbooks.practice.world import World


def index(world: World) -> Json:
    """Where the documents of the groups are."""
    paths: Json = {}
    for kind in world.store.kinds:
        for version in kind.versions:
            path = f"apis/{kind.group}/{version}" if kind.group else f"api/{version}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash=practice"}
    return {"paths": paths}


def document(world: World, path: str) -> Json | None:
    """The document of one group and version, such as `apis/apps/v1`: that its kinds can be patched."""
    paths: Json = {}
    for kind in world.store.kinds:
        for version in kind.versions:
            own = f"apis/{kind.group}/{version}" if kind.group else f"api/{version}"
            if own != path:
                continue
            parameters = [
                {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
                for name in ("fieldManager", "fieldValidation")
            ]
            url = (
                f"/{own}/namespaces/{{namespace}}/{kind.plural}"
                if kind.is_namespaced
                else f"/{own}/{kind.plural}"
            )
            paths[f"{url}/{{name}}"] = {
                "patch": {
                    "parameters": parameters,
                    "responses": {"200": {"description": "OK"}},
                    "x-kubernetes-action": "patch",
                    "x-kubernetes-group-version-kind": {
                        "group": kind.group,
                        "kind": kind.kind,
                        "version": version,
                    },
                }
            }
    if not paths:
        return None
    return {"openapi": "3.0.0", "info": {"title": "practice", "version": "v1.34.4"}, "paths": paths}
