"""How the stream of flows stands: for the status line, the head of the pane, and an empty pane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from playbooks.sources.hubble.events import Phase, Rung
from tui.flows.question import DROPS
from tui.ink import BLANK, Ink, Line, Piece, line, piece

if TYPE_CHECKING:
    from tui.flows.watch import Watch

_ENABLE = (
    "hubble.enabled=true",
    "hubble.relay.enabled=true",
)
"""Helm values without which there is no Hubble."""
_FROM = {
    Rung.SERVER: "by the named server",
    Rung.RELAY: "by Relay",
    Rung.RELAY_EXEC: "by hubble in Relay's pod",
    Rung.AGENTS: "by hubble in agents",
    Rung.MONITOR: "by monitor in agents",
    Rung.NONE: "",
}
_LEFT = {
    Rung.SERVER: "the named server",
    Rung.RELAY: "Relay",
    Rung.RELAY_EXEC: "hubble in Relay's pod",
    Rung.AGENTS: "hubble in agents",
    Rung.MONITOR: "monitor in agents",
    Rung.NONE: "anybody",
}


def told(watch: Watch, *, is_paused: bool = False) -> Piece:
    """What the stream is doing, in a few words: `drops, live by Relay`."""
    state, name = watch.state, watch.question.name
    if not watch.was_asked:
        return piece(f"{name}, stopped", Ink.WARN)
    if watch.failure:
        return piece("no flows", Ink.ERROR)
    if state is None:
        return piece(f"{name}, connecting", Ink.INFO)
    if not watch.flows.is_live:
        is_whole = state.phase is Phase.ENDED
        return piece(f"{name}, {'recorded' if is_whole else 'reading'}", Ink.INFO)
    rung = f" {_FROM[state.rung]}" if _FROM[state.rung] else ""
    match state.phase:
        case Phase.LIVE if is_paused:
            return piece(f"{name}, paused{rung}", Ink.WARN)
        case Phase.LIVE:
            ink = Ink.OK if state.rung in (Rung.SERVER, Rung.RELAY) else Ink.WARN
            return piece(f"{name}, live{rung}", ink)
        case Phase.CONNECTING:
            return piece(f"{name}, asking {_LEFT[state.rung]}", Ink.INFO)
        case Phase.WAITING:
            return piece(f"{name}, nobody tells; again in {state.pause:.0f} s", Ink.ERROR)
    return piece(f"{name}, {state.phase.value}", Ink.WARN)


def rate(watch: Watch) -> str:
    """How much comes, where that is a full stream; empty otherwise."""
    traffic = watch.traffic
    if traffic is None or not watch.question.is_full or not watch.is_on:
        return ""
    budget = f" of {_size(traffic.budget)}" if traffic.budget else ""
    return f"{_size(traffic.bytes_per_second)}/s, {_size(traffic.total)}{budget} so far"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def losses(watch: Watch) -> Line:
    """What is missing; blank where nothing is known to be."""
    words = list(watch.tally.words())
    if watch.state and watch.state.phase is Phase.LIVE and watch.state.rung is Rung.MONITOR:
        words.insert(0, "names, and all but refusals: Hubble is off, i says how to switch it on")
    if watch.not_kept:
        words.append(f"not recorded: {watch.not_kept}")
    return line(piece(f"! missing: {', '.join(words)}", Ink.WARN)) if words else BLANK


def instead(watch: Watch) -> tuple[Line, ...]:
    """What stands in the pane while no flow does: what is waited for, why there are none, what to do."""
    return tuple(_instead(watch))


def _instead(watch: Watch) -> Iterator[Line]:
    state = watch.state
    if failure := watch.failure:
        yield line(piece(f"✗ {failure.what}", Ink.ERROR))
        yield from _advice(("where", failure.where), ("to do", failure.remedy))
        yield _again()
        return
    if not watch.was_asked:
        yield line("The stream is stopped.", ink=Ink.QUIET)
        yield _again()
        return
    if state is None or state.phase is Phase.CONNECTING:
        whom = _LEFT[state.rung] if state else "whoever can tell flows"
        yield line(f"Asking {whom} for flows...", ink=Ink.INFO)
    elif state.phase is Phase.LIVE:
        yield from _quiet(watch)
    else:
        yield from _without(watch)
    yield from _left(watch)


def _quiet(watch: Watch) -> Iterator[Line]:
    state = watch.state
    assert state is not None
    if not watch.flows.is_live:
        yield line("Reading the recording...", ink=Ink.INFO)
        return
    yield line(f"Live {_FROM[state.rung]}: waiting for the first flow that matches.", ink=Ink.INFO)
    if watch.question == DROPS:
        yield line("None so far: no packet was dropped that Hubble knows of, which is as it should be.")
    asks = " asks for other flows, in the words of hubble observe; "
    yield line(piece("/", Ink.KEY), asks, piece("all", Ink.COMMAND), " for every one.")
    if state.rung is Rung.MONITOR:
        yield BLANK
        yield from _enabling()


def _without(watch: Watch) -> Iterator[Line]:
    state = watch.state
    assert state is not None
    if not watch.flows.is_live and (state.gap is None or not state.gap.remedy):
        yield line("The recording holds no flow that matches.", ink=Ink.WARN)
        yield line(piece("/", Ink.KEY), " asks for others; ", piece("all", Ink.COMMAND), " for every one.")
        if state.gap:
            yield line(state.gap.detail, ink=Ink.UNSEEN)
        return
    yield line(piece(f"✗ no flows: {state.detail or 'nobody tells any'}", Ink.ERROR))
    if state.gap and state.gap.remedy:
        yield from _advice(("to do", state.gap.remedy))
    if state.phase is Phase.WAITING:
        yield line(f"The next try is in {state.pause:.0f} s.", ink=Ink.QUIET)
    else:
        yield _again()
    if watch.flows.is_live and state.rung is Rung.NONE:
        yield BLANK
        yield from _enabling()


def _left(watch: Watch) -> Iterator[Line]:
    """The better rungs, and why none is used."""
    state = watch.state
    if state is None or not state.left:
        return
    yield BLANK
    yield line("Who was asked before", ink=Ink.TITLE)
    for left in state.left:
        yield line(piece(f"? {_LEFT[left.rung]}: ", Ink.UNSEEN), left.gap.detail, hang=2)
        if left.gap.remedy:
            yield line(piece("to do: ", Ink.QUIET), left.gap.remedy, indent=2, hang=7)


def _enabling() -> Iterator[Line]:
    yield line("If Hubble is switched off, these Helm values switch it on:", ink=Ink.TITLE)
    for value in _ENABLE:
        yield line(piece(value, Ink.COMMAND), indent=2)
    yield line("Agents restart when hubble.enabled changes; traffic goes on.", ink=Ink.QUIET)


def _again() -> Line:
    return line(piece("r", Ink.KEY), " asks again.")


def _advice(*pairs: tuple[str, str]) -> Iterator[Line]:
    for name, said in pairs:
        if said:
            yield line(piece(f"{name:<7}", Ink.QUIET), said, hang=7)


def page(watch: Watch | None) -> Iterator[Line]:
    """All about the stream, for the page that `info` shows."""
    if watch is None or watch.state is None:
        return
    yield BLANK
    yield line("Flows", ink=Ink.TITLE)
    yield line(piece(f"{'stream':<11}", Ink.QUIET), told(watch))
    yield line(piece(f"{'asked':<11}", Ink.QUIET), piece(watch.question.words, Ink.COMMAND), hang=11)
    yield line(piece(f"{'came':<11}", Ink.QUIET), f"{watch.count:,}, the newest {len(watch.roll):,} are kept")
    for left in watch.state.left:
        yield line(piece(f"{'not by':<11}", Ink.QUIET), f"{_LEFT[left.rung]}: {left.gap.detail}", hang=11)
    if watch.flows.is_live and watch.state and watch.state.rung in (Rung.MONITOR, Rung.NONE):
        yield from _enabling()
    for said in watch.tally.sentences():
        yield line(piece(f"{'missing':<11}", Ink.QUIET), said, hang=11)
