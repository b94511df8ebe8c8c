"""The datapath's counters as the agent's command prints them."""

from __future__ import annotations

from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json
from playbooks.practice.traffic.counting import datapath


def documents(view: AgentView) -> list[Json]:
    """The answer of `bpf metrics list -o json`."""
    return [
        {
            "reason": place.reason,
            "direction": place.direction.lower(),
            "packets": total.packets,
            "bytes": total.bytes,
            "line": place.line,
            "file": place.file,
        }
        for place, total in datapath(view.world, view.node).items()
    ]


def text(view: AgentView) -> str:
    """The answer of `bpf metrics list`."""
    lines = ["REASON\tDIRECTION\tPACKETS\tBYTES\tLINE\tFILE"]
    lines += [
        f"{place.reason}\t{place.direction}\t{total.packets}\t{total.bytes}\t{place.line}\t{place.file}"
        for place, total in datapath(view.world, view.node).items()
    ]
    return laid_out("\n".join(lines)) + "\n"
