"""Findings: what is run is told from what is written."""

from __future__ import annotations

import pytest

from playbooks.model.finding import step


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("kubectl -n shop edit cnp cart", "sh"),
        ("cilium-dbg endpoint list | grep 'ready: no'", "sh"),
        ("", "sh"),
        ("-      tier: apii\n+      tier: api", "diff"),
        ("--- CiliumNetworkPolicy shop/cart\n+++ ...", "diff"),
        ("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy", "yaml"),
        ("policyAuditMode: false", "yaml"),
        ("toEntities: [kube-apiserver]", "yaml"),
        ("http://cart/: refuses", "sh"),
    ],
)
def test_what_a_step_holds_is_told_by_its_beginning(text: str, language: str) -> None:
    assert step("Do it.", text).language == language
