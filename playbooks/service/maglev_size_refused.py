"""The size of the Maglev table is none that agents accept."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_KEY = "bpf-lb-maglev-table-size"
_SIZES = (251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071)
"""Primes just below powers of two: the sizes that there are."""


@fault(
    "SVC029",
    step="replacement",
    cases=(Case("maglev-size", proof="W", twin="the same configuration with 16381"),),
)
def maglev_size_refused(config: CiliumConfig) -> Iterator[Finding]:
    """The size of the Maglev table is none that agents accept.

    Maglev gives each backend its share of a table whose size must be a prime number, or some slots would
    never be filled. Agents know ten sizes and end at their start with any other. Those that run hold the
    old size until then.
    """
    asked = config.get(_KEY).strip()
    if config.get("bpf-lb-algorithm").lower() != "maglev" or not asked.isdecimal() or int(asked) in _SIZES:
        return
    best = min(_SIZES, key=lambda size: abs(size - int(asked[:9])))
    change = config.metadata.write_of(_KEY)
    yield finding(
        Severity.WARN,
        config.ref,
        f"{config.ref} asks for a Maglev table of {asked[:9]}, which is no size that agents accept",
        evidence=(config.evidence(f"{_KEY}: {asked[:40]}"), config.evidence("bpf-lb-algorithm: maglev")),
        impact="agents do not start with it: every restart takes a node out",
        first_seen=change.time if change else None,
        last_seen=config.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            Fix.cure(
                f"Set the size to {best}.",
                why="It is the nearest of the sizes that there are; 100 times the most backends is enough.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        "Set maglev.tableSize.",
                        helm_upgrade(config.metadata.namespace, f"maglev.tableSize={best}"),
                    ),
                ),
                undo=f"Set {asked[:9]} again.",
                verify="An agent that is restarted becomes ready.",
            ),
        ),
    )
