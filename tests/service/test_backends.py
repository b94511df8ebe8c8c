from __future__ import annotations

from tests.agent.judged import Json, found, only
from tests.edited import Edit, each


def selecting(labels: dict[str, str]) -> Edit:
    def put(service: Json) -> Json:
        if service["metadata"]["name"] == "checkout":
            service["spec"]["selector"] = labels
        return service

    return each("services", put)


def test_a_selector_with_a_wrong_letter_is_told_with_the_label_that_pods_carry() -> None:
    one = only("SVC001", cluster="02-service-selector-typo")
    assert str(one.subject) == "Service shop/checkout"
    assert "app=chekout" in one.summary.raw
    assert "app=checkout" in one.fixes[0].title.raw


def test_with_the_right_selector_nothing_is_wrong() -> None:
    assert found("SVC001", selecting({"app": "checkout"}), cluster="02-service-selector-typo") == []


def test_a_selector_that_resembles_no_pod_is_no_typing_error() -> None:
    assert found("SVC001", selecting({"app": "warehouse"})) == []


def test_healthy_services_are_left_alone() -> None:
    assert found("SVC001") == []
