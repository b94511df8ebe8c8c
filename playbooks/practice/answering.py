"""The core of every answer: in process and over the wire the same bytes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from playbooks.practice import agents, commands, refusals
from playbooks.practice.access import Attempt
from playbooks.practice.behaviours import behaviour_of
from playbooks.practice.catalog import PODS, Kind
from playbooks.practice.commands.following import Following
from playbooks.practice.logs import Line
from playbooks.practice.objects import Json, by_name, moment_of, name_of, namespace_of, uid_of
from playbooks.practice.runs import Container, PodRun, Run
from playbooks.practice.selectors import BadSelector, field_test, label_test

if TYPE_CHECKING:
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class Silence:
    """A command that never answers."""


@dataclass(frozen=True, slots=True)
class NoContainer:
    """There is no process to run a command beside."""

    message: str
    """What the kubelet says."""


Ran = commands.Output | commands.NoProgram | Following | Silence | NoContainer
"""What can become of a command."""

_encode = msgspec.json.Encoder().encode


def encoded(document: object) -> bytes:
    """JSON as the server writes it."""
    return _encode(document)


def kind_at(world: World, group: str, version: str, plural: str) -> Kind:
    """The kind behind a URL. Raises `Refused`."""
    kind = world.store.kind(group, plural)
    if kind is None or version not in kind.versions:
        raise refusals.no_resource()
    return kind


def one(world: World, kind: Kind, version: str, namespace: str, name: str) -> Json:
    """One object. Raises `Refused`."""
    attempt = Attempt("get", kind.group, kind.plural, namespace=namespace, name=name)
    refusals.require(world.access, attempt)
    item = world.store.get(kind, namespace, name)
    if item is None:
        raise refusals.not_found(kind, name)
    return at_version(kind, version, item)


def page(world: World, kind: Kind, version: str, namespace: str, query: Mapping[str, str]) -> Json:
    """One page of a list. Raises `Refused`."""
    refusals.require(world.access, Attempt("list", kind.group, kind.plural, namespace=namespace))
    items = selected(world, kind, namespace, query)
    start = _start_of(items, query.get("continue", ""))
    limit = number(query, "limit") or 0
    end = start + limit if limit else len(items)
    metadata: Json = {"resourceVersion": str(world.store.version)}
    if end < len(items):
        token = json.dumps({"after": [namespace_of(items[end - 1]), name_of(items[end - 1])]})
        metadata["continue"] = base64.urlsafe_b64encode(token.encode()).decode()
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(items) - end
    listed = [at_version(kind, version, item) for item in items[start:end]]
    if not kind.is_custom:
        # A list of a built-in kind does not repeat it in every item.
        listed = [
            {key: value for key, value in item.items() if key not in ("apiVersion", "kind")}
            for item in listed
        ]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.at(version), "metadata": metadata, "items": listed}


def selected(world: World, kind: Kind, namespace: str, query: Mapping[str, str]) -> list[Json]:
    """The objects that a list's selectors admit, in order. Raises `Refused`."""
    items = world.store.all(kind, namespace)
    try:
        if query.get("labelSelector"):
            items = list(filter(label_test(query["labelSelector"]), items))
        if query.get("fieldSelector"):
            items = list(filter(field_test(query["fieldSelector"], kind), items))
    except BadSelector as error:
        raise refusals.bad_request(str(error)) from error
    return by_name(items)


def at_version(kind: Kind, version: str, item: Json) -> Json:
    """The object as that version shows it."""
    wanted = kind.at(version)
    return item if item["apiVersion"] == wanted else {**item, "apiVersion": wanted}


