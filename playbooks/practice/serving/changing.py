"""Requests that change something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from playbooks.practice import answering, refusals, writing
from playbooks.practice.objects import Json, name_of
from playbooks.practice.ownership import Writer
from playbooks.practice.serving.bodies import body_of
from playbooks.practice.serving.targets import Target

if TYPE_CHECKING:
    from playbooks.practice.world import World


async def change(world: World, target: Target, request: web.Request) -> tuple[int, Json]:
    """Carry a change out and return status and body. Raises `Refused`."""
    if request.query.get("dryRun"):
        raise refusals.bad_request("dryRun is not supported by the practice cluster")
    if request.method == "POST" and target.name:
        raise refusals.no_resource()
    body = {} if request.method == "DELETE" else await body_of(request)
    writer = _writer(request)
    if target.subresource == "scale":
        return 200, _scale(world, target, body, writer, request.content_type)
    if request.method == "POST":
        return 201, writing.create(world, target.kind, target.namespace, body, writer)
    if request.method == "PUT":
        return 200, writing.replace(world, target.kind, target.namespace, target.name, body, writer)
    if request.method == "PATCH":
        before = world.store.get(target.kind, target.namespace, target.name)
        item = writing.patch(
            world, target.kind, target.namespace, target.name, request.content_type, body, writer
        )
        return (200 if before is not None else 201), item
    if target.name:
        return 200, _deleted(world, target, target.name)
    items = answering.selected(world, target.kind, target.namespace, request.query)
    return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"} | {
        "details": {
            "kind": target.kind.plural,
            "names": [name_of(_delete(world, target, item)) for item in items],
        }
    }


def _delete(world: World, target: Target, item: Json) -> Json:
    namespace = item["metadata"].get("namespace", "")
    return writing.delete(world, target.kind, namespace, name_of(item))


def _deleted(world: World, target: Target, name: str) -> Json:
    item = writing.delete(world, target.kind, target.namespace, name)
    details = {"name": name, "kind": target.kind.plural, "uid": item["metadata"]["uid"]}
    if target.kind.group:
        details["group"] = target.kind.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _scale(world: World, target: Target, body: Any, writer: Writer, form: str) -> Json:
    item = world.store.get(target.kind, target.namespace, target.name)
    if item is None:
        raise refusals.not_found(target.kind, target.name)
    replicas = item["spec"].get("replicas", 1)
    if "json-patch" in form:
        values = [entry.get("value") for entry in body if entry.get("path") == "/spec/replicas"]
        replicas = values[-1] if values else replicas
    else:
        replicas = body.get("spec", {}).get("replicas", replicas)
    return writing.scale(world, target.kind, target.namespace, target.name, int(replicas), writer)


def _writer(request: web.Request) -> Writer:
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    operation = "Apply" if "apply-patch" in request.content_type else "Update"
    return Writer(request.query.get("fieldManager") or agent, operation)
