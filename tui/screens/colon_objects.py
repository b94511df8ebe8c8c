"""What is typed after a colon for lists of objects, as fingers know it from k9s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view.colon_help import SHORT

if TYPE_CHECKING:
    from tui.screens.diagnose import DiagnoseScreen
    from tui.screens.objects import ObjectsScreen
    from tui.view.objects import Shelf

_OF_DIAGNOSE = frozenset({"check", "rerun", "node", "gaps", "raw", "rule", "target", "from", "to"})
"""Commands after which one wants to see Diagnose."""


def list_typed(screen: DiagnoseScreen, name: str, words: list[str]) -> bool:
    """Show a list if one is meant; whether one was."""
    shelf = _meant(screen, name, words)
    if shelf is None:
        return False
    from tui.screens.objects import ObjectsScreen

    screen.app.push_screen(ObjectsScreen(shelf, " ".join(words)))
    return True


def obey_over(over: ObjectsScreen, text: str) -> None:
    """Do what was typed over a list: another list takes its place, what is of Diagnose leads back there."""
    from tui.screens.colon import obey

    diagnose, session = over.console.diagnose, over.console.session
    name, *words = text.split() or [""]
    name = SHORT.get(name.lower(), name.lower())
    if shelf := _meant(diagnose, name, words):
        over.turn_to(shelf, " ".join(words))
        return
    is_playbook = not words and session.catalogue is not None and session.catalogue.playbook(name) is not None
    if name in _OF_DIAGNOSE or is_playbook:
        over.app.pop_screen()
    said = obey(diagnose, text)
    over.follow_namespace()
    if said:
        over.console.tell_on_top(said)


def _meant(screen: DiagnoseScreen, name: str, words: list[str]) -> Shelf | None:
    from tui.view.objects import shelf_of

    shelf = shelf_of(name)
    catalogue = screen.console.session.catalogue
    if shelf is None or name == shelf.key:
        return shelf
    if not words and catalogue and catalogue.playbook(name):
        return None
    return None if words and _is_of_agent(name, words[0]) else shelf


def _is_of_agent(name: str, word: str) -> bool:
    from playbooks.knowledge.agent_commands import known_commands

    return any(one.words[:2] == (name, word) for one in known_commands())
