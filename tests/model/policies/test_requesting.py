"""Requests above ports: which of them rules let pass, and the entry that lets just one of them pass."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from playbooks.engine.reaching.requests import Asked, requests_at, requests_written
from playbooks.model.cilium.agent.realized import PolicyRule
from playbooks.model.cilium.policies import CiliumNetworkPolicy, HttpRule
from playbooks.model.policies import of_cilium
from playbooks.model.policies.requesting import Entry, additions
from playbooks.model.policies.written import Rule, Written
from playbooks.model.text import Text


def policy(*to_ports: dict[str, Any], **peers: Any) -> Written:
    """A policy for cart with one rule."""
    rule = {**peers, "toPorts": to_ports}
    spec = {"endpointSelector": {"matchLabels": {"app": "cart"}}, "ingress": [rule]}
    document = {"metadata": {"name": "cart", "namespace": "shop"}, "spec": spec}
    (written,) = of_cilium.written(msgspec.convert(document, CiliumNetworkPolicy))
    return written


def at_8080(**more: Any) -> dict[str, Any]:
    return {"ports": [{"port": "8080", "protocol": "TCP"}], **more}


def lets(asked: Asked, *http: dict[str, Any]) -> bool | None:
    rules: tuple[Rule, ...] = policy(at_8080(rules={"http": list(http)})).rules
    return requests_written(rules, 8080, "TCP", ()).lets(asked)


def read(entry: Entry) -> Any:
    (one,) = yaml.safe_load("\n".join(entry.lines(6)))
    return one


@pytest.mark.parametrize(
    "asked",
    [
        Asked("GET", "/admin"),
        Asked("POST", "/a.b/(c)+[d]?x=1&y={2}$|^\\*"),
        Asked("GET", '/"\n  evil: true'),
        Asked("GET", "/admin", "shop.example:8080"),
        Asked("GET", "/admin", "", (("X-Role", "admin"), ("X-Trace", ""))),
    ],
)
def test_the_entry_lets_the_request_pass_and_none_like_it(asked: Asked) -> None:
    entry = read(asked.entry)
    assert lets(asked, entry) is True
    others = (
        Asked(f"{asked.method}X", asked.path, asked.host, asked.headers),
        Asked(asked.method, f"{asked.path}/", asked.host, asked.headers),
        Asked(asked.method, asked.path.replace(".", "x").replace("admin", "user"), asked.host, asked.headers),
        *((Asked(asked.method, asked.path, "x", asked.headers),) if asked.host else ()),
        *((Asked(asked.method, asked.path, asked.host, asked.headers[1:]),) if asked.headers else ()),
    )
    assert [lets(other, entry) for other in others if other != asked] == [False] * (
        len(others) - (others[2] == asked)
    )
    assert set(entry) == {
        "method",
        "path",
        *(("host",) if asked.host else ()),
        *(("headers",) if asked.headers else ()),
    }


@pytest.mark.parametrize(
    ("rule", "asked", "passes"),
    [
        ({"path": "/public"}, Asked("GET", "/public?x=1"), False),
        ({"path": "/public.*"}, Asked("GET", "/public?x=1"), True),
        ({"method": "get"}, Asked("GET", "/"), False),
        ({"host": "a.example"}, Asked("GET", "/"), None),
        ({"host": "a.example", "path": "/x"}, Asked("GET", "/"), False),
        ({"headers": ["X-Role: admin"]}, Asked("GET", "/", "", (("x-role", "admin"),)), True),
        ({"headers": ["X-Role:admin"]}, Asked("GET", "/", "", (("X-Role", "admin"),)), False),
        ({"headers": ["X-Role"]}, Asked("GET", "/", "", (("X-Role", "any"),)), True),
        ({"headerMatches": [{"name": "X", "value": "1"}]}, Asked("GET", "/", "", (("X", "2"),)), False),
        (
            {"headerMatches": [{"name": "X", "mismatch": "LOG", "value": "1"}]},
            Asked("GET", "/", "", (("X", "2"),)),
            True,
        ),
        (
            {"headerMatches": [{"name": "X", "secret": {"name": "key"}}]},
            Asked("GET", "/", "", (("X", "2"),)),
            None,
        ),
        ({"headerMatches": [{"name": "X", "secret": {"name": "key"}}]}, Asked("GET", "/"), False),
        ({"path": "/["}, Asked("GET", "/"), None),
    ],
)
def test_a_proxy_reads_rules_so(rule: dict[str, Any], asked: Asked, passes: bool | None) -> None:
    assert lets(asked, rule) is passes


def test_a_rule_that_lists_no_requests_lets_everything_pass_and_one_of_another_kind_tells_nothing() -> None:
    asked = Asked("GET", "/")
    for at, passes in (
        (at_8080(), True),
        (at_8080(rules={"l7proto": "memcache"}), None),
        (at_8080(serverNames=["a.example"]), None),
        (at_8080(listener={"envoyConfig": {"name": "own"}, "name": "tls"}), None),
        (at_8080(rules={"dns": [{"matchPattern": "*"}]}), None),
    ):
        assert requests_written(policy(at).rules, 8080, "TCP", ()).lets(asked) is passes


def test_names_in_tls_are_no_open_port() -> None:
    rule = {
        "port": 8080,
        "protocol": "TCP",
        "l7-rules": [{"all": {"serverNames": {"a.example": {}}}}],
    }
    port = PolicyRule(rule=msgspec.json.encode(rule).decode()).port
    assert port is not None
    found = requests_at([port], {"all": True})
    assert not found.is_open
    assert found.lets(Asked("GET", "/")) is None


def test_a_name_is_looked_up_as_a_whole() -> None:
    entry = read(Asked(dns="api.example.").entry)
    assert entry == {"matchName": "api.example"}
    rules = policy(at_8080(rules={"dns": [entry]})).rules
    found = requests_written(rules, 8080, "TCP", ())
    assert found.lets(Asked(dns="api.example")) is True
    assert found.lets(Asked(dns="api.example.org")) is False


def test_an_addition_names_its_place_and_needs_a_list_of_its_kind() -> None:
    one = policy(
        {"ports": [{"port": "9090"}]},
        at_8080(rules={"http": [{"path": "/a"}, {"path": "/b"}]}),
        at_8080(rules={"http": [{"path": "/c"}]}, serverNames=["a.example"]),
    )
    entry = Asked("GET", "/admin").entry
    (found,) = additions((one,), one.rules, entry, 8080, "TCP", ())
    assert found.shown_diff.split("\n")[:3] == [
        "--- CiliumNetworkPolicy shop/cart",
        "+++ CiliumNetworkPolicy shop/cart",
        "@@ after .spec.ingress[0].toPorts[1].rules.http[1] @@",
    ]
    assert list(additions((one,), one.rules, entry, 9090, "TCP", ())) == []
    assert list(additions((one,), one.rules, Asked(dns="a").entry, 8080, "TCP", ())) == []
    assert list(additions((one,), (), entry, 8080, "TCP", ())) == []


def test_what_a_rule_says_is_told_with_what_it_asks_for() -> None:
    rule = HttpRule("GET", "/x", "h", ("X-Role: admin",))
    found = requests_written(
        policy(at_8080(rules={"http": [msgspec.to_builtins(rule)]})).rules, 8080, "TCP", ()
    )
    assert [Text(one).shown for one in found.said] == ["GET /x host h with X-Role: admin"]
