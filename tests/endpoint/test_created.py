"""Pods that hang in ContainerCreating: what the CNI plug-in says, and whose turn it is."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.answer import GapKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from playbooks.practice import agents as practice_agents
from tests.agent.judged import Json, excerpts, found, only, outcome, run
from tests.edited import Edit, added, each, edited, gap, of
from tests.endpoint.waiting import NAMESPACE, NODE, POD, event, refused, waits
from tests.recorded import source

TIMEOUT = "Unable to create endpoint: Cilium API client timeout exceeded"
NO_PLUGIN = 'failed to find plugin "cilium-cni" in path [/opt/cni/bin]'
LIMITED = "unable to create endpoint: [PUT /endpoint/{id}][429] putEndpointIdTooManyRequests"
CREATED = ("AGT035", "END003", "END005", "END006", "END007", "END008")


def verbatim() -> list[tuple[str, str]]:
    rules = [catalogue().rule(name) for name in CREATED if name != "AGT035"]
    return [(rule.id, case.lines[0]) for rule in rules if rule for case in rule.cases if case.lines]


def test_an_agent_that_answers_too_late_is_named_with_the_pods() -> None:
    one = only("END006", *refused(TIMEOUT))
    assert one.severity is Severity.ERROR
    assert one.subject.name.startswith("cilium-")
    assert f"{NAMESPACE}/{POD} waits" in one.summary.raw
    assert TIMEOUT in excerpts(one)
    assert len(one.alternatives) == 3


def test_a_node_without_the_plug_in_is_told() -> None:
    one = only("END007", *refused(NO_PLUGIN))
    assert one.subject == Ref("Node", NODE, node=NODE)
    assert found("END007", *refused('failed to find plugin "portmap" in path [/opt/cni/bin]')) == []


def test_any_other_words_are_the_stated_cause() -> None:
    one = only("END008", *refused(LIMITED))
    assert one.subject == Ref("Pod", POD, NAMESPACE, NODE)
    assert one.stated_cause == LIMITED
    assert one.first_seen is not None
    assert one.fixes


@pytest.mark.parametrize(
    ("words", "id"),
    [
        (practice_agents.CNI_WITHOUT_AGENT, "AGT035"),
        (TIMEOUT, "END006"),
        (
            "Unable to create endpoint: Put http:///v1/endpoint/cilium-local:0: context deadline exceeded",
            "END006",
        ),
        (NO_PLUGIN, "END007"),
        (LIMITED, "END008"),
        ("unable to create endpoint: failed to add IPs [10.0.0.1] to the list", "END008"),
    ],
)
def test_each_failure_is_told_by_one_rule(words: str, id: str) -> None:
    edits = refused(words)
    if id == "AGT035":
        edits = (*edits, each("pods", agent_restarted))
    snapshot = run(edited(source("healthy"), *edits), *CREATED)
    assert [one.rule.id for one in snapshot.every()] == [id]


def agent_restarted(item: Json) -> Json:
    """The agent became ready long before the plug-in failed."""
    for condition in item["status"].get("conditions") or ():
        if item["metadata"]["name"].startswith("cilium-zh") and condition["type"] == "Ready":
            condition["lastTransitionTime"] = "2026-11-23T01:20:00Z"
    return item


@pytest.mark.parametrize(("id", "line"), verbatim())
def test_the_event_of_a_pod_that_runs_by_now_is_no_fault(id: str, line: str) -> None:
    assert found(id, added("events", event(line))) == []


@pytest.mark.parametrize("words", [TIMEOUT, NO_PLUGIN, LIMITED])
def test_one_failure_or_an_old_one_is_no_fault(words: str) -> None:
    for edits in (refused(words, count=1), refused(words, last="2026-11-23T01:20:00Z")):
        assert list(run(edited(source("healthy"), *edits), *CREATED).every()) == []


def test_the_words_of_another_plug_in_are_not_judged() -> None:
    said = event('plugin type="calico" failed (add): error getting ClusterInformation', before="")
    assert found("END008", each("pods", waits), added("events", said)) == []


@pytest.mark.parametrize("edit", [gap(of("events")), gap(of("pods"), GapKind.FORBIDDEN)])
def test_without_events_or_pods_nothing_is_found(edit: Edit) -> None:
    for rule in ("END006", "END007", "END008"):
        assert found(rule, *refused(TIMEOUT), edit) == []
        assert outcome(rule, *refused(TIMEOUT), edit).kind is OutcomeKind.COULD_NOT_LOOK


def test_combined_and_older_events_are_read_too() -> None:
    for before in (
        "(combined from similar events): Failed to create pod sandbox: rpc error: code = Unknown desc = ",
        "Failed create pod sandbox: rpc error: code = Unknown desc = NetworkPlugin cni failed to set up pod "
        '"redis_shop" network: ',
    ):
        one = only("END008", each("pods", waits), added("events", event(LIMITED, before=before)))
        assert one.stated_cause.endswith(LIMITED)
