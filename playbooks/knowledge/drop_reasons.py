"""Why the datapath drops packets: numbers, names in Hubble, monitor and metrics, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_FIRST_DROP = 130
OLDEST = "1.14"
"""The version that `since` is when nothing newer brought a reason."""


@dataclass(frozen=True, slots=True)
class DropReason:
    """One code of the datapath; codes below 130 are counted and traced, and are no drops."""

    number: int
    """In `drop_reason` and the sub-type of a drop's event."""
    name: str
    """In `drop_reason_desc` of a flow and the label of `hubble_drop_total`; empty where Hubble has none."""
    text: str
    """In monitor, `bpf metrics list` and the label of `cilium_drop_count_total`; empty if there is none."""
    since: str
    """The first version that has it."""
    meaning: str
    """What happened, in our words."""
    causes: tuple[str, ...]
    """What usually stands behind it."""
    next_check: str
    """What to look at next; empty when there is nothing to look at."""
    harmless: str
    """When it is no fault; empty when it always is worth a look."""

    @property
    def is_drop(self) -> bool:
        """Whether a packet was dropped at all."""
        return self.number >= _FIRST_DROP

    @property
    def printed(self) -> str:
        """What monitor and Hubble print."""
        return self.text or _unnamed(self.number)


@cache
def drop_reasons() -> tuple[DropReason, ...]:
    """Every code that is known, by number."""
    rows = files(__package__).joinpath("drop_reasons.tsv").read_text("utf-8").splitlines()
    return tuple(_reason(row.split("\t")) for row in rows if row and not row.startswith("#"))


def _reason(cells: list[str]) -> DropReason:
    number, name, text, since, meaning, causes, check, harmless = cells
    parts = tuple(part for part in causes.split(", ") if part)
    return DropReason(int(number), name, text, since or OLDEST, meaning, parts, check, harmless)


def drop_reason(number: int) -> DropReason | None:
    """The reason with this number, if it is known."""
    return _by_number().get(number)


def drop_reason_named(word: str) -> DropReason | None:
    """The drop that a word means: its number, Hubble's name or the printed text, in any case."""
    return _by_word().get(word.strip().lower())


def printed_text(number: int) -> str:
    """What the hubble command prints for a sub-type of a drop event; it looks at the lowest byte."""
    known = _by_number().get(number & 0xFF)
    return known.printed if known else _unnamed(number & 0xFF)


def told(number: int) -> str:
    """The reason of a dropped flow, in the words of Hubble; its number where it is not known."""
    known = drop_reason(number)
    return known.printed if known else f"drop reason {number}"


def _unnamed(number: int) -> str:
    # The second number is the extended error, which flows do not carry.
    return f"{number}, 0"


@cache
def _by_number() -> dict[int, DropReason]:
    return {reason.number: reason for reason in drop_reasons()}


@cache
def _by_word() -> dict[str, DropReason]:
    drops = [reason for reason in drop_reasons() if reason.is_drop]
    words = ((str(reason.number), reason.name, reason.text) for reason in drops)
    return {
        word.lower(): reason for reason, three in zip(drops, words, strict=True) for word in three if word
    }
