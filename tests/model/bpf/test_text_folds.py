"""Conntrack and NAT as text, folded while they stream: the same as by JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from playbooks.model.answer import Gap, GapKind
from playbooks.model.bpf.conntrack import Conntrack, Direction
from playbooks.model.bpf.nat import NatRetries, NatTable
from playbooks.model.fact import Unreadable
from tests.model.bpf.reading import known, read, recorded
from tests.model.bpf.samples import WRITTEN
from tests.model.bpf.test_conntrack import entry

LINE = (
    "TCP OUT 10.244.0.232:45630 -> 10.244.0.33:8080 expires=5235 {ages}Packets=0 Bytes=0 RxFlagsSeen=0x1b "
    "LastRxReport=5225 TxFlagsSeen=0x1b LastTxReport=5225 Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ] "
    "RevNAT=0 SourceSecurityID=102258 BackendID=0 NatPort=0 \n"
)


@pytest.mark.parametrize("ages", ["", "(remaining: -2 sec(s)) "])
@pytest.mark.parametrize("size", [0, 7])
def test_an_entry_is_the_same_as_text(ages: str, size: int) -> None:
    of_text = read(Conntrack, 1, LINE.format(ages=ages) * 3 + "\n", size=size)
    of_json = read(Conntrack, 0, json.dumps([entry()] * 3).encode(), size=size)
    assert isinstance(of_text, Conntrack)
    assert of_text == of_json
    assert of_text.closing == 3


def test_lines_of_other_versions_and_families() -> None:
    old = (
        "UDP IN [fd00::1]:53 -> [fd00::2]:5353 related expires=9 RxPackets=1 RxBytes=2 RxFlagsSeen=0x00 "
        "LastRxReport=1 TxPackets=1 TxBytes=1 TxFlagsSeen=0x00 LastTxReport=1 Flags=0x0000 [ ] RevNAT=0 "
        "SourceSecurityID=2 IfIndex=0 \n"
        "TCP SVC 10.0.0.1:4000 -> 10.96.0.1:443 expires=9 RxPackets=1 RxBytes=2 RxFlagsSeen=0x00 "
        "LastRxReport=1 TxPackets=1 TxBytes=1 TxFlagsSeen=0x02 LastTxReport=1 Flags=0x0000 [ ] RevNAT=1 "
        "SourceSecurityID=2 IfIndex=0 \n"
    )
    fact = read(Conntrack, 2, old)
    assert isinstance(fact, Conntrack)
    assert set(fact.by_direction) == {Direction.RELATED_IN, Direction.SERVICE}
    assert {(one.address, one.port, one.protocol) for one in fact.destinations} == {
        ("fd00::2", 5353, 17),
        ("10.96.0.1", 443, 6),
    }
    assert fact.unanswered == 1


async def test_recorded_tables_agree_about_what_is_frequent() -> None:
    of_json = read(Conntrack, 0, await recorded("healthy", "cilium-dbg bpf ct list global -o json"))
    of_text = read(Conntrack, 1, await recorded("healthy", "cilium-dbg bpf ct list global -d"))
    assert isinstance(of_json, Conntrack)
    assert isinstance(of_text, Conntrack)
    tops = [{(one.address, one.port) for one in fact.destinations[:3]} for fact in (of_json, of_text)]
    assert tops[0] & tops[1]
    assert set(of_json.by_direction) == set(of_text.by_direction)
    assert 0 < of_text.entries < 2 * of_json.entries


async def test_nat_by_both_ways() -> None:
    of_json = read(NatTable, 0, await recorded("healthy", "cilium-dbg bpf nat list -o json"))
    of_text = read(NatTable, 1, await recorded("healthy", "cilium-dbg bpf nat list"))
    assert isinstance(of_json, NatTable)
    assert isinstance(of_text, NatTable)
    assert of_json.uses[0] == of_text.uses[0]
    assert (of_text.entries, of_text.outgoing, of_text.by_age) == (8, 4, (8, 0, 0, 0))
    use = of_text.uses[0]
    assert (use.address, use.target, use.target_port, use.ports) == ("198.51.100.1", "198.51.100.10", 80, 4)
    assert replace(of_json, provenance=of_text.provenance).by_protocol == of_text.by_protocol


async def test_retries_for_a_port() -> None:
    fact = await known("healthy", NatRetries)
    assert (fact.families[0][:3], fact.most_tries, len(fact.families[0])) == ((3494, 63, 4), 2, 33)
    both = read(NatRetries, 0, WRITTEN["NatRetries: NAT retries"])
    assert isinstance(both, NatRetries)
    assert both.families == ((3494, 63), (2, 0))


@pytest.mark.parametrize(
    "body", ["garbage\n", "TCP OUT 1.2.3.4:5 ->\n", LINE.format(ages="")[:-30], "x" * 9999]
)
@pytest.mark.parametrize(("kind", "way"), [(Conntrack, 1), (NatTable, 1)])
def test_what_is_no_line_is_unreadable(kind: type[Conntrack | NatTable], way: int, body: str) -> None:
    with pytest.raises(Unreadable):
        read(kind, way, body)


@pytest.mark.parametrize("kind", [Conntrack, NatTable])
def test_a_refusal_is_no_empty_table(kind: type[Conntrack | NatTable]) -> None:
    for way in (0, 1):
        gap = read(kind, way, b"", stderr=b"Error: cannot connect to the agent\n", exit_code=1)
        assert isinstance(gap, Gap)
        assert gap.kind is GapKind.FAILED
        usage = read(kind, way, b"Usage:\n  cilium-dbg bpf [command]\n")
        assert isinstance(usage, Gap)
        assert usage.kind is GapKind.NOT_IN_THIS_VERSION
