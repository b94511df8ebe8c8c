from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.model.hubble.aggregation import By, Row, Tally, Traffic
from playbooks.model.hubble.aggregation.tally import SECOND, WINDOW, Recent
from tests.model.hubble.aggregation.flows import T0, answer, drop, pod, seen, tcp


def rows(traffic: Traffic, by: By) -> dict[object, tuple[int, int]]:
    return {row.key: (row.events, row.attempts) for row in traffic.rows(by)}


def test_a_drop_and_its_verdict_are_two_events_and_one_attempt() -> None:
    traffic = Traffic()
    traffic.add([drop(0, verdict=True), drop(0.001)])
    traffic.add([drop(1, verdict=True), drop(1.001)])
    assert rows(traffic, By.DROP_REASON) == {133: (4, 1)}
    assert rows(traffic, By.VERDICT) == {2: (4, 1)}
    assert rows(traffic, By.CLIENT) == {"shop/web": (4, 1)}


def test_another_port_is_another_attempt() -> None:
    traffic = Traffic()
    traffic.add([drop(number, l4=tcp(40000 + number, SYN=True)) for number in range(5)])
    assert rows(traffic, By.EDGE) == {("shop/web", "shop/cart", "TCP", 80): (5, 5)}


def test_answers_belong_to_what_they_answer() -> None:
    traffic = Traffic()
    traffic.add([seen(0), answer(0.1), seen(0.2)])
    assert rows(traffic, By.CLIENT) == {"shop/web": (3, 1)}
    assert rows(traffic, By.SERVER) == {"shop/cart": (3, 1)}
    assert rows(traffic, By.PORT) == {("TCP", 80): (3, 1)}


def test_a_connection_let_out_and_not_let_in_is_one_attempt_of_its_client() -> None:
    traffic = Traffic()
    traffic.add([seen(0, event_type={"type": 5}, l4=tcp(SYN=True)), drop(0.01)])
    assert rows(traffic, By.CLIENT) == {"shop/web": (2, 1)}
    assert rows(traffic, By.VERDICT) == {1: (1, 1), 2: (1, 1)}


def test_the_same_ports_after_a_while_are_another_attempt() -> None:
    traffic = Traffic()
    for at in (0, 20, 200):
        traffic.add([drop(at)])
    assert rows(traffic, By.DROP_REASON) == {133: (3, 2)}


def test_rows_know_when_they_began_and_ended_whatever_the_order() -> None:
    traffic = Traffic()
    traffic.add([seen(5), seen(3), seen(9), seen(4)])
    traffic.add([seen(7)])
    (row,) = traffic.rows(By.CLIENT)
    assert (row.first, row.last) == ((T0 + 3) * SECOND, (T0 + 9) * SECOND)


def test_flows_without_a_time_begin_nothing() -> None:
    traffic = Traffic()
    traffic.add([seen(0, time=None), seen(3)])
    (row,) = traffic.rows(By.CLIENT)
    assert (row.events, row.first, row.last) == (2, (T0 + 3) * SECOND, (T0 + 3) * SECOND)
    alone = Traffic()
    alone.add([seen(0, time=None)])
    assert (alone.rows(By.CLIENT)[0].first, alone.rows(By.CLIENT)[0].last) == (0, 0)


def test_a_rate_is_of_what_arrived_lately_and_unknown_without_arrivals() -> None:
    traffic, now = Traffic(), T0 * SECOND
    traffic.add([seen(0)] * 50, now)
    traffic.add([seen(0)] * 20, now + 4 * SECOND)
    assert traffic.rows(By.CLIENT)[0].rate == 7
    assert traffic.rows(By.CLIENT, now + 11 * SECOND)[0].rate == 2
    assert traffic.rows(By.CLIENT, now + 60 * SECOND)[0].rate == 0
    recorded = Traffic()
    recorded.add([seen(0)])
    assert recorded.rows(By.CLIENT)[0].rate is None


def test_what_is_outside_has_its_dns_name_else_its_identity_else_its_address() -> None:
    traffic = Traffic()
    world = {"identity": 2, "labels": ["reserved:world"]}
    traffic.add(
        [
            seen(0, destination=world, destination_names=["api.example.com"]),
            seen(0, destination=world),
            seen(0, destination=None, destination_names=["db.example.com"]),
            seen(0, destination=pod("cart-1"), destination_names=["cart.shop"]),
        ]
    )
    assert set(rows(traffic, By.SERVER)) == {"api.example.com", "world", "db.example.com", "shop/cart"}


def test_what_a_socket_asked_for_is_an_event_and_no_attempt() -> None:
    traffic = Traffic()
    service = {"name": "cart", "namespace": "shop"}
    world = {"identity": 2, "labels": ["reserved:world"]}
    traffic.add(
        [
            seen(0, event_type={"type": 7}, verdict=6, destination=world, destination_service=service),
            seen(0),
        ]
    )
    assert rows(traffic, By.SERVER) == {"shop/cart": (2, 1)}


def test_edges_tell_both_ends_and_what_became_of_it() -> None:
    traffic = Traffic()
    traffic.add([seen(0), drop(1, l4=tcp(40001, SYN=True)), seen(2, source=None, IP=None)])
    (edge,) = traffic.edges()
    assert (edge.client, edge.server, edge.port, edge.attempts) == ("shop/web", "shop/cart", 80, 2)
    assert (edge.events, edge.drop_reasons) == ({1: 1, 2: 1}, (133,))


def test_too_many_rows_are_counted_together_and_said() -> None:
    tally: Tally[int] = Tally(rows=3)
    tally.add([1, 2, 3], [1, 2, 3], [(1,), (2,), (3,)])
    tally.add([3, 4, 5, 3], [4, 5, 6, 7], [(4,), (5,), (6,), (4,)])
    assert {row.key: (row.events, row.attempts) for row in tally.rows()} == {1: (1, 1), 2: (1, 1), 3: (3, 2)}
    assert (tally.overflow, tally.is_exact) == (2, False)


def test_what_is_remembered_of_connections_is_bounded_and_its_end_said() -> None:
    recent = Recent(limit=10)
    for number in range(100):
        recent.fresh([number], SECOND)
    assert len(recent._now) + len(recent._before) <= 21
    assert not recent.is_exact


def test_nothing_is_nothing() -> None:
    traffic = Traffic()
    traffic.add([])
    assert traffic.rows(By.CLIENT) == []
    assert traffic.edges() == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 20)), max_size=60))
def test_batches_count_what_one_by_one_counts(flows: list[tuple[str, int, int]]) -> None:
    whole, single = Tally[str](), Tally[str]()
    keys, connections, times = [[one[i] for one in flows] for i in range(3)]
    whole.add(keys, times, connections)
    for key, connection, time in zip(keys, connections, times, strict=True):
        single.add([key], [time], [connection])
    expected = {
        key: Row(
            key,
            count,
            len({one[1] for one in flows if one[0] == key}),
            min((one[2] for one in flows if one[0] == key and one[2]), default=0),
            max(one[2] for one in flows if one[0] == key),
            None,
        )
        for key, count in Counter(keys).items()
    }
    assert {row.key: row for row in whole.rows()} == {row.key: row for row in single.rows()} == expected
    assert WINDOW > 20
