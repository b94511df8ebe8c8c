"""Agents that end again and again, and what they end of."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.answer import GapKind
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from tests import recorded
from tests.agent.judged import Json, config, excerpts, found, only, outcome, run
from tests.agent.kept import AGENT, FATAL, NODE, container, event, running, stamp, terminated, waiting
from tests.edited import answered, each, edited, gap, log, log_lines, of

CONFIG = Ref("ConfigMap", "cilium-config", "kube-system")
CRASHING = container(last=terminated(255))
DOWN = Condition(ConditionKind.AGENT_DOWN, NODE)


def test_the_refused_value_is_the_root_and_the_crash_loop_its_symptom() -> None:
    roots = run(recorded.source("05")).roots
    assert [one.rule.id for one in roots] == ["AGT001"]
    assert roots[0].finding.subject == CONFIG
    assert "tunnel-protocol: vxlann" in roots[0].finding.summary.shown
    assert 'invalid tunnel protocol \\"vxlann\\"' in excerpts(roots[0])
    assert "AGT002" in [one.rule.id for one in roots[0].symptoms]


def test_the_fix_names_the_value_that_was_meant_and_saves_the_log_first() -> None:
    (fix,) = only("AGT001", cluster="05").fixes
    assert "vxlan" in fix.title.shown
    assert fix.steps[0].is_capture
    assert any('{"tunnel-protocol": "vxlan"}' in step.command.raw for step in fix.steps if step.command)


def test_a_value_that_is_sound_by_now_is_not_blamed() -> None:
    assert found("AGT001", config(tunnel_protocol="vxlan"), cluster="05") == []
    (loop,) = found("AGT002", config(tunnel_protocol="vxlan"), cluster="05")
    assert loop.subject.kind == "Pod"


def test_it_is_known_from_the_termination_message_alone() -> None:
    one = only("AGT001", gap(log("cilium-agent")), cluster="05")
    assert one.evidence[0].way == "termination message"


def test_without_any_words_it_is_not_known() -> None:
    silent = container(last=terminated(255), start="cilium-c")
    assert (
        outcome("AGT001", silent, gap(log("cilium-agent")), cluster="05").kind is OutcomeKind.COULD_NOT_LOOK
    )
    assert found("AGT001", silent, gap(log("cilium-agent")), cluster="05") == []


def test_between_two_crashes_it_is_the_same() -> None:
    edits = (
        container(state=running(seconds=1), last=terminated(255), restarts=3),
        log_lines(FATAL.format('invalid routing mode \\"tunel\\"'), previous=True),
        config(routing_mode="tunel"),
    )
    assert only("AGT001", *edits).subject == CONFIG
    assert only("AGT002", *edits).severity is Severity.ERROR


def test_who_wrote_the_value_is_named() -> None:
    def written(item: Json) -> Json:
        fields = {"f:data": {"f:tunnel-protocol": {}}}
        entry = {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": stamp(minutes=9),
            "fieldsV1": fields,
        }
        item["metadata"]["managedFields"] = [entry]
        item["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
        return item

    one = only("AGT001", each("configmaps", written), cluster="05")
    assert "kubectl-edit" in one.changes[0].shown
    assert one.owner.shown == "Helm"


@pytest.mark.parametrize(
    ("said", "keys", "named"),
    [
        ('Invalid datapath mode" datapathMode="vethh', {"datapath-mode": "vethh"}, "datapath-mode: vethh"),
        (
            'option enable-ipv4: strconv.ParseBool: parsing \\"ture\\": invalid syntax',
            {"enable-ipv4": "ture"},
            "ture",
        ),
        (
            "--max-connected-clusters=300 is invalid",
            {"max-connected-clusters": "300"},
            "max-connected-clusters",
        ),
        ("invalid value for kube-proxy-replacement", {"kube-proxy-replacement": "strikt"}, "strikt"),
    ],
)
def test_other_values_are_refused_in_other_words(said: str, keys: dict[str, str], named: str) -> None:
    edits = (CRASHING, log_lines(f'level=fatal msg="{said}"'), config(**keys))
    assert named in only("AGT001", *edits).summary.shown


@pytest.mark.parametrize(
    "said",
    [
        "failed to start: daemon creation failed: required IPv4 PodCIDR not available",
        "Unable to contact k8s api-server: dial tcp 10.96.0.1:443: i/o timeout",
        "failed to load BTF spec: invalid argument",
        'invalid tunnel protocol \\"geneva\\"',
    ],
)
def test_a_fatal_line_about_something_else_blames_no_value(said: str) -> None:
    edits = (CRASHING, log_lines(f'level=fatal msg="{said}"'))
    assert found("AGT001", *edits) == []
    assert only("AGT002", *edits).severity is Severity.ERROR


OPERATOR_SAID = (
    b'level=fatal msg="Unable to init cluster-pool allocator" error="invalid CIDR address: 10.244.0.0/33"'
)


def test_what_the_run_echoed_and_is_other_now_is_not_blamed() -> None:
    echo = log_lines(
        "level=info msg=\"  --routing-mode='tunel'\"", FATAL.format("invalid value for routing-mode")
    )
    assert found("AGT001", CRASHING, echo) == []
    assert only("AGT001", CRASHING, echo, config(routing_mode="tunel")).subject == CONFIG


def test_the_operator_is_refused_too() -> None:
    edits = (
        container(last=terminated(1), name="cilium-operator", start="cilium-operator"),
        answered(log("cilium-operator"), OPERATOR_SAID),
        config(**{"cluster-pool-ipv4-cidr": "10.244.0.0/33"}),
    )
    roots = run(edited(recorded.source("healthy"), *edits), "AGT001", "AGT021", "AGT022").roots
    assert [one.rule.id for one in roots] == ["AGT001"]
    assert {one.rule.id for one in roots[0].symptoms} >= {"AGT021"}


def test_a_crash_loop_quotes_the_line_and_the_state() -> None:
    one = only("AGT002", CRASHING, log_lines(FATAL.format("netkit devices need kernel 6.7.0")))
    assert one.subject == Ref("Pod", AGENT, "kube-system", NODE)
    assert one.asserts == (DOWN,)
    assert "netkit devices need kernel 6.7.0" in one.stated_cause
    assert "exitCode 255" in excerpts(one)
    assert "restartCount 5" in excerpts(one)


def test_a_single_end_of_an_agent_that_starts_again_is_a_warning() -> None:
    edits = (
        container(state=running(seconds=5), last=terminated(1), restarts=1),
        log_lines("bye", previous=True),
    )
    assert only("AGT002", *edits).severity is Severity.WARN


def test_healthy_agents_do_not_crash() -> None:
    for rule in ("AGT001", "AGT002", "AGT003", "AGT004", "AGT005"):
        assert found(rule) == []
        assert outcome(rule).is_judged


def test_a_kill_for_memory_is_named_as_such() -> None:
    one = only("AGT003", container(last=terminated(137, "OOMKilled")))
    assert (one.severity, one.asserts) == (Severity.ERROR, (DOWN,))
    assert "OOMKilled" in excerpts(one)
    assert found("AGT002", container(last=terminated(137, "OOMKilled"))) == []


@pytest.mark.parametrize(("hours", "severity"), [(2, Severity.WARN), (48, Severity.INFO)])
def test_a_kill_for_memory_that_is_over_counts_less(hours: int, severity: Severity) -> None:
    end = terminated(137, "OOMKilled", hours=hours)
    one = only("AGT003", container(state=running(minutes=9), last=end, restarts=1, ready=True))
    assert (one.severity, one.asserts) == (severity, ())


PROBE = event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503")
STARTUP = event("Unhealthy", catalogue().rule("AGT004").cases[0].lines[0])  # type: ignore[union-attr]


@pytest.mark.parametrize("probe", [PROBE, STARTUP], ids=["liveness", "startup"])
def test_a_probe_that_ended_the_agent_is_named(probe: object) -> None:
    killed = container(last=terminated(137))
    one = only("AGT004", killed, probe)  # type: ignore[arg-type]
    assert one.severity is Severity.ERROR
    assert DOWN in one.asserts
    # The crash loop is seen without the events too: it hangs below, so that fewer rights add no finding.
    (root,) = run(edited(recorded.source("healthy"), killed, probe), "AGT002", "AGT004").roots  # type: ignore[arg-type]
    assert (root.rule.id, [symptom.rule.id for symptom in root.symptoms]) == ("AGT004", ["AGT002"])


def test_a_restart_by_a_probe_hangs_below_the_probe() -> None:
    again = container(
        state=running(minutes=1), last=terminated(137, minutes=1), restarts=4, ready=True, since=stamp(days=1)
    )
    event_of_probe = event("Unhealthy", "Liveness probe failed: 503", lastTimestamp=stamp(minutes=1))
    (root,) = run(edited(recorded.source("healthy"), again, event_of_probe), "AGT004", "AGT005").roots
    assert (root.rule.id, [symptom.rule.id for symptom in root.symptoms]) == ("AGT004", ["AGT005"])
    without_events = gap(of("events"))
    assert len(found("AGT005", again, event_of_probe, without_events)) == 1


def test_a_probe_that_failed_while_the_agent_ended_itself_is_not_blamed() -> None:
    edits = (container(last=terminated(255)), log_lines(FATAL.format("no")), PROBE)
    assert found("AGT004", *edits) == []
    assert len(found("AGT002", *edits)) == 1


def test_a_startup_probe_fails_at_every_start() -> None:
    short = {**terminated(137), "startedAt": stamp(seconds=50)}
    assert found("AGT004", container(last=short), STARTUP) == []


def test_events_of_the_pod_before_are_left_alone() -> None:
    old = event("Unhealthy", "Liveness probe failed: 503", involved={"uid": "another"})
    assert found("AGT004", container(last=terminated(137)), old) == []


@pytest.mark.parametrize(
    ("edit", "severity"),
    [
        (
            container(
                state=running(minutes=9), last=terminated(0, "Completed", minutes=9), restarts=1, ready=True
            ),
            1,
        ),
        (container(state=running(minutes=9), last=terminated(1, hours=5), restarts=4, ready=True), 1),
        (container(state=running(minutes=1), last=terminated(1, minutes=1), restarts=4, ready=True), 2),
    ],
    ids=["ended well", "long ago", "again of late"],
)
def test_restarts_of_agents_that_are_ready(edit: object, severity: int) -> None:
    assert only("AGT005", edit).severity == severity  # type: ignore[arg-type]


def test_without_the_previous_log_a_restart_is_known_all_the_same() -> None:
    edit = container(state=running(minutes=9), last=terminated(1, hours=5), restarts=1, ready=True)
    assert "exit code 1" in only("AGT005", edit, gap(log(previous=True), GapKind.NOT_FOUND)).summary.shown


def test_a_waiting_state_without_an_end_is_no_crash() -> None:
    assert found("AGT002", container(state=waiting("ContainerCreating", ""), restarts=0)) == []
