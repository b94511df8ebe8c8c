"""What becomes of connections: a table of small cases, each with the reason why Cilium decides so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.practice.policies.deciding import decided, given

CASES = yaml.safe_load((Path(__file__).parent / "policies" / "cases.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_what_is_decided(case: dict[str, Any]) -> None:
    with given(case) as world:
        assert {ask: decided(world, ask) for ask in case["asks"]} == case["asks"]
