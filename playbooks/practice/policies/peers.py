"""Selectors: whom a rule is about, in the words of the agent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from playbooks.practice.objects import Json

GROUP = "cidrgroup:io.cilium.policy.cidrgroupname/"
"""What the label of a CIDR group begins with."""

Labels = Mapping[str, frozenset[str]]
"""The labels of an identity by key, each key with its source and with the source `any`."""


def indexed(labels: Iterable[str]) -> dict[str, frozenset[str]]:
    """Labels as `source:key=value`, by key."""
    found: dict[str, frozenset[str]] = {}
    for label in labels:
        key, _, value = label.partition("=")
        source, _, bare = key.partition(":")
        # The key of a label with an address is the address.
        for one in (key,) if source == "cidr" else (key, f"any:{bare}"):
            found[one] = found.get(one, frozenset()) | {value}
    return found


@cache
def network(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The range behind a text."""
    return ipaddress.ip_network(prefix, strict=False)


def is_inside(inner: str, outer: str) -> bool:
    """Whether a range is a part of another, or the same."""
    one, other = network(inner), network(outer)
    if one.version != other.version:
        return False
    return one.prefixlen >= other.prefixlen and one.network_address in other


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression of a label selector."""

    key: str
    """With its source."""
    operator: str
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""
    values: tuple[str, ...] = ()
    """What it compares with."""

    def holds(self, labels: Labels) -> bool:
        """Whether labels satisfy it."""
        found = labels.get(self.key)
        match self.operator:
            case "In":
                return bool(found and found.intersection(self.values))
            case "NotIn":
                return not (found and found.intersection(self.values))
            case "Exists":
                return found is not None
            case _:
                return found is None

    @property
    def text(self) -> str:
        """As the agent writes it."""
        values = " ".join(self.values)
        return f"LabelSelectorRequirement{{Key:{self.key},Operator:{self.operator},Values:[{values}],}}"

    @property
    def document(self) -> Json:
        """As an object."""
        given = {"values": list(self.values)} if self.values else {}
        return {"key": self.key, "operator": self.operator, **given}


@dataclass(frozen=True)
class Labelled:
    """Whoever has these labels."""

    labels: tuple[tuple[str, str], ...] = ()
    """Keys with their source, and values; sorted."""
    requirements: tuple[Requirement, ...] = ()
    """Further expressions."""

    @property
    def is_everybody(self) -> bool:
        """Whether it selects whatever there is."""
        return not self.labels and not self.requirements

    def selects(self, labels: Labels) -> bool:
        """Whether it selects an identity with these labels."""
        return all(value in labels.get(key, ()) for key, value in self.labels) and all(
            requirement.holds(labels) for requirement in self.requirements
        )

    @cached_property
    def text(self) -> str:
        """As the agent writes it."""
        labels = "".join(f"{key}: {value}," for key, value in self.labels)
        expressions = "".join(f"{one.text}," for one in self.requirements)
        return (
            f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
            f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
        )

    @property
    def document(self) -> Json:
        """As an object, as rules hold it."""
        document: Json = {"matchLabels": dict(self.labels)} if self.labels else {}
        if self.requirements:
            document["matchExpressions"] = [one.document for one in self.requirements]
        return document

    def narrowed(self, labels: Iterable[tuple[str, str]], requirements: Iterable[Requirement]) -> Labelled:
        """The same with more conditions."""
        every = tuple(sorted({**dict(self.labels), **dict(labels)}.items()))
        return Labelled(every, (*self.requirements, *requirements))


@dataclass(frozen=True, slots=True)
class Ranged:
    """Whoever is in a range of addresses and is neither a pod nor a node."""

    prefix: str
    """The range."""
    excepts: tuple[str, ...] = ()
    """Parts of it that are left out."""
    is_everybody = False

    def selects(self, labels: Labels) -> bool:
        """Whether it selects an identity with these labels."""
        inside = [key.removeprefix("cidr:") for key in labels if key.startswith("cidr:")]
        if not inside:
            # The whole family holds what no narrower range has an identity for.
            family = f"reserved:world-ipv{network(self.prefix).version}"
            return network(self.prefix).prefixlen == 0 and (family in labels or "reserved:world" in labels)
        return any(
            is_inside(one, self.prefix) and not any(is_inside(one, out) for out in self.excepts)
            for one in inside
        )

    @property
    def text(self) -> str:
        """As the agent writes it."""
        out = f"-[{','.join(self.excepts)}]" if self.excepts else ""
        return f"cidr:{self.prefix}{out}"

    @property
    def document(self) -> str:
        """As rules hold it."""
        return self.text


@dataclass(frozen=True, slots=True)
class Named:
    """Whatever addresses a name was found to have."""

    name: str = ""
    """The name."""
    pattern: str = ""
    """A pattern of names instead."""
    is_everybody = False

    def selects(self, labels: Labels) -> bool:
        """Whether it selects an identity with these labels."""
        return self.label in labels

    def fits(self, name: str) -> bool:
        """Whether it is about a name."""
        return re.fullmatch(self.regex, f"{name.lower().rstrip('.')}.") is not None

    @property
    def label(self) -> str:
        """The label of the identities of its addresses."""
        return f"fqdn:{self.name or self.pattern}"

    @property
    def text(self) -> str:
        """As the agent writes it."""
        return f"MatchName: {self.name}, MatchPattern: {self.pattern}"

    @property
    def regex(self) -> str:
        """What names are compared with."""
        return name_regex(self.name) if self.name else pattern_regex(self.pattern)

    @property
    def document(self) -> str:
        """As rules hold it."""
        return self.text


Selector = Labelled | Ranged | Named
"""Any of them."""


def name_regex(name: str) -> str:
    """The expression for one name."""
    return f"^{_dotted(name)}[.]$"


def pattern_regex(pattern: str) -> str:
    """The expression for a pattern: a star stands for characters of one part of a name."""
    if pattern.strip(".") == "*":
        return "(^(([-a-zA-Z0-9_]+[.])+)$)|(^[.]$)"
    body = _dotted(pattern)
    if body.startswith("**[.]"):
        return f"^([-a-zA-Z0-9_]+([.][-a-zA-Z0-9_]+){{0,}})[.]{body[5:].replace('*', '[-a-zA-Z0-9_]*')}[.]$"
    return f"^{body.replace('*', '[-a-zA-Z0-9_]*')}[.]$"


def _dotted(name: str) -> str:
    return name.lower().rstrip(".").replace(".", "[.]")


def extended(key: str) -> str:
    """A key as a person writes it, with its source: `any` for none."""
    source, colon, _ = key.partition(":")
    return key if colon and source else f"any:{key}"
