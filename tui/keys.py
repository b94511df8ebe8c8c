"""The one registry of actions: ids, keys, words; bindings, key line, help page and tests read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from textual.binding import Binding


class Place(StrEnum):
    """Where the keys go."""

    LIST = "list of playbooks and findings"
    EVIDENCE = "evidence"
    ANSWER = "raw answer"
    FLOWS = "flows"
    PAGE = "finding and fix"
    WHOLE = "raw answer on the whole screen"
    READER = "page on the whole screen"
    FLOW = "flow on the whole screen"
    CHOICE = "choice"
    FORM = "form and its answer"
    DOOR = "what do you see?"
    GUIDE = "guide"
    OBJECTS = "list of objects"
    PROMPT = "command line"


PANES = frozenset({Place.LIST, Place.EVIDENCE, Place.ANSWER, Place.FLOWS, Place.PAGE})
"""The panes of Diagnose."""
_LINKED = frozenset({Place.FORM, Place.GUIDE})
"""Screens of a list with a page below it."""
_ANY = PANES | _LINKED | {Place.WHOLE, Place.READER, Place.FLOW, Place.DOOR, Place.OBJECTS}
_SCROLLS = _ANY | {Place.CHOICE}


_NEVER = 99


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does."""

    id: str
    """Stable, for remapping."""
    keys: tuple[str, ...]
    """Textual's names of the keys."""
    word: str
    """On the key line."""
    help: str
    """On the help page; one sentence."""
    call: str
    """Textual's name of the method."""
    places: frozenset[Place] = _ANY
    """Where it applies."""
    rank: int = 50
    """On the key line: lower is shown first; 99 is never shown."""

    @property
    def is_shown(self) -> bool:
        """Whether the key line may name it."""
        return self.rank < _NEVER

    def binding(self) -> Binding:
        """As a binding.

        With priority, keys take effect one after the other in the order in which they were typed. Without it
        each one is handed to the focused pane, and on a slow link, where keys come in bunches, the `q` of
        `:quit` would leave before the prompt is there.
        """
        return Binding(",".join(self.keys), self.call, self.word, show=False, priority=True, id=self.id)


_TEXTS = frozenset(
    {Place.LIST, Place.EVIDENCE, Place.ANSWER, Place.FLOWS, Place.WHOLE, Place.DOOR, Place.OBJECTS}
)

# fmt: off
ACTIONS: tuple[Action, ...] = (
    Action("open", ("enter",), "open",
           "Open what is selected; an object of a list becomes what the playbooks are about.", "open",
           PANES | _LINKED | {Place.CHOICE, Place.DOOR, Place.FLOW, Place.OBJECTS}, 1),
    Action("back", ("escape", "backspace"), "back", "Go back; never anything else.", "back", _SCROLLS, 2),
    Action("again", ("r",), "again",
           "Ask again: a playbook all it needs, a finding only what it needs, watched until it is gone.",
           "again", PANES | _LINKED | {Place.OBJECTS}, 3),
    Action("copy", ("c",), "copy",
           "Copy a command, the evidence or the finding to the terminal's clipboard and to a file.",
           "copy", _ANY, 4),
    Action("raw", ("d",), "describe",
           "Describe on the whole screen: the raw answer behind evidence; all that is known of an object.",
           "raw", PANES | {Place.OBJECTS}, 9),
    Action("yaml", ("y",), "YAML",
           "Show what the finding is about, or the object of a list, as YAML.",
           "yaml", PANES | {Place.OBJECTS}, 12),
    Action("logs", ("l",), "logs",
           "Show the log of the agent on the selected node; of a pod in a list its own.",
           "logs", PANES | {Place.OBJECTS}, 10),
    Action("stop", ("x", "ctrl+c"), "stop", "Stop all work under way, at once.", "stop", _ANY, 0),
    Action("filter", ("slash",), "filter",
           "Show only rows that hold a text; an empty one shows all again. Flows: filters of hubble observe.",
           "filter", _TEXTS, 8),
    Action("command", ("colon",), "command",
           "Type a command, such as :check agent, :target shop/cart or :pods.", "command",
           PANES | {Place.OBJECTS}, 7),
    Action("door", ("s",), "what do you see?",
           "Begin from what is seen: choose a symptom, and be led through the steps.", "door", PANES, 11),
    Action("help", ("question_mark", "f1"), "help",
           "Keys of this pane, then the words on this screen.", "help", _ANY, 5),
    Action("quit", ("q",), "leave",
           "Close the top screen; on Diagnose, leave honeyguide.", "close", _SCROLLS, 6),
    Action("info", ("i",), "info",
           "All about the connection, the run and this terminal.", "info", _ANY, 20),
    Action("flows", ("w",), "flows",
           "Watch the flows of what is selected, drops where it has none; again: the evidence.",
           "flows", PANES, 6),
    Action("pause", ("p",), "pause", "Let the list of flows stand still; again: follow the newest.",
           "pause", frozenset({Place.FLOWS}), 2),
    Action("next", ("tab",), "next pane", "Go to the next pane.", "next_pane", PANES | _LINKED, 21),
    Action("previous", ("shift+tab",), "previous pane",
           "Go to the previous pane.", "previous_pane", PANES | _LINKED, 99),
    Action("older", ("left_square_bracket",), "older",
           "Go to what was selected before.", "older", PANES, 30),
    Action("newer", ("right_square_bracket",), "newer",
           "Go to what was selected after that.", "newer", PANES, 31),
    Action("print", ("Y",), "print",
           "Leave the screen and print the selection unwrapped, for the terminal's own scrollback.",
           "print", _ANY, 32),
    Action("fold", ("space",), "fold",
           "Fold or unfold the steps of a playbook.", "fold", frozenset({Place.LIST}), 33),
    Action("suspend", ("ctrl+z",), "suspend",
           "Put honeyguide in the background; fg brings it back.", "suspend", _SCROLLS, 99),
    Action("up", ("up",), "up", "One row up.", "up", _SCROLLS, 99),
    Action("down", ("down",), "down", "One row down.", "down", _SCROLLS, 99),
    Action("left", ("left",), "left",
           "To the left, where rows are longer than the pane.", "left", _SCROLLS, 99),
    Action("right", ("right",), "right",
           "To the right, where rows are longer than the pane.", "right", _SCROLLS, 99),
    Action("page-up", ("pageup",), "page up", "One page up.", "page_up", _SCROLLS, 99),
    Action("page-down", ("pagedown",), "page down", "One page down.", "page_down", _SCROLLS, 99),
    Action("top", ("home",), "top", "To the first row.", "top", _SCROLLS, 99),
    Action("end", ("end",), "end", "To the last row.", "end", _SCROLLS, 99),
)
# fmt: on
"""Everything that a key does."""

