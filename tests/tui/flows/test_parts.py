"""What flows in the console are made of: questions, what is kept, what is missing, rows and pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from playbooks.model.finding import Ref
from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from tests.model.hubble.aggregation.test_policies import ONLY_ADMIN, written
from tests.tui.flows.streams import NOW, flow
from tui.flows.question import DROPS, HelpWanted, Question, WrongQuestion, observed, typed
from tui.flows.roll import Remark, Roll
from tui.flows.subjects import flows_of
from tui.flows.tally import Tally
from tui.view.flow_page import FlowPage
from tui.view.flow_row import Rows

EVIL = "[bold]x[/b]\x1b]0;owned\x07\u202egnp.exe\u200b"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("--verdict DORPPED", 'invalid argument "DORPPED"'),
        ("--nonsense 1", "unknown flag: --nonsense"),
        ("--pod", "flag needs an argument: --pod"),
        ("shop/cart", "'shop/cart' is no flag"),
        ("--pod 'shop", "no closing quotation"),
        ("--server relay:80", "belong on the command line"),
        ("-o json", "belong on the command line"),
        ("--first 3", "cannot set both --first and --follow"),
        ("--not", "trailing --not"),
        (EVIL, "is no flag"),
    ],
)
def test_words_that_ask_for_nothing_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(WrongQuestion, match="(?s)" + __import__("re").escape(why)):
        typed(text, NOW)


def test_help_is_a_page() -> None:
    with pytest.raises(HelpWanted) as caught:
        typed("--help", NOW)
    assert "--from-pod" in caught.value.text


def test_a_live_question_follows_from_a_little_history_and_a_recorded_one_has_it_all() -> None:
    live, recorded = (observed(DROPS, NOW, is_live=is_live) for is_live in (True, False))
    assert (live.follow, live.number) == (True, 100)
    assert (recorded.follow, recorded.number) == (False, 0)
    assert observed(typed("--last 7", NOW), NOW, is_live=True).number == 7
    since = observed(typed("--since 5m", NOW), NOW, is_live=True)
    assert since.since is not None
    assert NOW.timestamp() - since.since.seconds == 300
    assert since.number == 0


def test_alternatives_are_asked_for_together_and_one_that_is_open_asks_for_all() -> None:
    both = Question((("--pod", "shop/a"), ("--service", "shop/b")), "")
    assert len(observed(both, NOW, is_live=True).allowlist) == 4
    assert not observed(Question(((), ("--pod", "a")), ""), NOW, is_live=True).allowlist
    assert typed(both.words, NOW).parts == both.parts


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        ([Ref("Pod", "cart-1", "shop", "n")], "--pod shop/cart-1"),
        ([Ref("Endpoint", "cart-1", "shop", "n"), Ref("Node", "n")], "--pod shop/cart-1"),
        ([Ref("Deployment", "cart", "shop")], "--pod shop/cart-"),
        ([Ref("Service", "cart", "shop")], "--service shop/cart"),
        ([Ref("NetworkPolicy", "deny", "shop")], "-n shop --verdict DROPPED --verdict ERROR"),
        ([Ref("Namespace", "shop")], "--namespace shop"),
        ([Ref("Node", "n-1")], "--node-name n-1 --verdict DROPPED --verdict ERROR"),
        ([Ref("Pod", "cilium-x", "kube-system", "n-1")], "--node-name n-1 --verdict DROPPED --verdict ERROR"),
        ([Ref("Endpoint", "1834", "", "n-1")], "--node-name n-1 --verdict DROPPED --verdict ERROR"),
        ([Ref("DaemonSet", "cilium", "kube-system")], DROPS.words),
        ([Ref("ConfigMap", "cilium-config", "kube-system")], DROPS.words),
        ([], DROPS.words),
        ([Ref("Pod", "a b;c", "shop")], "--pod 'shop/a b;c'"),
    ],
)
def test_subjects_become_words_of_hubble_observe(subjects: list[Ref], words: str) -> None:
    question = flows_of(subjects)
    assert question.words == words
    assert observed(question, NOW, is_live=True).allowlist


def test_a_finding_of_thousands_of_pods_asks_for_no_more_than_a_server_likes() -> None:
    question = flows_of(Ref("Pod", f"cart-{number}", "shop") for number in range(3000))
    assert question.name == "of 40 subjects"


def test_the_roll_is_bounded_and_numbers_stay() -> None:
    roll = Roll(count_limit=1000)
    for number in range(0, 5000, 100):
        roll.extend([str(number + at).encode() for at in range(100)])
    assert roll.end == 5000
    assert 1000 >= len(roll) > 700
    assert roll[roll.begin] == str(roll.begin).encode()
    assert roll[4999] == b"4999"
    with pytest.raises(IndexError):
        roll[roll.begin - 1]
    big = Roll(size_limit=10_000)
    big.extend([b"x" * 1000] * 2000)
    assert big.end == 2000
    assert len(big) <= 512


def test_a_node_that_is_back_is_not_missing_any_more() -> None:
    tally = Tally()
    tally.nodes(2, ("node-1", "node-2", "node-3"), "down")
    assert "no word from node-1, node-2 and 1 more" in next(tally.words())
    tally.nodes(1, ("node-1", "node-2"), "")
    tally.nodes(3, ("node-3",), "")
    assert tally.is_clean


@pytest.mark.parametrize("width", [40, 60, 78, 120, 200])
def test_a_row_has_verdict_reason_and_both_ends_at_any_width(width: int) -> None:
    long = {"namespace": "shop", "pod_name": "recommendations-7d9f8b6c5-000ca"}
    text = Rows().line(flow(1, source=long, destination=long), width).text
    assert "✗ DROPPED   Policy denied" in text
    assert " → " in text
    if width >= 78:
        assert ":6379" in text[:width]


def test_a_reply_has_who_asked_at_the_left_and_the_port_of_who_was_asked() -> None:
    ports = {"TCP": {"source_port": 6379, "destination_port": 41000, "flags": {"SYN": True, "ACK": True}}}
    raw = flow(1, is_reply={"value": True}, verdict=flow_pb2.FORWARDED, drop_reason_desc=0, l4=ports)
    text = Rows().line(raw, 200).text
    assert "✓ FORWARDED shop/redis-0 ← shop/cart-1:6379 TCP SYN ACK" in text


def test_a_flow_asks_who_may_call_whom_with_its_own_port_and_request() -> None:
    def command(**more: object) -> str | None:
        question = FlowPage(flow(1, **more)).question
        return question.command() if question else None

    assert command() == "honeyguide why shop/cart-1 shop/redis-0:6379/TCP"
    ports = {"TCP": {"source_port": 6379, "destination_port": 41000}}
    reply = {"is_reply": {"value": True}, "l4": ports}
    assert command(**reply) == "honeyguide why shop/redis-0 shop/cart-1:6379/TCP"
    request = {"type": 1, "http": {"method": "GET", "url": "http://redis/admin?all=1"}}
    assert command(l7=request) == "honeyguide why shop/cart-1 shop/redis-0:6379/TCP --http 'GET /admin'"
    assert command(source={"labels": ["reserved:world"]}) == "honeyguide why 10.0.0.1 shop/redis-0:6379/TCP"
    assert command(source={}, IP={"destination": "10.0.0.2"}) is None


def test_what_is_no_flow_has_rows_too() -> None:
    rows = Rows()
    assert "damaged" in rows.line(b"\xff\xff", 100).text
    assert "empty" in rows.line(b"", 100).text
    assert rows.line(Remark("a hole"), 100).text == "! a hole"
    unknown = observer_pb2.GetFlowsResponse(flow=flow_pb2.Flow(verdict=77, drop_reason_desc=9999, uuid="x"))  # type: ignore[arg-type]
    assert "• 77" in rows.line(unknown.SerializeToString(), 100).text
    assert "reason 9999" in rows.line(unknown.SerializeToString(), 100).text
    assert any("newer than this version" in one.text for one in FlowPage(unknown.SerializeToString()).lines)


def evil() -> bytes:
    end = {"namespace": EVIL, "pod_name": EVIL, "labels": [EVIL], "cluster_name": EVIL}
    policy = flow_pb2.Policy(name=EVIL, namespace=EVIL, kind=EVIL)
    http = {"type": "REQUEST", "http": {"method": EVIL, "url": EVIL, "protocol": EVIL}}
    return flow(
        1,
        source={**end, "workloads": [{"name": EVIL, "kind": EVIL}]},
        destination=end,
        node_name=EVIL,
        uuid=EVIL,
        l7=http,
        source_names=[EVIL],
        source_service={"name": EVIL, "namespace": EVIL},
        ingress_denied_by=[policy],
        Summary=EVIL,
        IP={"source": EVIL, "destination": EVIL},
    )


def test_every_field_of_a_hostile_flow_is_harmless() -> None:
    page = FlowPage(evil())
    shown = "".join(one.text for one in (*page.lines, page.title, Rows().line(evil(), 80)))
    assert "[bold]x[/b]\\e]0;owned\\a\\u202egnp.exe\\u200b" in shown
    assert not set(shown) & {"\x1b", "\x07", "\u202e", "\u200b", "\n"}
    assert all(copy.refusal for copy in page.copies() if "hubble" in copy.name or copy.name == "this flow")
    assert "$ hubble observe --from-pod" not in shown


def test_policies_that_hubble_does_not_name_are_found_and_marked_as_ours() -> None:
    raw = flow(1, destination={"namespace": "shop", "pod_name": "cart-9", "labels": cart()})
    page = "\n".join(one.text for one in FlowPage(raw, written=written(("cart", ONLY_ADMIN))).lines)
    assert "Hubble names none. By the policies as they are written now: not admitted" in page
    assert "CiliumNetworkPolicy shop/cart" in page


def cart() -> list[str]:
    return ["k8s:app=cart", "k8s:io.kubernetes.pod.namespace=shop"]


@pytest.mark.parametrize("nanoseconds", [-1, 2**62, 10**18 * 9])
def test_a_time_that_is_none_breaks_nothing(nanoseconds: int) -> None:
    response = observer_pb2.GetFlowsResponse(flow=flow_pb2.Flow(uuid="x"))
    response.flow.time.seconds = nanoseconds
    raw = response.SerializeToString()
    assert Rows().line(raw, 80).text
    assert FlowPage(raw).lines


def test_times_are_of_the_cluster() -> None:
    assert datetime.fromtimestamp(NOW.timestamp(), UTC).hour == 12
    assert Rows().line(flow(3), 120).text.startswith("12:00:03.000 ")
