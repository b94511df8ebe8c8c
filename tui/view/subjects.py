"""Which objects of the API stand behind the subjects of a finding, and what shows those that are none."""

from __future__ import annotations

import shlex
from functools import cache

from playbooks.model.finding import Ref
from playbooks.model.kube import resources
from playbooks.model.request import Objects, Resource

_AGENTS = {
    "Endpoint": "an endpoint is a thing of the agent, no object; this shows it",
    "Identity": "an identity of the agent is no object; this shows it",
    "Frontend": "a frontend is an entry of the agent's load balancer, no object; this shows it",
}
_COMMANDS = {"Identity": "identity get", "Frontend": "service list"}


@cache
def _by_kind() -> dict[str, tuple[Resource, ...]]:
    found: dict[str, tuple[Resource, ...]] = {}
    for one in vars(resources).values():
        if isinstance(one, Resource):
            found[one.kind] = (*found.get(one.kind, ()), one)
    return found


def resources_of(ref: Ref) -> tuple[Resource, ...]:
    """What a subject is to the API, the usual version first; nothing where it is not read here."""
    return _by_kind().get(ref.kind, ())


def request_of(ref: Ref, resource: Resource) -> Objects:
    """What is asked for the object behind a subject."""
    return Objects(resource, ref.namespace if resource.is_namespaced else "", ref.name)


def yaml_command(request: Objects, kubectl: str) -> str:
    """What a person would type to read it as YAML."""
    return f"{request.command(kubectl).removesuffix('json')}yaml"


def instead_of_yaml(ref: Ref, kubectl: str) -> str:
    """What shows a subject that has no YAML here."""
    at = f" @{ref.node}" if ref.node else ""
    if ref.kind == "Endpoint":
        named = f"{ref.namespace}/{ref.name}" if ref.namespace else f"{ref.name}{at}"
        return f"{_AGENTS['Endpoint']}: :endpoint get {named}"
    if ref.kind in _AGENTS:
        number = f" {ref.name}" if ref.kind == "Identity" else ""
        return f"{_AGENTS[ref.kind]}: :{_COMMANDS[ref.kind]}{number}{at}"
    if " " in ref.kind or not ref.kind[:1].isupper():
        return f"{ref.kind} {ref.name} is no object of the API; the evidence shows it"
    words = [
        *(["-n", ref.namespace] if ref.namespace else []),
        "get",
        ref.kind.lower(),
        ref.name,
        "-o",
        "yaml",
    ]
    return f"honeyguide reads no {ref.kind}; by hand: {kubectl} {shlex.join(words)}"
