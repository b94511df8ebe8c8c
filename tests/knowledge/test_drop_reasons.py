"""Drop reasons: numbers, names and texts as Hubble has them."""

from __future__ import annotations

import pytest

from playbooks.knowledge.drop_reasons import drop_reason, drop_reason_named, drop_reasons, printed_text
from playbooks.model.hubble.proto import flow_pb2


def test_every_reason_that_hubble_names_is_told_under_its_name() -> None:
    names = {value.number: value.name for value in flow_pb2.DropReason.DESCRIPTOR.values if value.number}
    assert {reason.number: reason.name for reason in drop_reasons() if reason.name} == names
    assert [reason.number for reason in drop_reasons()] == sorted({one.number for one in drop_reasons()})


def test_every_reason_says_what_it_means() -> None:
    for reason in drop_reasons():
        assert reason.meaning, reason.number
        assert reason.since[:2] == "1."
        assert reason.printed
        assert not set("\t\n\r«»") & set(
            "".join((reason.text, reason.meaning, *reason.causes, reason.next_check))
        )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (133, "Policy denied"),
        (160, "No tunnel/encapsulation endpoint (datapath BUG!)"),
        (159, "159, 0"),
        (206, "No device"),
        (255, "255, 0"),
        (256 + 133, "Policy denied"),
        (-123, "Policy denied"),
    ],
)
def test_a_number_is_printed_as_the_hubble_command_does(number: int, text: str) -> None:
    assert printed_text(number) == text


@pytest.mark.parametrize("word", ["133", "POLICY_DENIED", "policy_denied", " Policy denied "])
def test_a_reason_is_found_by_each_of_its_names(word: str) -> None:
    found = drop_reason_named(word)
    assert found is not None
    assert found.number == 133
    assert found.is_drop
    assert "missing rule" in found.causes


def test_what_is_no_drop_is_not_found_as_one() -> None:
    assert drop_reason_named("Success") is None
    forwarded = drop_reason(0)
    assert forwarded is not None
    assert not forwarded.is_drop
    assert drop_reason(159) is not None
    assert drop_reason(1) is None
