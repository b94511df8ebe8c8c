"""`honeyguide why` and `honeyguide expect`, on recordings where it is known what worked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from playbooks.practice.source import WorldSource
from tests.practice.worlds import seen
from tests.tui.command import recording
from tests.tui.conftest import Here
from tui.commands import why
from tui.commands.options import Options

HEALTHY = recording("healthy")
WRONG_LABEL = recording("01")
REDIS = "shop/redis:6379"


@pytest.mark.parametrize(
    ("cluster", "words", "code", "said"),
    [
        (HEALTHY, ("shop/cart-client", REDIS), 0, "admitted"),
        (WRONG_LABEL, ("shop/cart-client", REDIS), 1, "not admitted"),
        (HEALTHY, ("monitoring/prober", "shop/checkout:9090"), 1, "denied"),
        (
            HEALTHY,
            ("shop/checkout-client", "kube-system/kube-dns:53/UDP", "--dns", "a.example"),
            0,
            "admitted",
        ),
        (recording("18"), ("shop/cart-client", "default/legacy:8080"), 4, "cannot tell"),
    ],
)
def test_the_exit_code_and_the_first_line_say_it(
    here: Here, cluster: str, words: tuple[str, ...], code: int, said: str
) -> None:
    ran = here("why", "--input", cluster, *words)
    assert ran.returncode == code, ran.stderr
    assert f" {said}: " in ran.stdout.splitlines()[0]


def test_what_was_seen_what_policies_say_and_what_is_unknown_stand_apart_in_this_order(here: Here) -> None:
    told = here("why", "--input", WRONG_LABEL, "shop/cart-client", REDIS).stdout
    parts = (
        "What was seen",
        "What the policies say now",
        "What could not be checked",
        "What would admit it",
    )
    assert sorted(parts, key=told.index) == list(parts)
    assert "CiliumNetworkPolicy shop/redis-ingress" in told
    assert "2 attempts refused" in told


def test_what_would_admit_it_is_drafted_into_the_policy_that_should_hold_it(here: Here) -> None:
    told = here("why", "--input", WRONG_LABEL, "shop/cart-client", REDIS).stdout
    assert "into the manifest of CiliumNetworkPolicy shop/redis-ingress" in told
    assert '+            "app": "cart-client"' in told
    assert "it opens nothing else" in told


def test_where_only_the_map_lacks_the_entry_no_rule_is_drafted(here: Here) -> None:
    told = here("why", "--input", recording("09"), "shop/cart-client", REDIS)
    assert told.returncode == 1
    assert "it may be out of step" in told.stdout
    assert "What would admit it" not in told.stdout


def test_a_program_gets_the_same(here: Here) -> None:
    told = json.loads(here("why", "--input", WRONG_LABEL, "shop/cart-client", REDIS, "-o", "json").stdout)
    assert told["schema"] == "honeyguide.why/1"
    assert told["said"] == "not admitted"
    assert told["pairs"][0]["ingress"]["default_deny"] == ["CiliumNetworkPolicy shop/redis-ingress"]
    assert told["drafts"][0]["policy"] == "CiliumNetworkPolicy shop/redis-ingress"


@pytest.fixture
def practised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the command asks is answered by a healthy practice cluster."""

    def over_world(_: Options, judge: Callable[[WorldSource], Coroutine[None, None, int]]) -> int:
        return asyncio.run(judge(WorldSource(seen())))

    monkeypatch.setattr(why, "over_source", over_world)


@pytest.mark.usefixtures("practised")
def test_a_request_that_a_proxy_refuses_is_drafted_as_a_diff_and_as_a_policy(here: Here) -> None:
    words = ("why", "shop/frontend-client", "default/legacy:80", "--http", "delete /a.b")
    told = here(*words, "--header", "X-Role: admin")
    assert told.returncode == 1, told.stderr
    assert "lets no such request pass: it answers 403" in told.stdout
    diff, _, alone = told.stdout.partition("or, for just this peer, as a policy of its own:")
    assert "@@ after .spec.ingress[0].toPorts[0].rules.http[0] @@" in diff
    assert '+                path: "/a\\\\.b"' in diff
    assert '+                headers: ["X-Role: admin"]' in diff
    assert "it also admits entity cluster" in diff
    assert "kind: CiliumNetworkPolicy" in alone
    assert "it opens nothing else" in alone
    (draft,) = json.loads(here(*words, "-o", "json").stdout)["drafts"]
    assert draft["also_admits"] == ["entity cluster"]
    assert draft["alone"] == {"also_admits": [], "also_opens": [], "newly_denies": []}
    assert 'method: "DELETE"' in draft["manifest"]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("shop/chekout", REDIS), "did you mean shop/checkout"),
        (("shop/cart-client", "shop/redis:99999"), "is no port"),
        (("shop/cart-client", REDIS, "--http", "nonsense"), "GET /path"),
    ],
)
def test_what_names_nothing_says_what_would(here: Here, words: tuple[str, ...], remedy: str) -> None:
    ran = here("why", "--input", HEALTHY, *words)
    assert ran.returncode == 2
    assert remedy in ran.stderr


ROWS = """
calls:
  - {from: shop/cart-client, to: "shop/redis:6379", expect: allowed}
  - {from: default/intruder, to: shop/redis, port: 6379, expect: refused}
  - {from: shop/checkout-client, to: "api.payments.example:443", expect: allowed}
  - {from: monitoring/prober, to: "shop/checkout:9090", expect: refused}
"""


def test_a_table_that_holds_ends_with_0_and_one_that_does_not_names_the_row(
    here: Here, tmp_path: Path
) -> None:
    table = tmp_path / "calls.yaml"
    table.write_text(ROWS)
    assert here("expect", "--input", HEALTHY, str(table)).returncode == 0
    broken = here("expect", "--input", WRONG_LABEL, str(table))
    assert broken.returncode == 1
    assert "shop/cart-client -> shop/redis:6379: expected allowed, is not admitted" in broken.stdout
    assert "3 of 4 rows hold, 1 differ" in broken.stdout


def test_what_cannot_be_told_is_no_row_that_holds(here: Here, tmp_path: Path) -> None:
    table = tmp_path / "calls.yaml"
    table.write_text('- {from: shop/cart-client, to: "default/legacy:8080", expect: refused}\n')
    ran = here("expect", "--input", recording("18"), str(table))
    assert ran.returncode == 4
    assert "1 cannot be told" in ran.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no table"),
        ("calls: [{from: a, to: b}]", "row 1 lacks"),
        ("calls: [{from: a, to: b, expect: perhaps}]", "expect is allowed or refused"),
        ("calls: [{from: a, to: b, expect: allowed, prot: 80}]", "which nobody reads"),
        ("{", "is no YAML"),
    ],
)
def test_a_table_that_cannot_be_read_names_the_row(here: Here, tmp_path: Path, text: str, told: str) -> None:
    table = tmp_path / "calls.yaml"
    table.write_text(text)
    ran = here("expect", "--input", HEALTHY, str(table))
    assert ran.returncode == 2
    assert told in ran.stderr


def test_a_check_about_something_says_what_it_took_it_for(here: Here) -> None:
    ran = here("check", "service", "--to", "shop/cart:80", "--input", HEALTHY, "--looks", "1")
    assert "about Service shop/cart, 2 backends" in ran.stdout


def test_a_check_about_nothing_is_no_success(here: Here) -> None:
    ran = here("check", "service", "--to", "shop/crat", "--input", HEALTHY, "--looks", "1")
    assert ran.returncode == 2
    assert "did you mean shop/cart" in ran.stderr
