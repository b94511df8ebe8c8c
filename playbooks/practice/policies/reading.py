"""Reads the policies of Cilium into rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from playbooks.practice.objects import Json, name_of, namespace_of
from playbooks.practice.policies import entities
from playbooks.practice.policies.peers import (
    GROUP,
    Labelled,
    Named,
    Ranged,
    Requirement,
    Selector,
    extended,
)  # fmt: skip
from playbooks.practice.policies.rules import WITH_PORTS, Origin, Port, Ports, Rule

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
"""The label that names a pod's namespace."""
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
"""What the keys of the namespace's own labels begin with."""

_ICMP = {
    "IPv4": {"EchoReply": 0, "DestinationUnreachable": 3, "Redirect": 5, "Echo": 8, "EchoRequest": 8,
             "RouterAdvertisement": 9, "RouterSelection": 10, "TimeExceeded": 11, "ParameterProblem": 12,
             "Timestamp": 13, "TimestampReply": 14, "Photuris": 40, "ExtendedEcho Request": 42,
             "ExtendedEcho Reply": 43},
    "IPv6": {"DestinationUnreachable": 1, "PacketTooBig": 2, "TimeExceeded": 3, "ParameterProblem": 4,
             "EchoRequest": 128, "EchoReply": 129, "RouterSolicitation": 133, "RouterAdvertisement": 134,
             "NeighborSolicitation": 135, "NeighborAdvertisement": 136, "RedirectMessage": 137},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a policy's meaning depends on beside itself."""

    cluster: str
    """Name of the cluster."""
    is_newest: bool
    """Whether agents know identities that stand for many."""
    is_local_by_default: bool
    """Whether selectors mean this cluster's pods unless they say otherwise."""
    services: Callable[[Json, str], Iterable[Selector]]
    """Who stands behind the services that a rule names, from a namespace."""


def rules_of(item: Json, around: Surroundings) -> Iterator[Rule]:
    """The rules of a CiliumNetworkPolicy or of a clusterwide one."""
    origin = Origin(item["kind"], namespace_of(item), name_of(item), item["metadata"].get("uid", ""))
    for spec in specs_of(item):
        yield from _Spec(spec, origin, around).rules()


def specs_of(item: Json) -> list[Json]:
    """What a policy says: one or more specs."""
    return [spec for spec in (item.get("spec"), *(item.get("specs") or ())) if spec]


@dataclass(frozen=True, slots=True)
class _Spec:
    spec: Json
    origin: Origin
    around: Surroundings

    def rules(self) -> Iterator[Rule]:
        for is_ingress, direction in ((True, "ingress"), (False, "egress")):
            listed = [
                (entry, is_deny)
                for is_deny, key in ((False, direction), (True, f"{direction}Deny"))
                for entry in self.spec.get(key) or ()
            ]
            wanted = (self.spec.get("enableDefaultDeny") or {}).get(direction)
            is_default_deny = bool(listed) if wanted is None else bool(wanted)
            for entry, is_deny in listed:
                yield self._rule(entry, is_ingress=is_ingress, is_deny=is_deny, default=is_default_deny)

    def _rule(self, entry: Json, *, is_ingress: bool, is_deny: bool, default: bool) -> Rule:
        word = "from" if is_ingress else "to"
        demands = tuple(self._selector(one) for one in entry.get(f"{word}Requires") or ())
        return Rule(
            self.origin,
            self._subject(),
            is_ingress,
            is_deny,
            default,
            "nodeSelector" in self.spec,
            self._peers(entry, word),
            _ports(entry),
            demands,
        )

    def _subject(self) -> Labelled:
        chosen = self.spec.get("nodeSelector")
        if chosen is not None:
            return labelled(chosen, extended)
        found = labelled(self.spec.get("endpointSelector") or {}, extended)
        if not self.origin.namespace or _is_about_init(found):
            return found
        # A policy speaks of pods of its own namespace only, whatever it says.
        rest = tuple(pair for pair in found.labels if not pair[0].endswith(NAMESPACE[4:]))
        return Labelled(rest, found.requirements).narrowed([(NAMESPACE, self.origin.namespace)], ())

    def _peers(self, entry: Json, word: str) -> tuple[Selector, ...] | None:
        every: list[Selector] = []
        is_told = False
        for key, read in (
            (f"{word}Endpoints", self._selectors), (f"{word}Entities", self._entities),
            (f"{word}CIDR", _cidrs), (f"{word}CIDRSet", _cidr_sets), (f"{word}FQDNs", _names),
            (f"{word}Services", self._services), (f"{word}Nodes", _nobody), (f"{word}Groups", _nobody),
        ):  # fmt: skip
            if key in entry:
                is_told = True
                every += read(entry[key] or [])
        return tuple(every) if is_told else None

    def _selectors(self, listed: list[Json]) -> list[Selector]:
        return [self._selector(one) for one in listed]

    def _selector(self, given: Json) -> Labelled:
        found = labelled(given, extended)
        keys = {*(key for key, _ in found.labels), *(one.key for one in found.requirements)}
        if any(key.startswith("reserved:") for key in keys):
            return found
        is_placed = any(key.endswith(NAMESPACE[4:]) or NAMESPACE_LABELS in key for key in keys)
        if not is_placed and self.origin.namespace:
            found = found.narrowed([(NAMESPACE, self.origin.namespace)], ())
        elif not is_placed:
            # Reserved identities have no namespace, so that an empty selector does not mean them.
            found = found.narrowed((), [Requirement(NAMESPACE, "Exists")])
        return in_cluster(found, self.around)

    def _entities(self, listed: list[str]) -> list[Selector]:
        newest, cluster = self.around.is_newest, self.around.cluster
        return [one for name in listed for one in entities.selectors(name, cluster, is_newest=newest)]

    def _services(self, listed: list[Json]) -> list[Selector]:
        return [one for entry in listed for one in self.around.services(entry, self.origin.namespace)]


def labelled(given: Json, key_of: Callable[[str], str]) -> Labelled:
    """A label selector with its keys as `key_of` makes them."""
    labels = {key_of(key): value for key, value in (given.get("matchLabels") or {}).items()}
    requirements = tuple(
        Requirement(key_of(one["key"]), one["operator"], tuple(one.get("values") or ()))
        for one in given.get("matchExpressions") or ()
    )
    return Labelled(tuple(sorted(labels.items())), requirements)


def in_cluster(found: Labelled, around: Surroundings) -> Labelled:
    """The selector for pods of this cluster, unless it names one."""
    keys = {*(key for key, _ in found.labels), *(one.key for one in found.requirements)}
    if not around.is_local_by_default or any(key.endswith(entities.CLUSTER[4:]) for key in keys):
        return found
    return found.narrowed([(entities.CLUSTER, around.cluster)], ())


def port_of(given: Json) -> Port:
    """A port of a rule."""
    number, protocol = str(given.get("port", "0")), given.get("protocol") or "ANY"
    if number.isdigit():
        return Port(protocol, int(number), int(given.get("endPort") or 0))
    return Port(protocol, 0, 0, number)


def spread(ports: Iterable[Port]) -> tuple[Port, ...]:
    """Ports with every protocol that `ANY` stands for."""
    return tuple(
        Port(protocol, port.number, port.last, port.name)
        for port in ports
        for protocol in (
            WITH_PORTS if port.protocol == "ANY" and (port.number or port.name) else (port.protocol,)
        )
    )


def _is_about_init(found: Labelled) -> bool:
    return any(key == "reserved:init" for key, _ in found.labels)


def _ports(entry: Json) -> tuple[Ports, ...] | None:
    found = [_port_rule(one) for one in entry.get("toPorts") or ()]
    for one in entry.get("icmps") or ():
        found.append(Ports(tuple(map(_icmp, one.get("fields") or ())), document=one))
    return tuple(found) if "toPorts" in entry or "icmps" in entry else None


def _port_rule(given: Json) -> Ports:
    rules = {
        key: value for key, value in (given.get("rules") or {}).items() if key in ("http", "dns", "kafka")
    }
    if given.get("serverNames"):
        rules = rules or {"tls": [{"serverNames": given["serverNames"]}]}
    ports = given.get("ports") or [{"port": "0", "protocol": "ANY"}]
    return Ports(spread(map(port_of, ports)), rules, given)


def _icmp(field: Json) -> Port:
    family, kind = field.get("family") or "IPv4", field["type"]
    number = int(kind) if str(kind).isdigit() else _ICMP[family][kind]
    return Port("ICMPv6" if family == "IPv6" else "ICMP", number)


def _cidrs(listed: list[str]) -> list[Selector]:
    return [Ranged(_prefix(one)) for one in listed]


def _cidr_sets(listed: list[Json]) -> list[Selector]:
    found: list[Selector] = []
    for one in listed:
        excepts = tuple(map(_prefix, one.get("except") or ()))
        if "cidr" in one:
            found.append(Ranged(_prefix(one["cidr"]), excepts))
            continue
        out = [Requirement(f"cidr:{prefix}", "DoesNotExist") for prefix in excepts]
        if "cidrGroupRef" in one:
            found.append(Labelled(((f"{GROUP}{one['cidrGroupRef']}", ""),), tuple(out)))
        else:
            group = labelled(one.get("cidrGroupSelector") or {}, lambda key: f"cidrgroup:{key}")
            found.append(group.narrowed((), out))
    return found


def _prefix(text: str) -> str:
    whole = 128 if ":" in text else 32
    return text if "/" in text else f"{text}/{whole}"


def _names(listed: list[Json]) -> list[Selector]:
    return [Named(one.get("matchName", "").lower(), one.get("matchPattern", "").lower()) for one in listed]


def _nobody(_listed: list[Json]) -> list[Selector]:
    """Nodes and groups of a cloud: what they stand for is known to no agent of this cluster."""
    return []
