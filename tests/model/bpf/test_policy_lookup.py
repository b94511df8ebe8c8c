"""What a policy map decides where entries overlap."""

from __future__ import annotations

import pytest

from playbooks.model.bpf.policy import EndpointPolicyMap, PolicyEntry, PolicyKey
from playbooks.model.bpf.policy_lookup import MapVerdict, differing_ports, look_up

PEER, TCP = 4711, 6


def entry(
    identity: int = PEER,
    first: int = 0,
    last: int = 0,
    *,
    deny: bool = False,
    proxy: int = 0,
    above: int | None = None,
) -> PolicyEntry:
    key = PolicyKey("ingress", identity, TCP if first else 0, first, last or first)
    return PolicyEntry(key, deny, proxy, None, "", above)


def said(port: int, *entries: PolicyEntry) -> MapVerdict:
    return look_up(EndpointPolicyMap(1, entries), "ingress", {PEER}, TCP, port).verdict


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ((entry(0), entry(first=80, deny=True)), MapVerdict.DENY),
        ((entry(0, deny=True), entry(first=80)), MapVerdict.DENY),
        ((entry(first=80), entry(first=80, last=95, deny=True)), MapVerdict.DENY),
        ((entry(0), entry(first=80, proxy=9)), MapVerdict.REDIRECT),
        ((entry(first=64, last=79), entry(first=81)), MapVerdict.NO_ENTRY),
        ((entry(first=64, last=127),), MapVerdict.ALLOW),
        # A tier above the one of the refusal: agents that tell precedence have told who wins.
        ((entry(first=80, above=9), entry(0, deny=True, above=5)), MapVerdict.ALLOW),
        ((entry(first=80, above=9), entry(0, deny=True)), MapVerdict.DENY),
    ],
)
def test_what_overlaps_is_decided_as_the_datapath_does(
    entries: tuple[PolicyEntry, ...], verdict: MapVerdict
) -> None:
    assert said(80, *entries) is verdict


def test_ports_at_which_it_is_decided_otherwise() -> None:
    refused, same = entry(first=80, deny=True), entry(first=90)
    held = EndpointPolicyMap(1, (entry(0), refused, same))
    assert differing_ports(held, "ingress", {PEER}, TCP) == (refused,)
    assert differing_ports(EndpointPolicyMap(1, (same,)), "ingress", {PEER}, TCP) == (same,)
