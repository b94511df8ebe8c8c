"""Addresses for the outside: given or not, announced or not, and by whom."""

from __future__ import annotations

from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, config, excerpts, found, only, outcome
from tests.edited import Edit, command, each, gap, of
from tests.service.telling import NODE, flow, instead, listing, moved, seen, service, stamp

IP = "203.0.113.80"
ON = config(**{"enable-l2-announcements": "true"})
TABLE = command("cilium-dbg", "shell", "--", "db/show", "l2-announce")
HEADER = "IP             NetworkInterface\n"


def balanced(status: str = "True", reason: str = "satisfied", ip: str = IP, **spec: object) -> Edit:
    """The frontend as a LoadBalancer, with what Cilium says of its address."""
    told = {"type": "cilium.io/IPAMRequestSatisfied", "status": status, "reason": reason, "message": ""}
    told["lastTransitionTime"] = stamp(float(str(spec.pop("ago", 600))))
    balancer = {"ingress": [{"ip": ip}]} if ip else {}
    state = {"conditions": [told], "loadBalancer": balancer}
    return service("frontend", type="LoadBalancer", status=state, **spec)


def announced(*addresses: str) -> Edit:
    return instead(TABLE, HEADER + "".join(f"{ip:<15}eth0\n" for ip in addresses))


def changed_long_ago(name: str, seconds: float = 600) -> Edit:
    def put(document: Json) -> Json:
        if document["metadata"]["labels"].get("kubernetes.io/service-name") == name:
            notes = document["metadata"].setdefault("annotations", {})
            notes["endpoints.kubernetes.io/last-change-trigger-time"] = stamp(seconds)
        return document

    return each("endpointslices", put)


LOCAL = balanced(externalTrafficPolicy="Local")


def test_a_node_that_announces_and_has_no_pod_of_a_local_service_drops_all() -> None:
    edits = (ON, LOCAL, moved("frontend", "other"), changed_long_ago("frontend"), announced(IP))
    one = only("SVC009", *edits)
    assert str(one.subject) == "Service shop/frontend"
    assert one.severity is Severity.ERROR
    assert f"{IP} on eth0" in excerpts(one)


def test_what_an_announcing_node_drops_is_not_told_twice() -> None:
    edits = (ON, LOCAL, moved("frontend", "other"), changed_long_ago("frontend"))
    drop = seen(flow(158, "203.0.113.9", IP, 80))
    assert only("SVC007", *edits, drop).severity is Severity.WARN
    assert only("SVC007", *edits, drop, announced(IP)).severity is Severity.INFO


def test_with_cluster_or_a_pod_or_no_announcement_it_works() -> None:
    away = (moved("frontend", "other"), changed_long_ago("frontend"))
    assert found("SVC009", ON, balanced(externalTrafficPolicy="Cluster"), *away, announced(IP)) == []
    assert found("SVC009", ON, LOCAL, changed_long_ago("frontend"), announced(IP)) == []
    assert found("SVC009", ON, LOCAL, *away, announced("203.0.113.9")) == []
    assert found("SVC009", LOCAL, *away, announced(IP)) == []


def test_backends_that_have_just_moved_are_given_time() -> None:
    away = (moved("frontend", "other"), changed_long_ago("frontend", 5))
    assert found("SVC009", ON, LOCAL, *away, announced(IP)) == []


POOLS = of("ciliumloadbalancerippools")


def pool(conflict: str = "False", available: str = "0", **spec: object) -> Json:
    conditions = [
        {
            "type": "cilium.io/PoolConflict",
            "status": conflict,
            "reason": "cidr_overlap",
            "message": "overlaps",
        },
        {"type": "cilium.io/IPsAvailable", "status": "Unknown", "reason": "noreason", "message": available},
    ]
    blocks = [{"cidr": "203.0.113.0/28"}]
    return {
        "metadata": {"name": "blue"},
        "spec": {"blocks": blocks, **spec},
        "status": {"conditions": conditions},
    }


def pools(*items: Json) -> Edit:
    return instead(POOLS, listing("CiliumLoadBalancerIPPool", *items))


def test_a_service_that_gets_no_address_says_why() -> None:
    one = only("SVC020", balanced("False", "out_of_ips", ""), pools(pool()))
    assert str(one.subject) == "Service shop/frontend"
    assert "no address is left" in one.summary.raw
    assert "pool blue: PoolConflict overlaps, IPsAvailable 0" in excerpts(one)
    assert "no pool" in only("SVC020", balanced("False", "no_pool", "")).summary.raw
    assert "another service" in only("SVC020", balanced("False", "already_allocated", "")).summary.raw


def test_a_service_with_its_address_or_a_new_one_is_well() -> None:
    assert found("SVC020", balanced()) == []
    assert found("SVC020", balanced("False", "no_pool", "", ago=10)) == []
    assert found("SVC020", service("frontend", type="LoadBalancer")) == []
    assert found("SVC020") == []


def test_pools_that_overlap_are_told() -> None:
    one = only("SVC021", pools(pool("True")))
    assert str(one.subject) == "CiliumLoadBalancerIPPool blue"
    assert found("SVC021", pools(pool("False"))) == []
    assert found("SVC021", pools(pool("True", disabled=True))) == []


def test_pools_that_were_not_read_are_not_taken_for_none() -> None:
    assert outcome("SVC021", pools()).kind is OutcomeKind.NOT_APPLICABLE
    assert outcome("SVC021").kind is OutcomeKind.COULD_NOT_LOOK


POLICIES = of("ciliuml2announcementpolicies")


def policies(*specs: Json) -> Edit:
    items = [{"metadata": {"name": f"policy-{n}"}, "spec": spec} for n, spec in enumerate(specs)]
    return instead(POLICIES, listing("CiliumL2AnnouncementPolicy", *items))


def test_an_address_that_nobody_announces_says_why() -> None:
    one = only("SVC023", ON, balanced(), announced(), policies())
    assert "there is no L2 announcement policy" in one.summary.raw
    other = policies({"serviceSelector": {"matchLabels": {"color": "red"}}, "loadBalancerIPs": True})
    assert "selects it" in only("SVC023", ON, balanced(), announced(), other).summary.raw
    off = policies({"loadBalancerIPs": False})
    assert "loadBalancerIPs false" in only("SVC023", ON, balanced(), announced(), off).summary.raw
    held = policies({"loadBalancerIPs": True})
    assert "nobody leads" in only("SVC023", ON, balanced(), announced(), held).summary.raw


def test_announced_new_or_foreign_addresses_are_well() -> None:
    none = policies()
    assert found("SVC023", ON, balanced(), announced(IP), none) == []
    assert found("SVC023", ON, balanced(ago=10), announced(), none) == []
    assert found("SVC023", balanced(), announced(), none) == []
    bgp = config(**{"enable-bgp-control-plane": "true"})
    assert found("SVC023", ON, bgp, balanced(), announced(), none) == []
    by_bgp = balanced(loadBalancerClass="io.cilium/bgp-control-plane")
    assert found("SVC023", ON, by_bgp, announced(), none) == []


def test_nodes_that_were_not_asked_may_announce_it() -> None:
    told = outcome("SVC023", ON, balanced(), gap(TABLE), policies())
    assert told.kind is OutcomeKind.COULD_NOT_LOOK
    assert NODE in told.why
