"""Reviews: what the asking user may do."""

from __future__ import annotations

from playbooks.practice import refusals
from playbooks.practice.access import Access, Attempt
from playbooks.practice.objects import Json


def review(access: Access, path: str, body: Json) -> Json:
    """The answer to a SelfSubjectAccessReview or SelfSubjectRulesReview. Raises `Refused`."""
    spec = body.get("spec") or {}
    if path.endswith("/selfsubjectaccessreviews"):
        return {**body, "status": {"allowed": _is_allowed(access, spec)}}
    if path.endswith("/selfsubjectrulesreviews"):
        return {**body, "status": _rules(access, str(spec.get("namespace") or ""))}
    raise refusals.no_resource()


def _is_allowed(access: Access, spec: Json) -> bool:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        return True
    return access.allows(
        Attempt(
            wanted.get("verb", ""),
            wanted.get("group", ""),
            wanted.get("resource", ""),
            wanted.get("subresource", ""),
            wanted.get("namespace", ""),
            wanted.get("name", ""),
        )
    )


def _rules(access: Access, namespace: str) -> Json:
    rules: list[Json] = []
    if access.permissions is None:
        rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
    for permission in access.permissions or ():
        if "*" in permission.namespaces or namespace in permission.namespaces:
            rule: Json = {
                "verbs": list(permission.verbs),
                "apiGroups": list(permission.groups),
                "resources": list(permission.resources),
            }
            if permission.names:
                rule["resourceNames"] = list(permission.names)
            rules.append(rule)
    return {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
