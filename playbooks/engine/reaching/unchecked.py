"""What a verdict does not cover, and why."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.engine.reaching.ends import End
from playbooks.engine.reaching.verdicts import Pair, Said
from playbooks.engine.targets.resolving import Resolved
from playbooks.model.answer import Gap
from playbooks.model.kube.services import Service
from playbooks.model.policies.reading import WrittenPolicies

_GLOBAL = ("service.cilium.io/global", "io.cilium/global-service")


def unchecked(
    source: Resolved,
    destination: Resolved,
    sources: list[End],
    destinations: list[End],
    policies: WrittenPolicies | Gap,
    pairs: tuple[Pair, ...],
) -> Iterator[str]:
    """In sentences."""
    for resolved, ends in ((source, sources), (destination, destinations)):
        if not ends and resolved.host:
            yield f"no agent of the source saw an address for {resolved.host}: rules on names admit those"
        elif not ends and resolved.service is None:
            yield f"{resolved.said} has no pods"
        if resolved.entity == "world":
            yield (
                "world is every address that no rule speaks of by prefix or name: name an address to have"
                " such rules judged"
            )
    if isinstance(policies, Gap):
        yield f"the policies as written: {policies.detail}"
    elif policies.missing:
        yield f"policies of some kinds: {policies.missing[0].detail}"
    for pair in pairs:
        for side in (pair.egress, pair.ingress):
            if side.said is Said.CANNOT_TELL:
                yield f"{side.direction} of {side.endpoint}: {side.why}"
    if destination.service is not None:
        yield from _of_service(destination, destination.service, has_ends=bool(destinations))


def _of_service(destination: Resolved, service: Service, *, has_ends: bool) -> Iterator[str]:
    if destination.is_by_proxy:
        yield f"{service.ref} leads to Envoy, which calls others: judge those from ingress"
    elif service.spec.type == "ExternalName":
        yield f"{service.ref} stands for the name {service.spec.external_name}: ask for that"
    elif destination.has_no_such_port:
        yield f"{service.ref} has no such port: nothing translates it, and there is nobody to call"
    elif not has_ends:
        yield f"{service.ref} has no backend: there is nobody to call"
    if service.annotation(*_GLOBAL).lower() == "true":
        yield f"{service.ref} is global: its backends in other clusters are not judged"
