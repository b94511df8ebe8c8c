"""The policies that an agent has taken in, and whom their selectors mean."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.realized import places
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json, milli_stamp
from playbooks.practice.policies.computing import NORMAL
from playbooks.practice.policies.peers import Labelled, Selector
from playbooks.practice.policies.rules import Origin, Port, Ports, Rule


@dataclass
class _Used:
    users: int = 0
    origins: set[Origin] = field(default_factory=set)


def policy_document(view: AgentView) -> Json:
    """The answer of `policy get -o json`."""
    return {"policy": _rules(view), "revision": view.revision}


def policy_text(view: AgentView) -> str:
    """The answer of `policy get`."""
    return f"{_rules(view)}\nRevision: {view.revision}\n"


def selector_documents(view: AgentView) -> list[Json]:
    """The answer of `policy selectors -o json`."""
    everybody = view.world.policies.universe(view.node)
    return [
        {
            "identities": list(everybody.selected(selector)),
            "labels": [_labels(origin) for origin in sorted(used.origins, key=_weight)],
            "selector": selector.text,
            "users": used.users,
        }
        for selector, used in _selectors(view).items()
    ]


def selector_text(view: AgentView) -> str:
    """The answer of `policy selectors`."""
    everybody = view.world.policies.universe(view.node)
    lines = ["SELECTOR\tLABELS\tUSERS\tIDENTITIES"]
    for selector, used in _selectors(view).items():
        # Clusterwide policies and built-in rules have no place to be named by.
        named = ",".join(
            f"{one.namespace}/{one.name}" for one in sorted(used.origins, key=_weight) if one.namespace
        )
        numbers = everybody.selected(selector) or ("",)
        lines.append(f"{selector.text}\t{named}\t{used.users}\t{numbers[0]}\t")
        lines += [f"\t\t\t{number}\t" for number in numbers[1:]]
    return laid_out("\n".join(lines)) + "\n"


def name_document(view: AgentView) -> str:
    """The answer of `fqdn names`."""
    names = [
        {"regexString": one.regex, "selectorString": one.text} for one in view.world.policies.names(view.node)
    ]
    document = {"DNSPollNames": None, "FQDNPolicySelectors": names}
    return json.dumps(document, indent=2) + "\n"


def lookup_documents(view: AgentView) -> list[Json]:
    """The answer of `fqdn cache list -o json`."""
    return [
        {
            "endpoint-id": one.endpoint,
            "expiration-time": milli_stamp(one.until),
            "fqdn": one.name,
            "ips": list(one.ips),
            "lookup-time": milli_stamp(one.at),
            "source": "lookup",
            "ttl": round((one.until - one.at).total_seconds()),
        }
        for one in sorted(view.world.policies.lookups(view.node), key=lambda one: (one.endpoint, one.name))
    ]


def lookup_text(view: AgentView) -> str:
    """The answer of `fqdn cache list`."""
    lines = ["Endpoint\tSource\tFQDN\tTTL\tExpirationTime\tIPs\t"]
    lines += [
        f"{one['endpoint-id']}\t{one['source']}\t{one['fqdn']}\t{one['ttl']}\t{one['expiration-time']}\t"
        f"{','.join(one['ips'])}\t"
        for one in lookup_documents(view)
    ]
    return laid_out("\n".join(lines)) + "\n"


def _selectors(view: AgentView) -> dict[Selector, _Used]:
    """The selectors that policies of the node's endpoints use; each filter that has one is a user."""
    found: dict[Selector, _Used] = {}
    for policy in {
        id(held): held for held in (place.held(view.world).policy for place in places(view))
    }.values():
        for side in (policy.ingress, policy.egress):
            for one in side.filters:
                for selector, outcome in one.outcomes:
                    used = found.setdefault(selector, _Used())
                    used.users += 1
                    used.origins |= {*outcome.origins}
    return dict(sorted(found.items(), key=lambda item: item[0].text))


def _weight(origin: Origin) -> tuple[bool, Origin]:
    """Policies stand before built-in rules."""
    return not origin.kind, origin


def _rules(view: AgentView) -> str:
    return json.dumps([_rule(one) for one in view.world.policies.shelf.rules()], indent=2)


def _rule(rule: Rule) -> Json:
    peers: tuple[Selector, ...] | None = rule.peers
    if peers is None and rule.ports:
        peers = (Labelled(),)
    is_silent = rule.is_empty
    return {
        "Tier": NORMAL,
        "Priority": 0,
        "Authentication": None,
        "Log": {},
        "Subject": rule.subject.document,
        "L3": None if peers is None else [one.document for one in peers],
        "L4": None if is_silent else [_ports(one) for one in rule.ports or ()],
        "Labels": _labels(rule.origin),
        "DefaultDeny": rule.is_default_deny,
        "Verdict": int(rule.is_deny),
        "Ingress": rule.is_ingress,
        "Node": rule.is_node,
    }


def _ports(one: Ports) -> Json:
    if "ports" in one.document:
        return one.document
    return {"ports": [_port(port) for port in one.ports]}


def _port(port: Port) -> Json:
    return {"port": str(port.number), "protocol": port.protocol}


def _labels(origin: Origin) -> list[Json]:
    return [{"key": key, "value": value, "source": source} for source, key, value in origin.pairs]
