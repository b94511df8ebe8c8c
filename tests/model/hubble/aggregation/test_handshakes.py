from __future__ import annotations

import pytest

from playbooks.model.hubble.aggregation import Handshakes, Pair
from playbooks.model.hubble.aggregation import handshakes as module
from playbooks.model.hubble.seen import Seen
from tests.model.hubble.aggregation.flows import answer, drop, seen, tcp

PAIR = Pair("shop/web", "shop/cart", 80)


def syn(at: float, port: int = 40000, **fields: object) -> Seen:
    return seen(at, l4=tcp(port, SYN=True), **fields)


def syn_ack(at: float, port: int = 40000, **fields: object) -> Seen:
    return answer(at, l4=tcp(80, port, SYN=True, ACK=True), **fields)


def found(handshakes: Handshakes) -> dict[Pair, tuple[int, int, int | None]]:
    return {one.pair: (one.count, one.repeated, one.p50) for one in handshakes.pairs}


def test_a_handshake_lasts_from_the_first_syn_to_the_first_answer() -> None:
    handshakes = Handshakes()
    handshakes.add([syn(0), syn(0.001), syn_ack(0.004), syn_ack(0.005)])
    assert found(handshakes) == {PAIR: (1, 0, 4_000_000)}


def test_a_syn_sent_again_is_counted_and_waited_for() -> None:
    handshakes = Handshakes()
    handshakes.add([syn(0), syn(1), syn(1.001), syn(3)])
    handshakes.add([syn_ack(3.01)])
    assert found(handshakes) == {PAIR: (1, 2, 3_010_000_000)}


def test_clocks_of_two_nodes_are_never_compared() -> None:
    handshakes = Handshakes()
    handshakes.add([syn(0, node_name="home/a"), syn_ack(0.5, node_name="home/b")])
    assert found(handshakes) == {}


def test_dropped_syns_and_answers_before_their_question_are_no_handshakes() -> None:
    handshakes = Handshakes()
    handshakes.add([drop(0), syn_ack(0.1), syn(5), syn_ack(4)])
    assert found(handshakes) == {}


def test_an_old_syn_is_not_answered_by_a_new_connection() -> None:
    handshakes = Handshakes()
    handshakes.add([syn(0), syn(100), syn_ack(100.25)])
    assert found(handshakes) == {PAIR: (1, 0, 250_000_000)}


def test_open_handshakes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN", 3)
    handshakes = Handshakes()
    handshakes.add([syn(0, 40000 + number) for number in range(10)])
    assert handshakes.forgotten == 7
    assert len(handshakes._open) == 3
