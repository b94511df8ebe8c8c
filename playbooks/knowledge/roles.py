"""The permissions that honeyguide wants, as roles that can be pasted, with a reason for each rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CLUSTER = "cluster"
"""The scope of rules that hold everywhere."""
CILIUM = "cilium"
"""The scope of rules that hold in Cilium's namespace only."""
WARNING = "To exec into the agent equals root on the node: give that rule to people who may have it."
"""Said wherever the roles are printed."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One rule of a role."""

    scope: str
    """`cluster` or `cilium`."""
    group: str
    """API group, empty for the core group."""
    resources: tuple[str, ...]
    """Plurals, with subresource."""
    verbs: tuple[str, ...]
    """What may be done with them."""
    why: str
    """What is not seen without it."""


@cache
def permissions() -> tuple[Permission, ...]:
    """All of them, in the order of the roles."""
    text = files("playbooks.knowledge").joinpath("permissions.json").read_text("utf-8")
    return tuple(
        Permission(row["scope"], row["group"], tuple(row["resources"]), tuple(row["verbs"]), row["why"])
        for row in json.loads(text)
    )


def roles_text(namespace: str = "kube-system", group: str = "network-oncall") -> str:
    """A ClusterRole, a Role in Cilium's namespace, and bindings of both to a group, as YAML."""
    documents = (
        _role("ClusterRole", "", CLUSTER),
        _binding("ClusterRoleBinding", "ClusterRole", "", group),
        _role("Role", namespace, CILIUM),
        _binding("RoleBinding", "Role", namespace, group),
    )
    return "---\n".join("".join(f"{line}\n" for line in document) for document in documents)


def _head(kind: str, namespace: str) -> Iterator[str]:
    yield "apiVersion: rbac.authorization.k8s.io/v1"
    yield f"kind: {kind}"
    yield "metadata:"
    yield "  name: honeyguide"
    if namespace:
        yield f"  namespace: {json.dumps(namespace)}"


def _role(kind: str, namespace: str, scope: str) -> Iterator[str]:
    yield from _head(kind, namespace)
    yield "rules:"
    for one in permissions():
        if one.scope == scope:
            yield f"  # {one.why}"
            yield f"  - apiGroups: {json.dumps([one.group])}"
            yield f"    resources: {json.dumps(one.resources)}"
            yield f"    verbs: {json.dumps(one.verbs)}"


def _binding(kind: str, role: str, namespace: str, group: str) -> Iterator[str]:
    yield from _head(kind, namespace)
    yield "roleRef:"
    yield "  apiGroup: rbac.authorization.k8s.io"
    yield f"  kind: {role}"
    yield "  name: honeyguide"
    yield "subjects:"
    yield "  - apiGroup: rbac.authorization.k8s.io"
    yield "    kind: Group"
    yield f"    name: {json.dumps(group)}"
