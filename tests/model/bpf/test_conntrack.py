"""The conntrack table folded while it streams."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.answer import End
from playbooks.model.bpf.conntrack import Conntrack
from playbooks.model.bpf.heavy_hitters import HeavyHitters
from playbooks.model.fact import Unreadable
from playbooks.model.request import AgentCommand

REQUEST = AgentCommand(
    "n", "kube-system", "cilium-x", "cilium-agent", ("cilium-dbg", "bpf", "ct", "list"), True
)
END = End(
    "cilium-dbg bpf ct list global -o json", "n/kube-system/cilium-x", datetime(2026, 1, 1, tzinfo=UTC), 0.1
)


def entry(
    flags: int = 0, tx: int = 27, rx: int = 27, state: int = 19, protocol: int = 6
) -> dict[str, object]:
    """As the recording prints `TCP OUT 10.244.0.232:45630 -> 10.244.0.33:8080`."""
    return {
        "Key": {
            "DestAddr": [10, 244, 0, 232],
            "SourceAddr": [10, 244, 0, 33],
            "DestPort": 36895,
            "SourcePort": 16050,
            "NextHeader": protocol,
            "Flags": flags,
        },
        "Value": {"Flags": state, "TxFlagsSeen": tx, "RxFlagsSeen": rx, "SourceSecurityID": 102258},
    }


def fold(body: bytes, size: int = 1 << 20) -> Conntrack:
    reader = Conntrack.ways[0].reader()
    for start in range(0, len(body), size):
        reader.feed(body[start : start + size])
    fact = reader.finish(REQUEST, END)
    assert isinstance(fact, Conntrack)
    return fact


def test_who_talks_to_whom() -> None:
    fact = fold(json.dumps([entry(), entry(), entry(tx=0)]).encode())
    assert fact.entries == 3
    assert (fact.sources[0].address, fact.sources[0].entries) == ("10.244.0.232", 3)
    assert (fact.destinations[0].address, fact.destinations[0].port) == ("10.244.0.33", 8080)
    assert fact.identities == ((102258, 3),)
    assert (fact.closing, fact.unanswered) == (3, 1)


def test_an_empty_table_is_empty() -> None:
    for body in (b"[]", b"null\n"):
        assert fold(body).entries == 0


@given(st.integers(min_value=1, max_value=200), st.integers(min_value=0, max_value=12))
def test_the_size_of_chunks_makes_no_difference(size: int, rows: int) -> None:
    body = json.dumps([entry(flags=row % 5) for row in range(rows)], indent=1).encode()
    assert fold(body, size) == fold(body)


def test_many_rows_are_all_counted() -> None:
    one = json.dumps(entry()).encode()
    body = b"[" + b", ".join([one] * 5000) + b"]"
    assert fold(body, 32768).entries == 5000


@pytest.mark.parametrize("body", [b"{}", b"usage", b"[{", b'[{"Key":{}', b"[1]", b'[{"Key":1,"Value":2}]'])
def test_garbage_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        fold(body)


def test_a_cut_dump_is_unreadable() -> None:
    body = json.dumps([entry()] * 3000).encode()
    with pytest.raises(Unreadable, match="byte"):
        fold(body[: len(body) - 5])


def test_what_is_frequent_is_never_forgotten() -> None:
    hitters: HeavyHitters[int] = HeavyHitters(limit=10)
    for start in range(0, 5000, 50):
        hitters.update([*range(start, start + 50), *([-1] * 10)])
    number, count = hitters.top(1)[0]
    assert number == -1
    assert 1000 - hitters.error <= count <= 1000
