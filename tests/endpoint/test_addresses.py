"""Addresses for pods: used up, kept by nobody, left out, given twice."""

from __future__ import annotations

import pytest

from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from tests.agent.judged import Json, config, excerpts, found, only, run, status
from tests.edited import Edit, added, answered, body, command, each, edited, gap, in_look, log_lines, of
from tests.endpoint.waiting import NODE, refused
from tests.recorded import source

FULL = "unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure range is full"
NO_MORE = (
    'unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure "No more IPs available"'
)
ROUTES = ("cilium-dbg", "shell", "--", "db/show", "routes")
STATUS_TEXT = command("cilium-dbg", "status", "--verbose")


def allocated(used: int, total: int = 254, gone: int = 0) -> Edit:
    """The agent's count, with addresses of pods that are gone."""
    owners = {f"10.244.0.{200 + number}": f"jobs/report-{number}" for number in range(gone)}
    owners["10.244.0.112"] = "router"
    owners["10.244.0.18"] = "shop/cart-9c97f5f45-jj7v6 [restored]"
    return status(
        ipam={"status": f"IPv4: {used}/{total} allocated from 10.244.0.0/24, ", "allocations": owners}
    )


def test_a_used_up_range_is_told_with_the_pods_that_wait() -> None:
    one = only("END003", *refused(FULL), allocated(254))
    assert one.subject == Ref("Node", NODE, node=NODE)
    assert one.asserts == (Condition(ConditionKind.IPAM_EXHAUSTED, NODE),)
    assert "254/254" in excerpts(one)
    assert one.alternatives == ()


def test_without_the_agents_count_both_causes_are_named() -> None:
    hidden = (gap(command("cilium-dbg", "status")), gap(STATUS_TEXT))
    one = only("END003", *refused(FULL), *hidden)
    assert len(one.alternatives) == 2
    assert any("route" in other.raw for other in one.alternatives)


def test_a_range_with_addresses_left_is_another_fault() -> None:
    assert found("END003", *refused(FULL), allocated(16)) == []
    one = only("END005", *refused(FULL), allocated(16))
    assert "only 16 of 254" in one.summary.raw
    assert one.alternatives
    assert found("END005", *refused(FULL), allocated(254)) == []
    assert found("END005", *refused(FULL), allocated(16), looks=1) == []
    assert found("END005", *refused(FULL), in_look(2, allocated(254))) == []


def test_the_route_that_covers_the_range_is_named() -> None:
    def bridge(answer: bytes) -> bytes:
        lines = answer.decode().splitlines()
        row = next(line for line in lines if line.startswith("192.0.2.0/"))
        prefix = row.split()[0]
        return (
            "\n".join([*lines, row.replace(prefix, "10.244.0.0/16".ljust(len(prefix)), 1)]).encode() + b"\n"
        )

    one = only("END005", *refused(FULL), allocated(16), body(command(*ROUTES), bridge))
    assert "10.244.0.0/16" in one.summary.raw
    assert one.alternatives == ()


def test_more_addresses_may_be_on_their_way_in_modes_that_fetch_them() -> None:
    one = only("END003", *refused(NO_MORE), allocated(14, 14), config(ipam="eni"))
    assert Condition(ConditionKind.OPERATOR_DOWN) in one.because_of
    assert (
        Condition(ConditionKind.OPERATOR_DOWN)
        not in only("END003", *refused(FULL), allocated(254)).because_of
    )


def test_addresses_of_pods_that_are_gone_are_leaked() -> None:
    one = only("END004", allocated(254, gone=40))
    assert one.severity is Severity.ERROR
    assert "40 addresses" in one.summary.raw
    assert "jobs/report-0" in excerpts(one)
    assert only("END004", allocated(80, gone=40)).severity is Severity.WARN
    assert only("END004", allocated(20, gone=3)).severity is Severity.INFO


def test_addresses_on_their_way_back_are_none() -> None:
    assert found("END004", allocated(20, gone=2)) == []
    assert found("END004", in_look(1, allocated(60, gone=40))) == []
    assert found("END004", allocated(60, gone=40), looks=1) == []
    assert found("END004", allocated(60, gone=40), gap(of("pods"))) == []


@pytest.mark.parametrize("owner", ["router", "health", "green/jobs/report-1", "jobs/report-1:eth1", "/", ""])
def test_only_owners_that_are_pods_can_be_gone(owner: str) -> None:
    owners = {f"10.244.0.{number}": owner for number in range(1, 60)}
    ipam = {"status": "IPv4: 60/254 allocated from 10.244.0.0/24, ", "allocations": owners}
    assert found("END004", status(ipam=ipam)) == []


