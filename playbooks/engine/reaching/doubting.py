"""Where an agent, its policy map and the policies as written do not agree."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.bpf.policy_lookup import Lookup, MapVerdict
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.policies.deciding import Decided, Decision
from playbooks.model.policies.written import Direction

_READ = ("NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
_AUDIT = "audit-"


def unrealized(endpoint: Endpoint) -> Iterator[str]:
    """What the map does not hold yet."""
    wanted, realized = endpoint.wanted, endpoint.realized
    if endpoint.state and not endpoint.is_ready:
        yield f"endpoint {endpoint.id} is {endpoint.state}: what its policy map holds may change"
        return
    old, new = (one.policy_revision if one else None for one in (realized, wanted))
    if old and new and old < new:
        yield f"endpoint {endpoint.id} has policy revision {old} in force, and {new} comes: this may change"


def out_of_step(
    lookup: Lookup,
    decided: Decided | None,
    endpoint: Endpoint,
    direction: Direction,
    identity: int,
    origins: tuple[str, ...],
) -> Iterator[str]:
    """Where map and policies as written disagree, with what explains it; `origins` made the map's entry."""
    if decided is None or decided.decision is Decision.UNKNOWN:
        return
    by_map = lookup.verdict in (MapVerdict.ALLOW, MapVerdict.REDIRECT)
    by_text = decided.decision in (Decision.FREE, Decision.ADMITTED)
    # A node may always come in to its own pods: the kubelet must reach its probes.
    if by_map == by_text or (by_map and identity == 1 and direction is Direction.INGRESS):
        return
    if unread := next((one for one in origins if ":" in one and one.partition(":")[0] not in _READ), ""):
        yield f"the entry comes from {unread}: policies of that kind are not read here"
        return
    enforced = _enforced(endpoint)
    told = f"policy-enabled: {endpoint.realized.policy_enabled}" if endpoint.realized else ""
    if by_map and enforced and direction.value not in enforced and "both" not in enforced:
        yield (
            "the policies as written do not admit it, but the agent enforces none in this direction"
            f" ({told}): enable-policy may be never, or the policy is not taken in"
        )
    elif by_map:
        yield "the policy map admits it, the policies as written do not: it may be out of step"
    elif decided.decision is Decision.FREE and enforced and not decided.default_deny:
        yield (
            "no policy as written speaks of this direction, but the agent enforces"
            f" ({told}): enable-policy may be always, which refuses what no rule admits"
        )
    else:
        yield "the policies as written admit it, the policy map does not: it may be out of step"


def _enforced(endpoint: Endpoint) -> str:
    """`none`, `ingress`, `egress` or `both`; empty when not told."""
    return endpoint.realized.policy_enabled.removeprefix(_AUDIT) if endpoint.realized else ""
