"""Identities: too many by one label, too many that nobody has, too many for policy maps."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, excerpts, found, only, outcome, run
from tests.edited import Edit, added, each, edited, gap, log, log_lines, of
from tests.endpoint.waiting import refused
from tests.recorded import source

NAMESPACE = "k8s:io.kubernetes.pod.namespace"
JOB = "k8s:batch.kubernetes.io/job-name"


def identity(number: int, job: str, created: str = "2026-11-22T00:00:00Z") -> Json:
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumIdentity",
        "metadata": {"name": str(200000 + number), "creationTimestamp": created},
        "security-labels": {"k8s:app": "report", JOB: job, NAMESPACE: "batch"},
    }


def identities(count: int, *, is_apart: bool = True, created: str = "2026-11-23T01:30:00Z") -> Edit:
    jobs = (identity(number, f"job-{number if is_apart else 0}", created) for number in range(count))
    return added("ciliumidentities", *jobs)


def test_the_label_that_makes_the_identities_is_named() -> None:
    one = only("END018", identities(80))
    assert one.severity is Severity.INFO
    assert "batch.kubernetes.io/job-name makes 80 of" in one.summary.raw
    assert "job-0" in excerpts(one)
    assert only("END018", identities(1200)).severity is Severity.WARN


def test_labels_that_many_pods_share_make_few_identities() -> None:
    assert found("END018", identities(80, is_apart=False)) == []
    assert found("END018", identities(20)) == []
    assert found("END018", identities(80), gap(of("ciliumidentities"))) == []


WORDS = ("cart", "order", "stock", "mail", "price", "review", "login", "image", "search", "admin")


def test_names_that_somebody_gave_or_namespaces_of_their_own_are_no_explosion() -> None:
    def named(number: int) -> Json:
        one = identity(number, "")
        one["security-labels"][JOB] = f"{WORDS[number % 10]}-{WORDS[number // 10 % 10]}-api"
        return one

    def apart(number: int) -> Json:
        one = identity(number, f"job-{number}")
        one["security-labels"][NAMESPACE] = f"{WORDS[number % 10]}-{WORDS[number // 10 % 10]}"
        return one

    for make in (named, apart):
        assert found("END018", added("ciliumidentities", *map(make, range(90)))) == []


def operator_away(item: Json) -> Json:
    if item["metadata"]["name"].startswith("cilium-operator"):
        item["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        item["status"]["containerStatuses"] = []
    return item


def test_identities_that_nobody_has_are_told_when_nobody_collects_them() -> None:
    old = identities(40, created="2026-11-22T00:00:00Z")
    one = only("END019", old, each("pods", operator_away))
    assert one.severity is Severity.WARN
    assert "leaves 40 identities" in one.summary.raw
    assert only("END019", old).severity is Severity.INFO


def test_identities_of_late_or_in_use_are_no_leak() -> None:
    assert found("END019", identities(40)) == []
    assert found("END019", identities(10, created="2026-11-22T00:00:00Z")) == []


@pytest.mark.parametrize("plural", ["ciliumendpoints", "ciliumidentities"])
def test_without_both_lists_no_identity_is_unused(plural: str) -> None:
    edits = (identities(40, created="2026-11-22T00:00:00Z"), gap(of(plural)))
    assert found("END019", *edits) == []
    assert outcome("END019", *edits).kind is OutcomeKind.COULD_NOT_LOOK


def line() -> str:
    rule = catalogue().rule("END020")
    assert rule
    return rule.cases[0].lines[0]


@pytest.mark.parametrize(
    "written",
    [
        line(),
        "time=2026-11-23T01:40:10Z level=error source=/x.go:1 "
        'msg="syncPolicyMap failed" error="unable to update: no space left on device"',
    ],
)
def test_a_policy_map_that_is_full_is_told(written: str) -> None:
    one = only("END020", log_lines(written))
    assert one.severity is Severity.ERROR
    assert [asserted.kind for asserted in one.asserts] == [ConditionKind.MAP_FULL]
    assert Condition(ConditionKind.OPERATOR_DOWN) in one.because_of
    assert len(one.alternatives) == 2


def test_a_map_that_takes_no_entry_for_another_reason_is_not_called_full() -> None:
    said = 'level=error msg="PolicyMap synchronization failed" error="bad file descriptor"'
    assert only("END020", log_lines(said)).asserts == ()


def test_a_log_of_long_ago_or_none_tells_nothing() -> None:
    assert found("END020", log_lines(f"time=2026-11-23T01:10:00Z {line()}")) == []
    assert found("END020") == []
    assert found("END020", log_lines(line()), gap(log())) == []


def test_a_full_map_explains_endpoints_that_take_too_long() -> None:
    edits = (*refused("Unable to create endpoint: Cilium API client timeout exceeded"), log_lines(line()))
    (root,) = run(edited(source("healthy"), *edits), "END006", "END020").roots
    assert root.rule.id == "END020"
    assert [one.rule.id for one in root.symptoms] == ["END006"]


def test_a_cluster_without_a_number_for_a_new_identity() -> None:
    said = (
        'time=2026-11-23T01:40:10Z level=warn source=/x.go:1 msg="Key allocation attempt failed" '
        'error="no more available IDs in configured space" attempt=11'
    )
    one = only("END029", log_lines(said))
    assert one.severity is Severity.ERROR
    assert "no more available IDs" in str(one.stated_cause)
    # One attempt that failed for another reason is nothing.
    other = said.replace("no more available IDs in configured space", "unable to create slave key")
    assert found("END029", log_lines(other)) == []
    assert found("END029", log_lines(said.replace("11-23T01:40", "11-22T01:40"))) == []
