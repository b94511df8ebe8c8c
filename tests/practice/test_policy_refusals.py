"""Policies that are not taken: by the definition of their kind, or by those who read them later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.practice import writing
from playbooks.practice.refusals import Refused
from tests.practice.policies.deciding import ME, apply, bare, kind_of

CASES = yaml.safe_load((Path(__file__).parent / "policies" / "refusals.yaml").read_text("utf-8"))


def named(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["why"] for case in cases])


@named(CASES["refused"])
def test_what_the_definition_refuses_is_not_stored(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        apply(bare(), case["spec"], "wrong")
    assert case["says"] in refused.value.message
    assert refused.value.code == 422


@named(CASES["invalid"])
def test_what_agents_refuse_is_stored_and_called_invalid(case: dict[str, Any]) -> None:
    world = bare()
    apply(world, case["spec"], "wrong")
    kind = kind_of(world, "CiliumNetworkPolicy")
    item = world.store.get(kind, "shop", "wrong")
    assert item is not None
    (condition,) = item["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Valid", "False")
    assert case["says"] in condition["message"]
    assert world.policies.shelf.rules() == ()
    body: dict[str, Any] = {"spec": {**dict.fromkeys(item["spec"]), "endpointSelector": {}, "ingress": [{}]}}
    mended = writing.patch(world, kind, "shop", "wrong", "application/merge-patch+json", body, ME)
    assert mended["status"]["conditions"][0]["status"] == "True"
    assert len(world.policies.shelf.rules()) == 1
    writing.delete(world, kind, "shop", "wrong")