def test_the_leak_explains_the_full_range() -> None:
    cluster = edited(source("healthy"), *refused(FULL), allocated(254, gone=200))
    snapshot = run(cluster, "END003", "END004", "AGT053")
    assert [one.rule.id for one in snapshot.roots] == ["END004"]
    assert {one.rule.id for one in snapshot.every()} == {"END003", "END004", "AGT053"}


def node(name: str, *ranges: str) -> Json:
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": name, "creationTimestamp": "2026-11-22T00:00:00Z"},
        "spec": {"ipam": {"podCIDRs": list(ranges)}},
    }


def test_overlapping_ranges_of_two_nodes_are_told() -> None:
    one = only("END016", added("ciliumnodes", node("old", "10.244.0.128/25")))
    assert one.subject == Ref("CiliumNode", "old", node="old")
    assert "CiliumNode old, whose node is gone" in one.fixes[0].title.raw
    unknown = only("END016", added("ciliumnodes", node("old", "10.244.0.128/25")), gap(of("nodes")))
    assert len(unknown.subjects) == 2


@pytest.mark.parametrize("ranges", [("10.244.1.0/24",), ("fd00::/64",), ("nonsense",), ()])
def test_ranges_of_their_own_are_no_fault(ranges: tuple[str, ...]) -> None:
    assert found("END016", added("ciliumnodes", node("other", *ranges))) == []


def twin(item: Json) -> Json:
    if item["metadata"]["name"].startswith("redis-"):
        item["status"]["podIP"] = "10.244.0.18"
    return item


def test_two_running_pods_with_one_address_are_told() -> None:
    one = only("END017", each("pods", twin))
    assert {ref.name for ref in one.subjects} == {"cart-9c97f5f45-jj7v6", "redis-75c57dcdd-vgv8d"}
    assert found("END017", in_look(1, each("pods", twin))) == []


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_the_address_of_a_pod_that_ended_may_be_given_again(phase: str) -> None:
    def ended(item: Json) -> Json:
        item = twin(item)
        if item["metadata"]["name"].startswith("redis-"):
            item["status"]["phase"] = phase
        return item

    assert found("END017", each("pods", ended)) == []


OUT = 'level=warn msg="Instance is out of interfaces"'


def test_one_instance_without_interfaces_is_only_told() -> None:
    one = only("END021", log_lines(OUT, container="cilium-operator"))
    assert one.severity is Severity.INFO
    assert found("END021") == []


def test_several_or_with_pods_that_wait_it_hurts() -> None:
    lines = [f"{OUT} name={name}" for name in ("node-a", "node-b")]
    assert only("END021", log_lines(*lines, container="cilium-operator")).severity is Severity.WARN
    here = log_lines(f"{OUT} name={NODE}", container="cilium-operator")
    hungry = only("END021", here, *refused(NO_MORE), allocated(14, 14))
    assert hungry.severity is Severity.ERROR
    assert hungry.subject == Ref("Node", NODE, node=NODE)


def test_an_old_complaint_about_interfaces_is_over() -> None:
    old = f"time=2026-11-22T20:00:00Z {OUT}"
    assert found("END021", log_lines(old, container="cilium-operator")) == []


def interfaces(address: str) -> Edit:
    def change(item: Json) -> Json:
        item["status"]["eni"] = {"enis": {"eni-1": {"ip": address, "number": 1}, "eni-0": {"number": 0}}}
        return item

    return each("ciliumnodes", change)


def test_an_address_of_the_host_on_an_interface_of_cilium_is_told() -> None:
    one = only("END022", interfaces("198.51.100.1"))
    assert one.severity is Severity.WARN
    assert "198.51.100.1" in one.summary.raw
    assert found("END022", interfaces("203.0.113.7")) == []
    assert found("END022") == []
    assert found("END022", interfaces("198.51.100.1"), gap(of("ciliumnodes"))) == []


def test_counts_are_read_from_text_too() -> None:
    text = answered(
        STATUS_TEXT,
        b"Cilium:  Ok   1.17.1\nIPAM:    IPv4: 254/254 allocated from 10.244.0.0/24, \nAllocated addresses:\n"
        + b"".join(b"  10.244.0.%d (jobs/report-%d)\n" % (number, number) for number in range(1, 60)),
    )
    cut = gap(command("cilium-dbg", "status", "-o", "json"))
    assert "59 addresses" in only("END004", cut, text).summary.raw
