"""Checks of a flow's ends: who sent it and who received it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from playbooks.model.hubble.filters import labels, patterns
from playbooks.model.hubble.filters.addresses import matching_addresses
from playbooks.model.hubble.filters.check import Check
from playbooks.model.hubble.filters.remembering import remembered_of_many
from playbooks.model.hubble.filters.wording import WrongValue, quoted, unsigned
from playbooks.model.hubble.proto import flow_pb2

_PORTS = frozenset({"TCP", "UDP", "SCTP"})
_Endpoint = Callable[[flow_pb2.Flow], flow_pb2.Endpoint]


class Found(Protocol):
    """Gives the texts that a check looks at."""

    def __call__(self, flow: flow_pb2.Flow, /) -> Sequence[str]:
        """The texts of a flow."""


def _source(flow: flow_pb2.Flow) -> flow_pb2.Endpoint:
    return flow.source


def _destination(flow: flow_pb2.Flow) -> flow_pb2.Endpoint:
    return flow.destination


def identities(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The identity of either end."""
    for name, end, values in (
        ("source", _source, wanted.source_identity),
        ("destination", _destination, wanted.destination_identity),
    ):
        if values:
            yield Check(_identity(name, end, frozenset(values)))


def _identity(name: str, end: _Endpoint, wanted: frozenset[int]) -> Callable[[flow_pb2.Flow], bool]:
    if 0 in wanted:
        return lambda flow: flow.HasField(name) and end(flow).identity in wanted  # type: ignore[arg-type]
    return lambda flow: end(flow).identity in wanted


def addresses(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The address of either end, and the source after its translation."""
    if wanted.source_ip:
        is_source = matching_addresses(wanted.source_ip)
        yield Check(lambda flow: is_source(flow.IP.source))
    if wanted.destination_ip:
        is_destination = matching_addresses(wanted.destination_ip)
        yield Check(lambda flow: is_destination(flow.IP.destination))
    if wanted.source_ip_xlated:
        is_translated = matching_addresses(wanted.source_ip_xlated)
        yield Check(lambda flow: is_translated(flow.IP.source_xlated))


def _names(texts: Iterable[str], what: str = "") -> tuple[tuple[str, str], ...]:
    """Namespaces and starts of names."""
    parts = []
    for text in texts:
        namespace, slash, prefix = text.partition("/")
        if not text:
            raise WrongValue(f"{what}invalid filter, must be [namespace/][<name>], got {quoted(text)}")
        parts.append((namespace, prefix) if slash else ("default", text))
    return tuple(parts)


def _is_named(wanted: tuple[tuple[str, str], ...], namespace: str, name: str) -> bool:
    for in_namespace, prefix in wanted:
        if (not in_namespace or in_namespace == namespace) and name.startswith(prefix):
            return bool(namespace or name)
    return False


def pods(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """Namespace and name of the pod of either end."""
    for end, texts in ((_source, wanted.source_pod), (_destination, wanted.destination_pod)):
        if texts:
            yield Check(_pod(end, _names(texts)))


def _pod(end: _Endpoint, wanted: tuple[tuple[str, str], ...]) -> Callable[[flow_pb2.Flow], bool]:
    def holds(flow: flow_pb2.Flow) -> bool:
        endpoint = end(flow)
        return _is_named(wanted, endpoint.namespace, endpoint.pod_name)

    def holds_one(flow: flow_pb2.Flow) -> bool:
        endpoint = end(flow)
        return endpoint.namespace == namespace and endpoint.pod_name.startswith(prefix)

    namespace, prefix = wanted[0]
    return holds_one if len(wanted) == 1 and namespace else holds


def services(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """Namespace and name of the service of either end."""
    if wanted.source_service:
        sources = _names(wanted.source_service, "invalid source service filter: ")
        yield Check(lambda flow: _is_served(sources, flow.source_service))
    if wanted.destination_service:
        destinations = _names(wanted.destination_service, "invalid destination service filter: ")
        yield Check(lambda flow: _is_served(destinations, flow.destination_service))


def _is_served(wanted: tuple[tuple[str, str], ...], service: flow_pb2.Service) -> bool:
    return _is_named(wanted, service.namespace, service.name)


def workloads(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """A workload of either end, by name, kind or both."""
    for end, each in ((_source, wanted.source_workload), (_destination, wanted.destination_workload)):
        if each:
            yield Check(_workload(end, tuple((workload.name, workload.kind) for workload in each)))


def _workload(end: _Endpoint, wanted: tuple[tuple[str, str], ...]) -> Callable[[flow_pb2.Flow], bool]:
    def holds(flow: flow_pb2.Flow) -> bool:
        for workload in end(flow).workloads:
            for name, kind in wanted:
                if (not name or name == workload.name) and (not kind or kind == workload.kind):
                    return True
        return False

    return holds


def domain_names(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The DNS names known of either end."""
    for found, texts in (
        (lambda flow: flow.source_names, wanted.source_fqdn),
        (lambda flow: flow.destination_names, wanted.destination_fqdn),
    ):
        if texts:
            yield Check(_any_name(found, patterns.domain_names(texts)))


def _any_name(found: Found, is_wanted: patterns.Finder) -> Callable[[flow_pb2.Flow], bool]:
    return lambda flow: any(map(is_wanted, found(flow)))


def endpoint_labels(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The labels of either end, and those of the node that saw the flow."""
    for what, found, texts in (
        ("source", lambda flow: flow.source.labels, wanted.source_label),
        ("destination", lambda flow: flow.destination.labels, wanted.destination_label),
        ("node", lambda flow: flow.node_labels, wanted.node_labels),
    ):
        if texts:
            yield Check(_labels(found, what, texts))


def _labels(found: Found, what: str, texts: Iterable[str]) -> Callable[[flow_pb2.Flow], bool]:
    try:
        selectors = tuple(labels.selector(text) for text in texts)
    except WrongValue as wrong:
        raise WrongValue(f"invalid {what} label filter: {wrong}") from None

    picks = remembered_of_many(lambda given: labels.any_holds(selectors, given))
    return lambda flow: picks(tuple(found(flow)))


def ports(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The port of either end."""
    if wanted.source_port:
        yield Check(_port("source", _numbers("source", wanted.source_port)))
    if wanted.destination_port:
        yield Check(_port("destination", _numbers("destination", wanted.destination_port)))


def _numbers(end: str, texts: Iterable[str]) -> frozenset[int]:
    found = set()
    for text in texts:
        try:
            found.add(unsigned(text, 16))
        except WrongValue as wrong:
            raise WrongValue(f"invalid {end} port filter: invalid port {quoted(text)}: {wrong}") from None
    return frozenset(found)


def _port(end: str, wanted: frozenset[int]) -> Callable[[flow_pb2.Flow], bool]:
    attribute = f"{end}_port"

    def holds(flow: flow_pb2.Flow) -> bool:
        l4 = flow.l4
        protocol = l4.WhichOneof("protocol")
        return protocol in _PORTS and getattr(getattr(l4, protocol), attribute) & 0xFFFF in wanted

    return holds


def clusters(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The cluster of either end."""
    for end, names in (
        (_source, wanted.source_cluster_name),
        (_destination, wanted.destination_cluster_name),
    ):
        if names:
            if "" in names:
                raise WrongValue("invalid filter, name must not be empty")
            yield Check(_cluster(end, frozenset(names)))


def _cluster(end: _Endpoint, wanted: frozenset[str]) -> Callable[[flow_pb2.Flow], bool]:
    return lambda flow: end(flow).cluster_name in wanted
