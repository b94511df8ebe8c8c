"""Correcting a policy as a fix."""

from __future__ import annotations

from collections.abc import Iterable

from playbooks.model.finding import Fix, Risk, Step, step
from playbooks.model.policies.written import Written


def corrected(
    title: str,
    one: Written,
    place: str,
    *,
    why: str,
    verify: str,
    change: str = "",
    before: Iterable[Step] = (),
    risk: Risk = Risk.MEDIUM,
) -> Fix:
    """Change one place of a policy's manifest; `change` is what to write there."""
    return Fix.cure(
        title,
        why=why,
        risk=risk,
        steps=(*before, step(f"Correct {place} in {one.manifest}, and apply it.", change)),
        undo="Apply the manifest as it was.",
        verify=verify,
    )
