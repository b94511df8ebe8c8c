"""The policy of an endpoint as its agent shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from playbooks.practice.commands.view import AgentView, LocalEndpoint
from playbooks.practice.objects import Json
from playbooks.practice.policies.computing import Direction, Filter
from playbooks.practice.policies.ends import Place, health_place, host_place, pod_place, proxy_of
from playbooks.practice.policies.names import asked_count
from playbooks.practice.policies.rows import Row
from playbooks.practice.policies.rules import Origin


def places(view: AgentView) -> list[Place]:
    """The endpoints of a node with their policies, by number."""
    return [place_of(view, entry) for entry in view.endpoints]


def place_of(view: AgentView, entry: LocalEndpoint) -> Place:
    """An endpoint with its policy."""
    if entry.endpoint is None:
        return host_place(view.world, view.node)
    if not entry.pod:
        return health_place(view.world, view.node)
    return pod_place(view.world, view.world.policies.census.run_of((entry.namespace, entry.pod)))


def enforcement(view: AgentView, entry: LocalEndpoint) -> str:
    """Whether policies are enforced in both directions, as cells of a table."""
    place = place_of(view, entry)
    policy = place.held(view.world).policy
    word = "Disabled (Audit)" if place.is_audited else "Enabled"
    return "\t".join(word if side.is_enforced else "Disabled" for side in (policy.ingress, policy.egress))


def policy(view: AgentView, entry: LocalEndpoint) -> Json:
    """The policy as computed."""
    place = place_of(view, entry)
    held = place.held(view.world)
    rows = held.map.rows
    audit = "audit-" if place.is_audited and held.policy.enabled != "none" else ""
    return {
        "allowed-egress-identities": _identities(rows, is_egress=True, is_deny=False),
        "allowed-ingress-identities": _identities(rows, is_egress=False, is_deny=False),
        "build": view.revision,
        "denied-egress-identities": _identities(rows, is_egress=True, is_deny=True),
        "denied-ingress-identities": _identities(rows, is_egress=False, is_deny=True),
        "id": entry.identity,
        "l4": {
            "egress": [_rule(one) for one in held.policy.egress.filters],
            "ingress": [_rule_by_selector(one) for one in held.policy.ingress.filters],
        },
        "policy-enabled": audit + held.policy.enabled,
        "policy-revision": view.revision,
    }


def redirects(view: AgentView) -> Iterator[tuple[Place, Filter, str, int, str]]:
    """What is led to proxies: endpoint, port, listener, its port, and kind."""
    for place in places(view):
        held = place.held(view.world).policy
        for is_ingress, side in ((True, held.ingress), (False, held.egress)):
            for one, kind in _led(side):
                yield place, one, *proxy_of(view.world, view.node, kind, is_ingress=is_ingress), kind


def redirect_documents(view: AgentView) -> list[Json]:
    """Redirects as the agent's status has them."""
    return [
        {
            "name": f"{place.number}:{listener.rpartition('-')[2]}:{one.port.protocol}:{one.port.number}:",
            "proxy": listener,
            "proxy-port": port,
        }
        for place, one, listener, port, _ in redirects(view)
    ]


def proxy_statistics(view: AgentView, entry: LocalEndpoint) -> list[Json]:
    """How often proxies were asked, for each redirect of an endpoint."""
    found: list[Json] = []
    place = place_of(view, entry)
    held = place.held(view.world).policy
    for is_ingress, side in ((True, held.ingress), (False, held.egress)):
        for one, kind in _led(side):
            # Clients ask by UDP.
            count = 0
            if kind == "dns" and one.port.protocol == "UDP" and entry.pod:
                run = view.world.policies.census.run_of((entry.namespace, entry.pod))
                count = asked_count(view.world, run, view.uptime)
            counted = {"forwarded": count, "received": count} if count else {}
            found.append(
                {
                    "allocated-proxy-port": proxy_of(view.world, view.node, kind, is_ingress=is_ingress)[1],
                    "location": "ingress" if is_ingress else "egress",
                    "port": one.port.number,
                    "protocol": kind,
                    "statistics": {"requests": dict(counted), "responses": dict(counted)},
                }
            )
    return found


def _led(side: Direction) -> Iterator[tuple[Filter, str]]:
    for one in side.filters:
        kinds = [outcome.kind for _, outcome in one.outcomes if outcome.kind]
        if kinds:
            yield one, kinds[0]


def _identities(rows: tuple[Row, ...], *, is_egress: bool, is_deny: bool) -> list[int] | None:
    found = sorted(
        row.key.identity
        for row in rows
        if not row.key.protocol and (row.key.is_egress, row.is_deny) == (is_egress, is_deny)
    )
    return found or None


def _rule(one: Filter) -> Json:
    port = one.port
    said: Json = {"tier": one.tier, "port": port.number}
    if port.last:
        said["end-port"] = port.last
    if port.name:
        said["port-name"] = port.name
    said["protocol"] = port.protocol
    said["l7-rules"] = [{selector.text: outcome.document} for selector, outcome in one.outcomes]
    return {"derived-from-rules": _labels(one.origins), "rule": _compact(said)}


def _rule_by_selector(one: Filter) -> Json:
    by_selector = {selector.text: _labels(outcome.origins) for selector, outcome in one.outcomes}
    return {**_rule(one), "rules-by-selector": by_selector}


def _labels(origins: tuple[Origin, ...]) -> list[list[str]]:
    return [list(one.labels) for one in origins]


def _compact(document: Json) -> str:
    """JSON in a string, with the letters escaped that Go escapes."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    for letter in "&<>":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