def log(world: World, namespace: str, pod: str, query: Mapping[str, str]) -> list[Line]:
    """The lines of a container's log that are asked for. Raises `Refused`."""
    refusals.require(world.access, Attempt("get", "", "pods", "log", namespace, pod))
    run, container = _container(world, namespace, pod, query.get("container", ""))
    current = _asked_run(run, container, is_previous=query.get("previous") in ("true", "1"))
    lines = behaviour_of(run, container.name).lines(world, run, container, current)
    begin = None
    seconds, tail = number(query, "sinceSeconds"), number(query, "tailLines")
    if seconds is not None:
        begin = world.now - timedelta(seconds=seconds)
    elif query.get("sinceTime"):
        begin = moment_of(query["sinceTime"])
    if begin is not None:
        lines = [line for line in lines if line.at >= begin]
    if tail is not None:
        lines = lines[-tail:] if tail else []
    return lines


def log_bytes(lines: list[Line], *, with_times: bool) -> bytes:
    """Lines as the server sends them."""
    if with_times:
        return b"".join(
            f"{line.at.strftime('%Y-%m-%dT%H:%M:%S.%f')}000Z {line.text}\n".encode() for line in lines
        )
    return b"".join(f"{line.text}\n".encode() for line in lines)


def execute(world: World, namespace: str, pod: str, container: str, argv: tuple[str, ...]) -> Ran:
    """Run a command in a container. Raises `Refused`."""
    refusals.require(world.access, Attempt("get", "", "pods", "exec", namespace, pod))
    run, found = _container(world, namespace, pod, container)
    if not found.is_running:
        return NoContainer(f'container not found ("{found.name}")')
    if run.node in world.silent_nodes and agents.is_agent(run.pod):
        return Silence()
    return commands.run(world, run, found.name, argv)


def _container(world: World, namespace: str, pod: str, name: str) -> tuple[PodRun, Container]:
    item = world.store.get(PODS, namespace, pod)
    if item is None:
        raise refusals.not_found(PODS, pod)
    run = world.runs.get(uid_of(item))
    if run is None:
        raise refusals.bad_request(f"pod {pod} does not have a host assigned")
    mains = [container.name for container in run.containers.values() if not container.is_init]
    if not name:
        default = (item["metadata"].get("annotations") or {}).get(
            "kubectl.kubernetes.io/default-container", ""
        )
        name = mains[0] if len(run.containers) == 1 else default
        if not name:
            raise refusals.bad_request(_which(run, pod, mains))
    if name not in run.containers:
        raise refusals.bad_request(f"container {name} is not valid for pod {pod}")
    return run, run.containers[name]


def number(query: Mapping[str, str], key: str) -> int | None:
    """The number in a query, if one is there. Raises `Refused`."""
    text = query.get(key, "")
    if text and not text.isdigit():
        raise refusals.bad_request(f"{key} is not a number: {text!r}")
    return int(text) if text else None


def _which(run: PodRun, pod: str, mains: list[str]) -> str:
    inits = [container.name for container in run.containers.values() if container.is_init]
    text = f"a container name must be specified for pod {pod}, choose one of: [{' '.join(mains)}]"
    return f"{text} or one of the init containers: [{' '.join(inits)}]" if inits else text


def _asked_run(run: PodRun, container: Container, *, is_previous: bool) -> Run:
    if container.run is None:
        reason = "PodInitializing" if run.sandboxed else "ContainerCreating"
        raise refusals.bad_request(
            f'container "{container.name}" in pod "{run.name}" is waiting to start: {reason}'
        )
    if not is_previous:
        return container.run
    # In back-off the last run counts as the one before.
    last = container.run if container.waits_until is not None else container.previous
    if last is None:
        raise refusals.bad_request(
            f'previous terminated container "{container.name}" in pod "{run.name}" not found'
        )
    return last


def _start_of(items: list[Json], token: str) -> int:
    if not token:
        return 0
    try:
        after = tuple(json.loads(base64.urlsafe_b64decode(token))["after"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise refusals.bad_request("continue key is not valid") from None
    for index, item in enumerate(items):
        if (namespace_of(item), name_of(item)) > after:
            return index
    return len(items)
