"""What flags there are, for who asks for help."""

from __future__ import annotations

from itertools import groupby

from playbooks.model.hubble.filters.flag import Flag, Kind, Takes
from playbooks.model.hubble.filters.flags import flags_of


def help_text(kind: Kind) -> str:
    """All flags of a command by group, a line each."""
    flags = flags_of(kind)
    width = max(len(_usage(flag)) for flag in flags) + 2
    lines: list[str] = []
    for group, members in groupby(flags, key=lambda flag: flag.group):
        lines += ["", f"{group.value} flags:", *(_line(flag, width) for flag in members)]
    return "\n".join(lines[1:]) + "\n"


def _usage(flag: Flag) -> str:
    start = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
    takes = "" if flag.bare else f" {'string' if flag.takes is Takes.FILTER else flag.takes.value}"
    return start + takes


def _line(flag: Flag, width: int) -> str:
    notes = [f"default {flag.default}"] if flag.default else []
    notes += [f"since Cilium {flag.since}"] if flag.since else []
    notes += ["not in the hubble command"] if flag.is_ours else []
    return f"{_usage(flag):<{width}}{flag.help}" + (f" ({', '.join(notes)})" if notes else "")
