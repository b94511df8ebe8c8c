"""The help page of a pane: its keys, then the words that can be read in it now, then all words."""

from __future__ import annotations

from collections.abc import Iterator

from tui.ink import BLANK, Ink, Line, Piece, line, piece
from tui.keys import MOVES, Keys, Place, shown
from tui.view.colon_help import COMMAND_HELP

_WIDTH = 19


def help_lines(place: Place, keys: Keys, visible: str, *, is_ascii: bool) -> tuple[Line, ...]:
    """The whole page."""
    return tuple(_page(place, keys, visible, is_ascii=is_ascii))


def _page(place: Place, keys: Keys, visible: str, *, is_ascii: bool) -> Iterator[Line]:
    from playbooks.knowledge.glossary import terms, terms_in

    yield line(f"Keys in: {place.value}", ink=Ink.TITLE)
    for action in keys.at(place):
        if action.id in MOVES:
            continue
        names = " or ".join(shown(key, is_ascii=is_ascii) for key in action.keys)
        yield _entry(names, action.help, Ink.KEY)
    moves = (shown(key, is_ascii=is_ascii) for move in MOVES for key in keys.get(move).keys)
    yield _entry(" ".join(moves), "Move; left and right where rows are longer than the pane.", Ink.KEY)
    yield BLANK
    here = terms_in(visible)
    if here:
        yield line("Words on this screen", ink=Ink.TITLE)
        for term in here:
            yield _entry(term.name, term.meaning, Ink.COMMAND, 24)
        yield BLANK
    yield line("Commands, after :", ink=Ink.TITLE)
    for usage, told in COMMAND_HELP:
        yield _entry(usage, told, Ink.KEY, 24)
    yield BLANK
    yield line("All words", ink=Ink.TITLE)
    for term in terms():
        if term not in here:
            yield _entry(term.name, term.meaning, Ink.COMMAND, 24)
    yield BLANK
    yield from _selecting()


def _entry(name: str, told: str, ink: Ink, width: int = _WIDTH) -> Line:
    return line(piece(f"{name:<{width - 1}} ", ink), Piece(told), hang=width)


def _selecting() -> Iterator[Line]:
    yield line("Selecting with the mouse", ink=Ink.TITLE)
    yield line(
        "Hold Shift (Option in iTerm2) while dragging: the terminal then selects by itself. "
        "Y prints the selection without borders and unwrapped."
    )
    yield line("If a crash leaves the terminal in disorder, type reset.")
