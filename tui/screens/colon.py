"""What is typed after a colon."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.screens import colon_places
from tui.screens.colon_objects import list_typed
from tui.view.colon_help import SHORT
from tui.view.objects import SHELVES, shelf_of

if TYPE_CHECKING:
    from tui.screens.diagnose import DiagnoseScreen

Said = str
"""What is told on the key line; empty when there is nothing to say."""
_NAMING = frozenset({"target", "from", "to", "why"})
"""Commands after which names of the cluster are completed."""
_SHOWN = 40
"""Names that are told at most where one is wrong."""


def obey(screen: DiagnoseScreen, text: str) -> Said:
    """Do what was typed; what is told is an error or says what happened."""
    name, *words = text.split() or [""]
    if name.lower() == "why":
        return _why(screen, text.strip()[len(name) :])
    name = SHORT.get(name.lower(), name.lower())
    command = _COMMANDS.get(name)
    if command is not None:
        return _told_in_full(screen, command(screen, words))
    if list_typed(screen, name, words):
        return ""
    catalogue = screen.console.session.catalogue
    if words and _is_agents(name):
        return _told_in_full(screen, _run_in_agents(screen, text))
    if catalogue and catalogue.playbook(name):
        return "" if screen.go_to(f"playbook {name}") else f"the playbook {name} is not in the list"
    if _is_agents(name):
        return _told_in_full(screen, _run_in_agents(screen, text))
    return _told_in_full(screen, unknown(name, (*_COMMANDS, *lists()), "command")) if name else ""


def completions(screen: DiagnoseScreen, text: str) -> tuple[str, ...]:
    """What a beginning may become."""
    name, blank, last = text.partition(" ")
    if not blank:
        return tuple(known for known in (*_COMMANDS, *lists()) if known.startswith(name) and known != name)
    known_name = SHORT.get(name, name)
    if known_name not in _COMMANDS and _is_agents(name):
        return _agent_completions(screen, text)
    head, _, word = last.rpartition(" ")
    before = f"{name} {head} " if head else f"{name} "
    if known_name in _NAMING or shelf_of(known_name):
        return tuple(before + one for one in _named(screen, word) if one != word)
    choices = _choices(screen, known_name)
    return tuple(
        before + choice for choice in choices if choice.lower().startswith(word.lower()) and choice != word
    )


def _choices(screen: DiagnoseScreen, name: str) -> tuple[str, ...]:
    """What may follow a command."""
    session = screen.console.session
    if name == "check" and session.catalogue:
        return tuple(playbook.name for playbook in session.catalogue.playbooks)
    if name in ("node", "log") and session.snapshot:
        return session.snapshot.nodes
    if name == "theme":
        from tui.themes import PALETTES

        return tuple(PALETTES)
    if name == "rule" and session.catalogue:
        return tuple(rule.id for rule in session.catalogue.rules)
    if name == "ns":
        return session.names.namespaces if session.names else ()
    if name == "ctx":
        contexts = colon_places.contexts_of(session)
        return contexts.names if contexts else ()
    return ()


def _named(screen: DiagnoseScreen, word: str) -> tuple[str, ...]:
    """Names of the cluster that begin with what is typed, or that hold it."""
    from tui.view.naming import holding

    names = screen.console.session.names
    return holding(word, (*names.called, *names.nodes)) if names and word else ()


def _agent_completions(screen: DiagnoseScreen, text: str) -> tuple[str, ...]:
    """Commands that begin like this; nodes after a mark."""
    from playbooks.knowledge.agent_commands import known_commands

    head, mark, place = text.rpartition("@")
    if mark:
        nodes = screen.console.session.snapshot.nodes if screen.console.session.snapshot else ()
        found = ("all", *nodes)
        return tuple(f"{head}@{one}" for one in found if one.startswith(place) and one != place)
    reads = (one.name for one in known_commands() if one.kind == "read")
    return tuple(one for one in reads if one.startswith(text) and one != text)


def _is_agents(name: str) -> bool:
    from tui.view.agent_words import first_words

    return name in first_words()


def _run_in_agents(screen: DiagnoseScreen, text: str) -> Said:
    from tui.screens.agents import run_typed

    return run_typed(screen, text)


def _told_in_full(screen: DiagnoseScreen, said: Said) -> Said:
    """What fits on the key line is told there; what does not gets a page, for a reason cut off is none."""
    if len(said) <= screen.size.width:
        return said
    screen.tell_in_full(said, "Not done")
    return ""


def lists() -> tuple[str, ...]:
    """Lists of objects, by the word that is typed for them."""
    return tuple(one.key for one in SHELVES)


def unknown(name: str, known: tuple[str, ...], kind: str = "") -> Said:
    """What there is instead, and what is near."""
    from tui.commands.near import near

    close = near(name, known)
    shown = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else "")
    what = f"{kind} {name!r}" if kind else repr(name)
    return f"there is no {what}; " + (f"near: {', '.join(close)}" if close else f"there is: {shown}")


def _check(screen: DiagnoseScreen, words: list[str]) -> Said:
    session = screen.console.session
    if not session.catalogue or not session.runs:
        return "there is no connection yet"
    there = tuple(playbook.name for playbook in session.catalogue.playbooks)
    for word in words:
        if word not in there:
            return unknown(word, there)
    session.check(tuple(words))
    screen.update()
    return f"asking again: {', '.join(words) or 'every playbook'}"


def _rerun(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    screen.action_again()
    return ""


def _node(screen: DiagnoseScreen, words: list[str]) -> Said:
    session = screen.console.session
    if not session.runs:
        return "there is no connection yet"
    session.choose_nodes(tuple(words))
    screen.update()
    return f"only nodes {', '.join(words)}; :node alone takes all again" if words else "all nodes"


def _gaps(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    return "" if screen.go_to("gaps") else "nothing that was asked for stayed unseen"


def _raw(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    screen.action_raw()
    return ""


def _log(screen: DiagnoseScreen, words: list[str]) -> Said:
    session = screen.console.session
    nodes = session.snapshot.nodes if session.snapshot else ()
    if not words:
        return "which node? :log NODE, or :log NODE previous"
    if nodes and words[0] not in nodes:
        return unknown(words[0], nodes)
    screen.show_log(words[0], is_previous=True if words[1:2] == ["previous"] else None)
    return ""


def _rule(screen: DiagnoseScreen, words: list[str]) -> Said:
    from tui.view.merged import keyed

    wanted = words[0].upper() if words else ""
    session = screen.console.session
    for key, one in keyed(session.snapshot).items():
        if one.rule.id == wanted:
            return (
                ""
                if screen.go_to(f"finding {key}")
                else f"{wanted} is not in the list: / and enter shows all rows"
            )
    rule = session.catalogue.rule(wanted) if session.catalogue and wanted else None
    if rule is None:
        return unknown(wanted, tuple(one.id for one in session.catalogue.rules) if session.catalogue else ())
    screen.go_to(f"step {rule.playbook} {rule.step}")
    return f"{rule.id} found nothing; this is its step"


def _why(screen: DiagnoseScreen, text: str) -> Said:
    from tui.screens.why import WhyScreen
    from tui.view.why_form import WhyForm, WrongQuestion

    try:
        form = WhyForm.of(text)
    except WrongQuestion as wrong:
        return str(wrong)
    screen.app.push_screen(WhyScreen(form))
    return ""


def _info(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    screen.action_info()
    return ""


def _theme(screen: DiagnoseScreen, words: list[str]) -> Said:
    from tui.themes import PALETTES

    name = words[0] if words else ""
    if name not in PALETTES:
        return unknown(name, tuple(PALETTES))
    screen.console.wear(PALETTES[name])
    return ""


def _stop(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    screen.action_stop()
    return ""


def _help(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    screen.action_help()
    return ""


def _quit(screen: DiagnoseScreen, words: list[str]) -> Said:
    del words
    screen.console.leave()
    return ""


_COMMANDS: dict[str, Callable[[DiagnoseScreen, list[str]], Said]] = {
    "check": _check,
    "rerun": _rerun,
    "node": _node,
    "gaps": _gaps,
    "raw": _raw,
    "log": _log,
    "rule": _rule,
    "why": lambda screen, words: _why(screen, " ".join(words)),
    "target": colon_places.target,
    "from": colon_places.source,
    "to": colon_places.destination,
    "ns": colon_places.namespace,
    "ctx": colon_places.context,
    "info": _info,
    "theme": _theme,
    "stop": _stop,
    "help": _help,
    "quit": _quit,
}
