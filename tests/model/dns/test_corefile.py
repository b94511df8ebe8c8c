"""A Corefile is read as CoreDNS reads it, as far as it can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.model.dns.corefile import Forward, read_corefile

USUAL = """
# The usual one.
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa   # both
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
corp.example:53, other.example:53 {
    forward . 10.1.2.3 tls://10.1.2.4:853
    rewrite name exact "a b" c
}
"""


def test_zones_plugins_and_options() -> None:
    found = read_corefile(USUAL)
    assert found.problem == ""
    assert [zone.names for zone in found.zones] == [(".:53",), ("corp.example:53", "other.example:53")]
    first = found.zones[0]
    assert [plugin.name for plugin in first.plugins][:4] == ["errors", "health", "ready", "kubernetes"]
    kubernetes = first.plugin("kubernetes")
    assert kubernetes is not None
    assert kubernetes.options[1] == ("fallthrough", "in-addr.arpa", "ip6.arpa")
    rewrite = found.zones[1].plugin("rewrite")
    assert rewrite is not None
    assert rewrite.words == ("name", "exact", "a b", "c")
    assert first.plugin("nosuch") is None


def test_who_is_asked_further() -> None:
    found = read_corefile(USUAL)
    assert list(found.forwards) == [
        Forward((".:53",), ".", ("/etc/resolv.conf",)),
        Forward(("corp.example:53", "other.example:53"), ".", ("10.1.2.3", "tls://10.1.2.4:853")),
    ]
    assert found.cluster_domains == ("cluster.local",)


def test_snippets_are_put_in_and_files_are_named() -> None:
    snippet = "(log) {\n  log\n  errors\n}\n"
    zones = ".:53 {\n  import log\n  import custom/*.override\n}\nimport custom/*.server\n"
    found = read_corefile(snippet + zones)
    (zone,) = found.zones
    assert [plugin.name for plugin in zone.plugins] == ["log", "errors"]
    assert found.imports == ("custom/*.override", "custom/*.server")


def test_a_snippet_that_imports_itself_ends() -> None:
    found = read_corefile("(a) {\n  import a\n  log\n}\n. {\n  import a\n}\n")
    assert found.imports == ("a",)


def test_variables_in_braces_are_no_blocks() -> None:
    found = read_corefile(".:{$PORT} {\n  forward . {$UPSTREAM}\n}\n")
    assert found.zones[0].names == (".:{$PORT}",)
    assert next(found.forwards).targets == ("{$UPSTREAM}",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".:53 {\n  log\n", "it ends within a block"),
        ("}\n.:53 {\n  log\n}\n", "line 1 closes a block that was never opened"),
        ("a {\n" * 9, "line 6 opens too many blocks"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, problem: str) -> None:
    assert read_corefile(text).problem == problem


def test_what_stands_before_the_problem_is_kept() -> None:
    found = read_corefile(".:53 {\n  forward . 10.0.0.1\n}\nodd {\n")
    assert len(found.zones) == 1
    assert found.problem


@given(st.text(alphabet=st.sampled_from(' \n{}#"\\()import.:53a$'), max_size=200))
def test_nothing_breaks_the_reader(text: str) -> None:
    found = read_corefile(text)
    assert all(plugin.name for zone in found.zones for plugin in zone.plugins)
    assert list(found.forwards) is not None
