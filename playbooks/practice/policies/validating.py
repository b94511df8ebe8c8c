"""What is wrong with a policy: what its definition refuses, and what agents refuse later."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator

from playbooks.practice.objects import Json
from playbooks.practice.policies.entities import NAMES
from playbooks.practice.policies.reading import specs_of
from playbooks.practice.policies.rules import PROTOCOLS

_DIRECTIONS = (
    ("ingress", "from"), ("ingressDeny", "from"), ("egress", "to"), ("egressDeny", "to"),
)  # fmt: skip
_KINDS = ("Endpoints", "Entities", "CIDR", "CIDRSet", "FQDNs", "Services", "Nodes", "Groups")
_NAME = re.compile(r"([-a-zA-Z0-9_]+[.]?)+")
_PATTERN = re.compile(r"([-a-zA-Z0-9_*]+[.]?)+")
_PORT_NAME = re.compile(r"([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*")
_MOST_PORTS = 40
_L7 = ("http", "kafka", "dns", "l7proto")


def schema_complaint(item: Json) -> str:
    """What the definition of a policy of Cilium refuses; empty when it takes it."""
    return next(_of_schema(item), "")


def complaint(item: Json, *, has_proxy: bool = True) -> str:
    """What agents refuse of a policy that was stored; empty when it is valid."""
    return next(_of_agents(item, has_proxy=has_proxy), "")


def _rules(item: Json) -> Iterator[tuple[str, str, Json]]:
    """Every rule with its place and the word for its peers."""
    listed = [("spec", item.get("spec"))]
    listed += [(f"specs[{number}]", spec) for number, spec in enumerate(item.get("specs") or ())]
    for place, spec in listed:
        for direction, word in _DIRECTIONS:
            for number, rule in enumerate((spec or {}).get(direction) or ()):
                yield f"{place}.{direction}[{number}]", word, rule


def _of_schema(item: Json) -> Iterator[str]:
    for place, word, rule in _rules(item):
        for number, entity in enumerate(rule.get(f"{word}Entities") or ()):
            if entity not in NAMES:
                yield _unsupported(f"{place}.{word}Entities[{number}]", entity, sorted(NAMES))
        for number, ports in enumerate(rule.get("toPorts") or ()):
            yield from _schema_of_ports(f"{place}.toPorts[{number}]", ports)
        for number, name in enumerate(rule.get("toFQDNs") or ()):
            for key, form in (("matchName", _NAME), ("matchPattern", _PATTERN)):
                if name.get(key) and not form.fullmatch(name[key]):
                    where, wanted = f"{place}.toFQDNs[{number}].{key}", f"'^{form.pattern}$'"
                    yield _invalid(where, f'"{name[key]}"', f"should match {wanted}")
        for number, cidr in enumerate(rule.get(f"{word}CIDR") or ()):
            if not isinstance(cidr, str):
                yield f"{place}.{word}CIDR[{number}]: Invalid value: must be of type string"


def _schema_of_ports(place: str, ports: Json) -> Iterator[str]:
    listed = ports.get("ports") or ()
    if len(listed) > _MOST_PORTS:
        yield f"{place}.ports: Too many: {len(listed)}: must have at most {_MOST_PORTS} items"
    for number, port in enumerate(listed):
        where = f"{place}.ports[{number}]"
        if "port" not in port:
            yield f"{where}.port: Required value"
            continue
        text = port["port"]
        if not isinstance(text, str):
            yield _invalid(f"{where}.port", '"integer"', 'must be of type string: "integer"')
        elif not (text.isdigit() and int(text) < 1 << 16) and not _PORT_NAME.fullmatch(text):
            yield _invalid(f"{where}.port", f'"{text}"', "should match a port or its name")
        if port.get("protocol", "ANY") not in ("ANY", *PROTOCOLS):
            yield _unsupported(f"{where}.protocol", port["protocol"], ["ANY", *PROTOCOLS])


def _invalid(place: str, value: str, why: str) -> str:
    return f"{place}: Invalid value: {value}: {place} in body {why}"


def _unsupported(place: str, value: object, known: list[str]) -> str:
    listed = ", ".join(f'"{one}"' for one in known)
    return f'{place}: Unsupported value: "{value}": supported values: {listed}'


def _of_agents(item: Json, *, has_proxy: bool) -> Iterator[str]:
    specs = specs_of(item)
    if not specs:
        yield "Invalid CiliumNetworkPolicy spec(s): empty policy"
    for spec in specs:
        if "endpointSelector" in spec and "nodeSelector" in spec:
            yield "rule cannot have both EndpointSelector and NodeSelector"
        if "endpointSelector" not in spec and "nodeSelector" not in spec:
            yield "rule must have one of EndpointSelector or NodeSelector"
        if "nodeSelector" in spec and item["kind"] == "CiliumNetworkPolicy":
            yield "Invalid CiliumNetworkPolicy spec: rule cannot have NodeSelector"
    for place, word, rule in _rules(item):
        given = [f"{word}{kind}" for kind in _KINDS if rule.get(f"{word}{kind}")]
        for one, other in itertools.combinations(given, 2):
            yield f"combining {_title(one)} and {_title(other)} is not supported yet"
        yield from _ranges(rule, word)
        for ports in rule.get("toPorts") or ():
            yield from _ports(ports, is_deny="Deny" in place, has_proxy=has_proxy)


def _ranges(rule: Json, word: str) -> Iterator[str]:
    for cidr in rule.get(f"{word}CIDR") or ():
        if _range(cidr) is None:
            yield f"unable to parse CIDR {cidr}: invalid CIDR address"
    for one in rule.get(f"{word}CIDRSet") or ():
        named = [key for key in ("cidr", "cidrGroupRef", "cidrGroupSelector") if key in one]
        if len(named) != 1:
            yield "one of cidr, cidrGroupRef, or cidrGroupSelector is required"
            continue
        whole = _range(one["cidr"]) if "cidr" in one else None
        if "cidr" in one and whole is None:
            yield f"unable to parse CIDRRule {one['cidr']}: invalid CIDR address"
        for text in one.get("except") or ():
            out = _range(text)
            if out is None:
                yield f"unable to parse CIDRRule {text}: invalid CIDR address"
            elif whole is not None and not (out.version == whole.version and out.network_address in whole):
                yield f"allow CIDR prefix {whole} does not contain exclude CIDR prefix {text}"


def _range(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _ports(ports: Json, *, is_deny: bool, has_proxy: bool) -> Iterator[str]:
    rules = {key: value for key, value in (ports.get("rules") or {}).items() if key in _L7}
    if rules and is_deny:
        yield "L7 rules are not supported on deny policies"
    if rules and not has_proxy:
        yield "L7 policy is not supported since L7 proxy is not enabled"
    if len(rules) > 1:
        yield "multiple L7 protocol rule types specified in single rule"
    for one in rules.get("http") or ():
        for key in ("path", "method", "host"):
            try:
                re.compile(one.get(key) or "")
            except re.error as error:
                yield f"error parsing regexp: {error}"
    for port in ports.get("ports") or ():
        number, last = str(port.get("port", "0")), port.get("endPort") or 0
        if last and number.isdigit() and last < int(number):
            yield f"port range end {last} is lower than its start {number}"
        if last and not number.isdigit():
            yield "port range is not supported for named ports"
        is_tcp = port.get("protocol", "ANY") in ("TCP", "ANY")
        if rules and "dns" not in rules and not is_tcp:
            yield "L7 rules can only apply to TCP (not UDP, SCTP) except for DNS rules"


def _title(key: str) -> str:
    return key[0].upper() + key[1:]
