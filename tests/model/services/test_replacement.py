"""What the status tells of kube-proxy replacement, as JSON and as text; and chains of kube-proxy."""

from __future__ import annotations

import json

import pytest

from playbooks.engine.run import Order, Run
from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.proxy_rules import ProxyRules
from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.api_server_address import Environments
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import F
from tests import recorded
from tests.edited import Edit, command, edited, gap
from tests.service.telling import NODE, instead

JSON = command("cilium-dbg", "status", "-o", "json")
TEXT = command("cilium-dbg", "status", "--verbose")
RULES = command("iptables-save")


async def known(kind: type[F], *edits: Edit, node: str = NODE) -> F | Gap:
    return await Run(edited(recorded.source("healthy"), *edits), Order(())).know(kind, node)


async def test_json_and_text_tell_the_same() -> None:
    one, other = await known(Replacement), await known(Replacement, gap(JSON))
    assert isinstance(one, Replacement)
    assert isinstance(other, Replacement)
    assert (one.is_on, one.socket_lb, one.is_host_only) == (True, True, False)
    assert (one.lb_mode, one.algorithm, one.acceleration) == ("SNAT", "Random", "Disabled")
    assert dict(one.features) == dict(other.features)
    assert (one.mode, one.socket_lb, one.is_host_only, one.lb_mode, one.algorithm) == (
        *(other.mode, other.socket_lb, other.is_host_only, other.lb_mode, other.algorithm),
    )


async def test_features_that_are_not_told_are_not_known() -> None:
    told = await known(Replacement, instead(JSON, json.dumps({"kube-proxy-replacement": {"mode": "Strict"}})))
    assert isinstance(told, Replacement)
    assert told.is_on
    assert dict(told.features) == {}
    assert (told.socket_lb, told.is_host_only) == (None, None)


@pytest.mark.parametrize("body", ["{}", "[]", "null", "garbage", '{"kube-proxy-replacement":{"mode":3}}'])
async def test_other_answers_are_no_status(body: str) -> None:
    assert isinstance(await known(Replacement, instead(JSON, body), gap(TEXT)), Gap)


@pytest.mark.parametrize("body", ["Cilium: Ok\n", "KubeProxyReplacement Details:\n  Mode: SNAT\n"])
async def test_a_text_without_details_tells_nothing(body: str) -> None:
    assert isinstance(await known(Replacement, gap(JSON), instead(TEXT, body)), Gap)


async def test_chains_of_the_kubelet_are_not_kube_proxy_s() -> None:
    rules = await known(ProxyRules)
    assert isinstance(rules, ProxyRules)
    assert (rules.chains, rules.example) == (0, "")


async def test_chains_are_counted_over_the_borders_of_chunks() -> None:
    many = "".join(f":KUBE-SVC-{n:016d} - [0:0]\n" for n in range(20_000))
    rules = await known(ProxyRules, instead(RULES, f"*nat\n{many}:KUBE-NODEPORTS - [0:0]\nCOMMIT\n"))
    assert isinstance(rules, ProxyRules)
    assert rules.chains == 20_000
    assert rules.example == f"KUBE-SVC-{0:016d}"


async def test_what_is_no_table_is_not_read() -> None:
    assert isinstance(await known(ProxyRules, instead(RULES, "nothing\n")), Gap)


async def test_the_agent_s_variables_tell_whether_it_knows_the_api_server() -> None:
    environments, installation = await known(Environments, node=""), await known(Installation, node="")
    assert isinstance(environments, Environments)
    assert isinstance(installation, Installation)
    assert environments.told(installation) is True
