"""Who may do what: RBAC rules as data, and the refusal a server gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playbooks.practice.objects import Json


@dataclass(frozen=True, slots=True)
class Permission:
    """One rule of a role, with the namespaces it is bound in."""

    groups: tuple[str, ...]
    """API groups; `*` for all."""
    resources: tuple[str, ...]
    """Resources and `resource/subresource`; `*` for all."""
    verbs: tuple[str, ...]
    """Verbs; `*` for all."""
    namespaces: tuple[str, ...] = ("*",)
    """Where it holds; `*` for the whole cluster."""
    names: tuple[str, ...] = ()
    """Only these objects; empty for all."""

    def allows(self, attempt: Attempt) -> bool:
        """Whether this rule permits the attempt."""
        resource = f"{attempt.resource}/{attempt.subresource}" if attempt.subresource else attempt.resource
        return (
            _fits(self.groups, attempt.group)
            and _fits(self.resources, resource)
            and _fits(self.verbs, attempt.verb)
            and _fits(self.namespaces, attempt.namespace or "*")
            and (not self.names or attempt.name in self.names)
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody is about to do."""

    verb: str
    """The verb, such as `list`."""
    group: str
    """API group."""
    resource: str
    """Plural of the kind."""
    subresource: str = ""
    """Subresource, if one."""
    namespace: str = ""
    """Namespace; empty for all of them or for a cluster-wide kind."""
    name: str = ""
    """Name of the object; empty for a list."""

    @property
    def full_resource(self) -> str:
        """Resource with subresource, as messages name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Access:
    """One user's permissions."""

    user: str = "practice-admin"
    """Name of the user, as in messages."""
    permissions: tuple[Permission, ...] | None = None
    """What is permitted; nothing stated means everything."""

    def allows(self, attempt: Attempt) -> bool:
        """Whether the user may."""
        if self.permissions is None:
            return True
        # Everybody may ask what they are allowed to do.
        if attempt.group == "authorization.k8s.io" and attempt.resource.startswith("selfsubject"):
            return True
        return any(permission.allows(attempt) for permission in self.permissions)

    def refusal(self, attempt: Attempt) -> Json:
        """The Status body of a refused attempt."""
        where = f' in the namespace "{attempt.namespace}"' if attempt.namespace else " at the cluster scope"
        qualified = f"{attempt.resource}.{attempt.group}" if attempt.group else attempt.resource
        named = f' "{attempt.name}"' if attempt.name else ""
        details = {"kind": attempt.resource}
        if attempt.name:
            details = {"name": attempt.name, **details}
        if attempt.group:
            details["group"] = attempt.group
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": f'{qualified}{named} is forbidden: User "{self.user}" cannot {attempt.verb} resource '
            f'"{attempt.full_resource}" in API group "{attempt.group}"{where}',
            "reason": "Forbidden",
            "details": details,
            "code": 403,
        }


def permissions_from(documents: Iterable[Json]) -> tuple[Permission, ...]:
    """The permissions that Roles and ClusterRoles grant; a Role's hold in its own namespace."""
    found = []
    for document in documents:
        namespaces = (
            (document["metadata"].get("namespace") or "default",) if document["kind"] == "Role" else ("*",)
        )
        for rule in document.get("rules") or ():
            if "resources" in rule:
                found.append(
                    Permission(
                        tuple(rule.get("apiGroups") or ("",)),
                        tuple(rule["resources"]),
                        tuple(rule["verbs"]),
                        namespaces,
                        tuple(rule.get("resourceNames") or ()),
                    )
                )
    return tuple(found)


def _fits(allowed: tuple[str, ...], wanted: str) -> bool:
    return "*" in allowed or wanted in allowed
