"""`python -m tests.model.fuzz [INPUTS]`: damage answers of every way for long, with new inputs each time."""

from __future__ import annotations

import sys
from collections import Counter

from hypothesis import given

from playbooks.model.answer import Gap
from tests.model.damage import damaged, fuzz
from tests.model.decoding import Subject, look_everywhere, subjects

INPUTS = 2000
"""For each way, unless said otherwise."""


def tried(subject: Subject, inputs: int) -> Counter[str]:
    """What became of so many damaged answers; raises for the first that was neither a fact nor a gap."""
    counts: Counter[str] = Counter()

    @fuzz(inputs)
    @given(damaged(subject))
    def one(body: bytes) -> None:
        result = subject.read(body, pieces=1 + len(body) % 3)
        counts["gap" if isinstance(result, Gap) else "fact"] += 1
        if not isinstance(result, Gap):
            look_everywhere(result)

    one()
    return counts


def main(inputs: int) -> int:
    """Try every way; the exit code says whether any decoder failed."""
    total: Counter[str] = Counter()
    failed = []
    for subject in subjects():
        try:
            counts = tried(subject, inputs)
        except Exception as error:  # noqa: BLE001
            failed.append(subject.name)
            print(f"FAILED {subject.name}: {error!r}", *getattr(error, "__notes__", ()), sep="\n  ")
            continue
        total += counts
        print(f"{subject.name}: {counts.total()} inputs, {counts['fact']} facts, {counts['gap']} gaps")
    print(
        f"{total.total()} inputs to {len(subjects())} ways:"
        f" {total['fact']} facts, {total['gap']} gaps, {len(failed)} ways failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else INPUTS))
