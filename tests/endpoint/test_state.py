from __future__ import annotations

import json

from tests.agent.judged import body, command, found, only, run
from tests.edited import Edit, in_look
from tests.recorded import source

LAB = "06-regeneration-failing"
LIST = command("cilium-dbg", "endpoint", "list", "-o", "json")


def ready() -> Edit:
    def change(answer: bytes) -> bytes:
        every = json.loads(answer)
        for one in every:
            one["status"]["state"] = "ready"
        return json.dumps(every).encode()

    return body(LIST, change)


def test_an_endpoint_that_fails_in_both_looks_is_told_with_what_its_log_says() -> None:
    one = only("END002", cluster=LAB)
    assert (one.subject.kind, one.subject.namespace) == ("Endpoint", "shop")
    assert one.subject.name.startswith("cart-")
    assert "failed to compile template program" in one.summary.raw


def test_an_endpoint_that_is_ready_again_is_no_fault() -> None:
    assert found("END002", in_look(2, ready()), cluster=LAB) == []
    assert found("END002", in_look(1, ready()), cluster=LAB) == []
    assert found("END002") == []


def test_the_failing_controller_is_a_symptom_of_it() -> None:
    (root,) = run(source(LAB), "END002", "AGT054").roots
    assert root.rule.id == "END002"
    assert [one.rule.id for one in root.symptoms] == ["AGT054"]
