from __future__ import annotations

import pytest

from playbooks.model.hubble.aggregation import NameLookups, Silence
from playbooks.model.hubble.aggregation import dns as module
from tests.model.hubble.aggregation.flows import T0, answer, dns

SECOND = 10**9
SILENCE = Silence("home/node-1", "shop/coredns-1")


def silences(names: NameLookups) -> dict[Silence, tuple[int, int]]:
    return {one.key: (one.unanswered, one.answered) for one in names.unanswered}


def test_names_have_questions_answers_and_codes() -> None:
    names = NameLookups()
    names.add(
        [
            dns(0),
            dns(0.01, rcode=0),
            dns(1, "nope.shop.", port=5001),
            dns(1.01, "nope.shop.", rcode=3, port=5001),
        ]
    )
    names.add([dns(2, verdict=2, port=5002)])
    found = {one.query: one for one in names.names}
    assert (found["cart.shop."].queries, found["cart.shop."].responses, found["cart.shop."].refused) == (
        1,
        1,
        1,
    )
    assert found["cart.shop."].rcodes == {0: 1}
    assert found["nope.shop."].rcodes == {3: 1}
    assert found["cart.shop."].p50 is None


def test_a_question_that_nobody_answers_counts_when_its_node_has_moved_on() -> None:
    names = NameLookups()
    names.add([dns(0), dns(0.5, port=5001), dns(0.6, rcode=0, port=5001)])
    assert silences(names) == {SILENCE: (0, 1)}
    names.add([dns(4.9, port=5002), dns(4.91, port=5002, rcode=0)])
    assert silences(names) == {SILENCE: (0, 2)}
    names.add([dns(6, port=5003)])
    assert silences(names) == {SILENCE: (1, 2)}
    (one,) = names.unanswered
    assert (one.last, one.query) == (T0 * SECOND, "cart.shop.")


def test_a_node_whose_clock_is_ahead_makes_no_question_old() -> None:
    names = NameLookups()
    names.add([dns(0), dns(300, node_name="home/node-2", port=5009)])
    names.add([dns(0.2, rcode=0)])
    assert silences(names) == {SILENCE: (0, 1)}


def test_a_late_answer_takes_the_reproach_back() -> None:
    names = NameLookups()
    names.add([dns(0), dns(10, port=5001)])
    assert silences(names) == {SILENCE: (1, 0)}
    names.add([dns(6, rcode=0)])
    assert silences(names) == {SILENCE: (0, 1)}


def test_an_answer_without_its_question_and_a_refusal_reproach_nobody() -> None:
    names = NameLookups()
    names.add([dns(0, rcode=0), dns(0, verdict=2, port=5001), dns(60, port=5002)])
    assert silences(names) == {}


def test_open_questions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN", 5)
    names = NameLookups()
    names.add([dns(0, port=5000 + number) for number in range(12)])
    assert names.forgotten == 7
    names.add([dns(10, port=1)])
    assert names.unanswered[0].unanswered == 5


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 2)
    names = NameLookups()
    names.add([dns(0, f"{number}.example.") for number in range(5)])
    assert (len(names.names), names.overflow) == (2, 3)


def test_without_l7_there_is_no_dns() -> None:
    names = NameLookups()
    names.add([answer(0)])
    assert names.names == []
