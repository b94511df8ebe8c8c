"""What filters mean where the corpus does not tell: the rules of a Hubble server, one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf import json_format

from playbooks.model.hubble.filters.asked import Observe
from playbooks.model.hubble.filters.checks_l7 import path_of
from playbooks.model.hubble.filters.labels import any_holds, selector
from playbooks.model.hubble.filters.matching import FilterRefused, Matcher, matching
from playbooks.model.hubble.filters.observing import observe
from playbooks.model.hubble.filters.selection import selected
from playbooks.model.hubble.filters.wording import WrongValue
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def matcher(*argv: str) -> Matcher:
    found = observe(argv, NOW)
    assert isinstance(found, Observe), found
    return matching(found.allowlist, found.denylist)


def flow(**fields: object) -> flow_pb2.Flow:
    return json_format.ParseDict(fields, flow_pb2.Flow())


def passes(argv: str, **fields: object) -> bool:
    return matcher(*argv.split()).flow(flow(**fields))


@pytest.mark.parametrize(
    ("argv", "namespace", "name", "is_kept"),
    [
        ("--from-pod shop/cart", "shop", "cart-1", True),
        ("--from-pod shop/cart", "shop", "mycart", False),
        ("--from-pod shop/", "shop", "", True),
        ("--from-pod cart", "default", "cart-1", True),
        ("--from-pod cart", "shop", "cart-1", False),
        ("--from-pod /cart", "shop", "cart-1", True),
        ("--from-all-namespaces", "", "lonely", True),
        ("--from-all-namespaces", "", "", False),
    ],
)
def test_pods_match_by_namespace_and_start_of_name(
    argv: str, namespace: str, name: str, is_kept: bool
) -> None:
    assert passes(argv, source={"namespace": namespace, "pod_name": name}) is is_kept


def test_a_namespace_without_a_name_is_put_before_pods_and_services() -> None:
    found = observe(["--from-service", "api", "--from-namespace", "a", "--from-namespace", "b"], NOW)
    assert isinstance(found, Observe)
    assert list(found.allowlist[0].source_service) == ["a/api", "b/api"]
    assert not found.allowlist[0].source_pod


@pytest.mark.parametrize(
    ("argv", "source", "is_kept"),
    [
        ("--from-ip 10.0.0.0/8", "10.1.2.3", True),
        ("--from-ip 10.0.0.1/8", "10.1.2.3", True),
        ("--from-ip 0.0.0.0/0", "::1", False),
        ("--from-ip fe80::/10", "fe80::1", True),
        ("--from-ip fe80::/10", "fe80::1%eth0", False),
        ("--from-ip ::1", "0:0::1", False),
        ("--from-ip 10.0.0.0/8", "no address", False),
        ("--from-ip 10.0.0.0/8", "", False),
    ],
)
def test_addresses_match_as_written_and_prefixes_by_what_they_hold(
    argv: str, source: str, is_kept: bool
) -> None:
    assert passes(argv, IP={"source": source}) is is_kept


@pytest.mark.parametrize(
    ("text", "labels", "is_kept"),
    [
        ("app", ["k8s:app=cart"], True),
        ("k8s:app=cart", ["k8s:app=cart"], True),
        ("reserved:app=cart", ["k8s:app=cart"], False),
        ("app==cart", ["app=cart"], True),
        ("app!=cart", ["k8s:app=cart"], False),
        ("app!=cart", [], True),
        ("app notin (cart, redis)", ["k8s:app=api"], True),
        ("app in (,cart)", ["k8s:app"], True),
        ("app=", ["k8s:app="], True),
        ("!app,tier", ["k8s:tier=a"], True),
        ("size>3", ["k8s:size=10"], True),
        ("size<3", ["k8s:size=10"], False),
        ("size>3", ["k8s:size=much"], False),
        ("topology.kubernetes.io/zone=a", ["topology.kubernetes.io/zone=a"], True),
        ("world", ["reserved.world"], True),
        ("reserved:world", ["$world"], True),
        ("", [], True),
        ("in in (a)", ["k8s:in=a"], True),
    ],
)
def test_selectors_pick_by_labels(text: str, labels: list[str], is_kept: bool) -> None:
    assert any_holds([selector(text)], labels) is is_kept


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a, ", 'Invalid value: "any."'),
        ("a in b", "found 'b' expected: '('"),
        ("a in ()", "values set can't be empty"),
        ("a in (b", "found '', expected: ',' or ')'"),
        ("a=(", "found '(', expected: identifier"),
        ("a>b", "an integer"),
        ("a=" + "b" * 64, "no more than 63 characters"),
        ("a=-b", "a valid label must be an empty string or consist of"),
        ("A_/b", "prefix part must be a valid DNS name"),
        ("b" * 64, "no more than 63 characters"),
        ("!", "Invalid value"),
    ],
)
def test_a_selector_that_cannot_be_read_is_told(text: str, told: str) -> None:
    with pytest.raises(WrongValue) as wrong:
        selector(text)
    assert told in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/a/b?c=d#e", "/a/b"),
        ("/a%20b", "/a b"),
        ("/%zz", None),
        ("/%ff", "\ufffd".join(["/", ""])),
        ("http://host:80/x", "/x"),
        ("http://user:pw@host", ""),
        ("http://[::1]:80/x", "/x"),
        ("http://host:port/x", None),
        ("http://ho st/x", None),
        ("mailto:a@b", ""),
        ("*", "*"),
        ("relative", None),
        ("/new\nline", None),
        ("", None),
    ],
)
def test_the_path_of_a_target(url: str, path: str | None) -> None:
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("argv", "fields", "is_kept"),
    [
        ('--allowlist {"reply":[false]}', {"verdict": "DROPPED"}, True),
        ('--allowlist {"reply":[false]}', {"verdict": "FORWARDED"}, False),
        ('--allowlist {"reply":[true]}', {"verdict": "FORWARDED", "is_reply": True}, True),
        ("--http-method get", {"l7": {"http": {"method": "GET"}}}, True),
        ("--http-status 5+", {"l7": {"http": {"code": 0}}}, False),
        ("--http-header X:", {"l7": {"http": {"headers": [{"key": "X", "value": "y"}]}}}, True),
        ("--tcp-flags SYN", {"l4": {"TCP": {"flags": {"SYN": True, "ACK": True}}}}, True),
        ("--tcp-flags SYN", {"l4": {"TCP": {}}}, False),
        ("--port 53", {"l4": {"ICMPv4": {}}}, False),
        ("--port 53", {"l4": {"SCTP": {"destination_port": 53}}}, True),
        ("--identity 0", {}, False),
        ("--identity 0", {"source": {}}, True),
        ("--workload Deployment/", {"source": {"workloads": [{"kind": "Deployment", "name": "x"}]}}, True),
        ("--node-name node-1", {"node_name": "node-1"}, True),
        ("--node-name default/", {"node_name": "node-1"}, True),
        ("--node-name NODE-1.", {"node_name": "eu/node-1"}, True),
        ("--node-name node-1", {}, False),
        ("--to-fqdn *.a.com", {"destination_names": ["x", "b.a.com"]}, True),
        ("--to-fqdn a.com", {"destination_names": ["xa.com"]}, False),
        ("-t 0", {"event_type": {"type": 9}}, True),
        ("-t 0", {}, False),
        ("-t trace:to-endpoint", {"event_type": {"type": 4}}, True),
        ("--drop-reason-desc POLICY_DENIED", {"drop_reason_desc": "POLICY_DENIED"}, False),
        ("--protocol kafka", {"l7": {"kafka": {}}}, True),
        ("--unencrypted", {}, True),
    ],
)
def test_a_server_rule(argv: str, fields: dict[str, object], is_kept: bool) -> None:
    assert passes(argv, **fields) is is_kept


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (
            ["--http-status", "200", "-t", "drop"],
            "filtering by http status code requires the event type filter",
        ),
        (
            ["--http-url", "[z-a]"],
            "invalid http url filter: [z-a]: error parsing regexp: invalid character class",
        ),
        (
            ["--allowlist", '{"dns_query":["*"]}'],
            "invalid DNS query filter: failed to compile regexp: error parsing",
        ),
        (["--pod", ""], 'invalid filter, must be [namespace/][<name>], got ""'),
        (["--service", ""], "invalid source service filter: invalid filter"),
        (["--cluster", ""], "invalid filter, name must not be empty"),
        (["--fqdn", ""], "empty pattern"),
        (["--fqdn", "a.."], "multiple trailing dots in pattern"),
        (["--node-name", "a/b/c"], "too many slashes in pattern"),
        (["--ip", "10.0.0.0/x"], 'bad bits after slash: "x"'),
        (["--cel-expression", "_flow.is_reply"], 'got "wrapper(bool)", wanted "bool" result type'),
        (["--cel-expression", "[1]"], 'got "list(int)", wanted "bool" result type'),
        (["--cel-expression", " " * 4097], "exceeds limit"),
        (["--cel-expression", "_flow.nope == 1"], "undefined field 'nope'"),
    ],
)
def test_a_filter_that_no_server_takes_is_refused(argv: list[str], told: str) -> None:
    with pytest.raises(FilterRefused) as wrong:
        matcher(*argv)
    assert told in str(wrong.value)


@pytest.mark.parametrize(
    ("expression", "is_kept"),
    [
        ("_flow.source.labels.exists(l, l.startsWith('k8s:app='))", True),
        ("_flow.l4.TCP.destination_port == 80u", True),
        ("Verdict.DROPPED == _flow.verdict // with a comment", True),
        ("has(_flow.l7)", False),
        ("1/0 == 1", False),
        ("_flow.source_names[0] == 'x'", False),
        ("[1,2,3,4,5,6,7,8].all(a,[1,2,3,4,5,6,7,8].all(b,[1,2,3,4,5,6,7,8].all(c,[1,2,3,4,5,6,7,8].all(d,"
         "[1,2,3,4,5,6,7,8].all(e,true)))))", False),
    ],
)  # fmt: skip
def test_an_expression_is_evaluated_over_the_flow(expression: str, is_kept: bool) -> None:
    dropped = flow(verdict="DROPPED", source={"labels": ["k8s:app=x"]}, l4={"TCP": {"destination_port": 80}})
    assert matcher("--cel-expression", expression).flow(dropped) is is_kept


@pytest.mark.parametrize(
    ("argv", "is_kept"),
    [
        ("", True),
        ("--verdict DROPPED", False),
        ("--not --verdict DROPPED", True),
        ("--verdict VERDICT_UNKNOWN", False),
        ("--ip-version none", False),
        ("--unencrypted", True),
        ("-l !app", True),
        ("--not --unencrypted", False),
    ],
)
def test_events_that_are_no_flows_pass_where_nothing_is_asked_of_a_flow(argv: str, is_kept: bool) -> None:
    lost = observer_pb2.ExportEvent(lost_events=flow_pb2.LostEvent(num_events_lost=1))
    assert matcher(*argv.split()).event(lost) is is_kept


def test_too_many_last_events_are_refused() -> None:
    found = observe(["--last", "1000001"], NOW)
    assert isinstance(found, Observe)
    with pytest.raises(FilterRefused, match="--last must be <= 1_000_000"):
        selected(found.request(), ())


def test_the_first_events_are_given_before_the_rest_is_read() -> None:
    found = observe(["--first", "1"], NOW)
    assert isinstance(found, Observe)

    def arriving() -> object:
        yield observer_pb2.ExportEvent(node_name="a")
        raise AssertionError("read on")

    assert [event.node_name for event in selected(found.request(), arriving())] == ["a"]
