"""BGP sessions: only what stays down, where BGP is on and the agent has had time to try."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, found, only, outcome
from tests.edited import Edit, command, each, gap, in_look
from tests.service.telling import NOW, instead

PEERS = command("cilium-dbg", "bgp", "peers", "-o", "json")
OTHER = {"peer-address": "192.0.2.2", "peer-asn": 65000, "session-state": "established"}


def switched(value: str) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium-config":
            item["data"]["enable-bgp-control-plane"] = value
        return item

    return each("configmaps", change)


def started(before: timedelta) -> Edit:
    def change(item: Json) -> Json:
        for one in item["status"].get("containerStatuses") or ():
            if one["name"] == "cilium-agent":
                one["state"]["running"]["startedAt"] = _stamp(NOW - before)
        return item

    return each("pods", change)


def _stamp(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def peers(state: str, *more: Json) -> Edit:
    one = {"local-asn": 65001, "peer-asn": 65000, "peer-address": "192.0.2.9", "session-state": state}
    return instead(PEERS, json.dumps([one, *more]))


ON, LONG_AGO = switched("true"), started(timedelta(hours=2))


def test_a_session_that_stays_down_is_told_with_its_peer() -> None:
    one = only("SVC030", ON, LONG_AGO, peers("active"))
    assert one.severity is Severity.WARN
    assert one.summary.raw == "lab-node-1 has no BGP session with 192.0.2.9 (AS 65000): active"
    assert all('session-state "active"' in evidence.excerpt.raw for evidence in one.evidence)


def test_where_another_peer_knows_the_way_it_is_a_note() -> None:
    assert only("SVC030", ON, LONG_AGO, peers("open_sent", OTHER)).severity is Severity.INFO


def test_what_is_up_or_comes_up_or_says_nothing_is_no_fault() -> None:
    comes = (peers("idle"), in_look(1, peers("established")))
    for edits in ((peers("established"),), comes, (peers(""),), (peers("unknown"),)):
        assert found("SVC030", ON, LONG_AGO, *edits) == []


def test_an_agent_that_has_just_started_is_left_to_try() -> None:
    assert found("SVC030", ON, started(timedelta(minutes=5)), peers("idle")) == []


def test_nobody_is_asked_where_bgp_is_off() -> None:
    off = outcome("SVC030", switched("false"), LONG_AGO, peers("idle"))
    assert off.kind is OutcomeKind.NOT_APPLICABLE
    assert outcome("SVC030", gap(PEERS)).kind is OutcomeKind.NOT_APPLICABLE
    assert outcome("SVC030", ON, LONG_AGO, gap(PEERS)).kind is OutcomeKind.COULD_NOT_LOOK
