"""Packets that DSR makes too large: only what is dropped again and again; senders learn from the first."""

from __future__ import annotations

from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from tests.agent.judged import Json, found, only, outcome
from tests.edited import Edit, each, gap
from tests.service.telling import DROPS, flow, seen, stamp

CLIENT, BACKEND = "203.0.113.7", "10.244.0.12"


def balanced(mode: str) -> Edit:
    def change(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium-config":
            item["data"]["bpf-lb-mode"] = mode
        return item

    return each("configmaps", change)


def drops(*ago: float, reason: int = 136, **more: object) -> Edit:
    return seen(*(flow(reason, CLIENT, BACKEND, 8080, time=stamp(one), **more) for one in ago))


DSR = balanced("dsr")


def test_a_packet_that_is_sent_again_and_again_in_vain_is_told() -> None:
    one = only("SVC031", DSR, drops(50, 47, 41, 29))
    assert one.severity is Severity.WARN
    assert str(one.subjects[0]) == "ConfigMap kube-system/cilium-config"
    told = f"{CLIENT}:40000 -> {BACKEND}:8080 TCP DROPPED Fragmentation needed (136), 4 times in 21 s"
    assert one.evidence[-1].excerpt.raw == told


def test_a_first_burst_other_drops_and_old_ones_are_no_fault() -> None:
    for edit in (
        drops(20.3, 20.2, 20.1, 20.0),
        drops(50, 40, 30),
        drops(50, 47, 41, 29, reason=133),
        drops(950, 940, 930, 920),
        drops(50, 47, 41, 29, protocol="UDP"),
    ):
        assert found("SVC031", DSR, edit) == []
    many = (drops(50 - number, source_port=40000 + number) for number in range(8))
    assert found("SVC031", DSR, *many) == []


def test_without_dsr_it_does_not_apply_and_without_flows_it_cannot_look() -> None:
    burst = drops(50, 47, 41, 29)
    assert outcome("SVC031", balanced("snat"), burst).kind is OutcomeKind.NOT_APPLICABLE
    assert outcome("SVC031", burst).kind is OutcomeKind.NOT_APPLICABLE
    assert outcome("SVC031", DSR, gap(DROPS)).kind is OutcomeKind.COULD_NOT_LOOK
