"""Ends that are no pods of Cilium's: whether any policy decides there, and where that is not known."""

from __future__ import annotations

from collections.abc import Iterable

from playbooks.engine.reaching.ends import End, Kind
from playbooks.engine.reaching.vantage import Vantage
from playbooks.engine.reaching.verdicts import Said, Side
from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction

_OF_NODES = frozenset({"host", "remote-node", "kube-apiserver"})
_WITHOUT = frozenset({"world", "unmanaged"})
_OUTSIDE = frozenset({"world", "world-ipv4", "world-ipv6"})


def beside(
    direction: Direction, own: End, peer: End, vantages: Iterable[Vantage], policies: WrittenPolicies | Gap
) -> Side:
    """The side of an end that no endpoint of a pod stands for."""
    by_node = {vantage.node: vantage for vantage in vantages}
    match own.kind:
        case Kind.HOST_POD:
            said, why = _of_node(own, by_node.get(own.node), policies)
        case Kind.ENTITY:
            said, why = _of_entity(own.entity, policies)
        case Kind.POD:
            said, why = Said.CANNOT_TELL, f"{own.said} is not on a node yet"
        case Kind.ADDRESS:
            said, why = _of_address(own, by_node.values(), policies)
    return Side(direction, own.said, own.node, peer.said, said, why)


def _of_entity(name: str, policies: WrittenPolicies | Gap) -> tuple[Said, str]:
    if name in _WITHOUT:
        return Said.ADMITTED, f"{name} has no endpoint, so no policy"
    if name in _OF_NODES:
        return _of_nodes(name, policies)
    return Said.CANNOT_TELL, f"{name} is an endpoint of its own on each node, whose policy is not looked at"


def _of_address(own: End, vantages: Iterable[Vantage], policies: WrittenPolicies | Gap) -> tuple[Said, str]:
    known = [labels for vantage in vantages if (labels := _labels(vantage, own.address))]
    if not known:
        return Said.CANNOT_TELL, f"no agent tells what {own.said} is: it may have a policy of its own"
    if any(labels.namespace for labels in known):
        return Said.CANNOT_TELL, f"{own.said} is a pod that is not known here, and so is its policy"
    reserved = frozenset[str]().union(*(labels.reserved for labels in known))
    if reserved & {"host", "remote-node"}:
        return _of_nodes(f"the node at {own.said}", policies)
    if reserved & _OUTSIDE or any(labels.cidrs for labels in known):
        return Said.ADMITTED, f"{own.said} is outside of the cluster: it has no endpoint, so no policy"
    if "kube-apiserver" in reserved:
        return _of_nodes(own.said, policies)
    return Said.CANNOT_TELL, f"{own.said} is {', '.join(sorted(reserved)) or 'of no known kind'}"


def _labels(vantage: Vantage, address: str) -> Labels | None:
    identity = vantage.identity_of(address)
    return None if identity is None else vantage.labels_of(identity)


def _of_node(own: End, vantage: Vantage | None, policies: WrittenPolicies | Gap) -> tuple[Said, str]:
    """Of a pod on the network of its host: what is in force for the host."""
    if vantage and isinstance(vantage.endpoints, AgentEndpoints):
        hosts = [one for one in vantage.endpoints.items if one.has_reserved("host")]
        enforced = [one.realized.policy_enabled for one in hosts if one.realized and one.realized.is_told]
        if enforced == ["none"]:
            return Said.ADMITTED, f"{own.said} is on the network of {own.node}, where no policy is in force"
    return _of_nodes(f"{own.said} on the network of {own.node or 'its host'}", policies)


def _of_nodes(said: str, policies: WrittenPolicies | Gap) -> tuple[Said, str]:
    """Only policies with a selector of nodes decide there."""
    if isinstance(policies, Gap) or not policies.is_complete:
        return (
            Said.CANNOT_TELL,
            f"{said}: policies for nodes may decide there, and not all policies are known",
        )
    names = list(dict.fromkeys(str(one.policy) for one in policies.items if one.is_for_nodes))
    if not names:
        return Said.ADMITTED, f"{said}: only policies for nodes decide there, and there are none"
    return Said.CANNOT_TELL, f"{said}: policies for nodes may decide there, as {names[0]} does"
