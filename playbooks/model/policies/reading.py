"""All policies of the cluster, as one fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.cidr_groups import CidrGroups
from playbooks.model.cilium.policies import CiliumClusterwideNetworkPolicies, CiliumNetworkPolicies
from playbooks.model.fact import Fact, Provenance, Scene
from playbooks.model.kube.network_policies import NetworkPolicies
from playbooks.model.policies import of_cilium, of_kubernetes
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.sorting import Selecting
from playbooks.model.policies.written import Direction, Written


@dataclass(frozen=True, kw_only=True)
class WrittenPolicies(Fact):
    """Every policy of the cluster, of all kinds, in one form."""

    items: tuple[Written, ...]
    """Kubernetes' policies, then Cilium's; a policy with several rule sets stands here as often."""
    missing: tuple[Gap, ...]
    """Kinds that could not be read."""
    needs: ClassVar[tuple[type[Fact], ...]] = (
        NetworkPolicies,
        CiliumNetworkPolicies,
        CiliumClusterwideNetworkPolicies,
        CidrGroups,
    )
    is_view: ClassVar[bool] = True

    @property
    def is_complete(self) -> bool:
        """Whether no policy can be unknown."""
        return not self.missing and not self.provenance.is_truncated and not self.provenance.namespace

    def selecting(self, labels: Labels) -> Iterator[Written]:
        """Rule sets that select an endpoint."""
        return self._sorted.of_endpoint(labels)

    @cached_property
    def _sorted(self) -> Selecting:
        return Selecting.of(self.items)

    def denying_by_default(self, labels: Labels, direction: Direction) -> tuple[Written, ...]:
        """Rule sets for which an endpoint refuses what no rule admits."""
        return tuple(one for one in self.selecting(labels) if direction in one.default_deny)

    @classmethod
    def derive(cls, scene: Scene) -> WrittenPolicies | Gap:
        """Read whatever kinds are there; a gap where none is."""
        kube, cilium = scene.get(NetworkPolicies), scene.get(CiliumNetworkPolicies)
        wide, groups = scene.get(CiliumClusterwideNetworkPolicies), scene.get(CidrGroups)
        known = [fact for fact in (kube, cilium, wide) if isinstance(fact, Fact)]
        gaps = [fact for fact in (kube, cilium, wide) if isinstance(fact, Gap)]
        if not known:
            return gaps[0]
        # A kind that the cluster does not have has no policies.
        missing = tuple(gap for gap in gaps if gap.kind is not GapKind.NOT_FOUND)
        by_name = None
        if isinstance(groups, CidrGroups):
            by_name = {one.metadata.name: one.spec.external_cidrs or () for one in groups.items}
        items: list[Written] = []
        if isinstance(kube, NetworkPolicies):
            items += map(of_kubernetes.written, kube.items)
        for fact in (cilium, wide):
            if isinstance(fact, CiliumNetworkPolicies | CiliumClusterwideNetworkPolicies):
                items += (one for policy in fact.items for one in of_cilium.written(policy, by_name))
        return cls(provenance=_provenance(known), items=tuple(items), missing=missing)


def _provenance(known: Sequence[Fact]) -> Provenance:
    every = [fact.provenance for fact in known]
    return replace(
        every[0],
        command="\n".join(dict.fromkeys(one.command for one in every)),
        way="reading of all policies",
        namespace=next((one.namespace for one in every if one.namespace), ""),
        is_truncated=any(one.is_truncated for one in every),
        taken_at=min(one.taken_at for one in every),
    )