MOVES = ("up", "down", "left", "right", "page-up", "page-down", "top", "end")
"""Actions of every widget that scrolls."""

PROMPT_KEYS = (("enter", "do it"), ("esc", "give up"), ("tab", "complete"), ("up", "what was typed before"))
"""Keys while something is typed, with their words: there every other key is text."""

_SHOWN = {
    "escape": "esc", "question_mark": "?", "slash": "/", "colon": ":", "left_square_bracket": "[",
    "right_square_bracket": "]", "pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "left": "←",
    "right": "→", "f1": "F1",
}  # fmt: skip
_ASCII = {"↑": "up", "↓": "down", "←": "left", "→": "right"}


def shown(key: str, *, is_ascii: bool = False) -> str:
    """A key as a person says it."""
    name = _SHOWN.get(key, key)
    return _ASCII.get(name, name) if is_ascii else name


class BadKeymap(ValueError):
    """A keymap that names an unknown action or gives one key two meanings."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The registry with a person's changes."""

    actions: tuple[Action, ...] = ACTIONS
    """With the keys in force."""

    @classmethod
    def mapped(cls, keymap: Mapping[str, str]) -> Keys:
        """The registry with other keys for some actions. Raises `BadKeymap`."""
        known = {action.id for action in ACTIONS}
        if unknown := sorted(set(keymap) - known):
            raise BadKeymap(f"no action is called {unknown[0]}; there are {', '.join(sorted(known))}")
        made = cls(tuple(_with_keys(action, keymap.get(action.id)) for action in ACTIONS))
        for key, ids in made.meanings().items():
            if len(ids) > 1:
                raise BadKeymap(f"the key {key} would mean both {ids[0]} and {ids[1]}")
        return made

    def meanings(self) -> dict[str, list[str]]:
        """For each key the actions it means."""
        found: dict[str, list[str]] = {}
        for action in self.actions:
            for key in action.keys:
                found.setdefault(key, []).append(action.id)
        return found

    def get(self, id: str) -> Action:
        """An action by id."""
        return next(action for action in self.actions if action.id == id)

    def at(self, place: Place) -> tuple[Action, ...]:
        """What applies in a place, the most useful first."""
        return tuple(sorted((one for one in self.actions if place in one.places), key=lambda one: one.rank))

    def keymap(self) -> dict[str, str]:
        """As Textual wants it."""
        return {action.id: ",".join(action.keys) for action in self.actions}


def _with_keys(action: Action, keys: str | None) -> Action:
    if keys is None:
        return action
    return replace(action, keys=tuple(key.strip() for key in keys.split(",") if key.strip()))


def bindings(ids: Iterable[str]) -> list[Binding]:
    """Bindings of some actions, for a screen or a widget."""
    wanted = set(ids)
    return [action.binding() for action in ACTIONS if action.id in wanted]
