"""What is typed after a colon."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.view.colon_help import SHORT

if TYPE_CHECKING:
    from tui.screens.diagnose import DiagnoseScreen

Said = str
"""What is told on the key line; empty when there is nothing to say."""


def obey(screen: DiagnoseScreen, text: str) -> Said:
    """Do what was typed; what is told is an error or says what happened."""
    name, *words = text.split() or [""]
    if name.lower() == "why":
        return _why(screen, text.strip()[len(name) :])
    name = SHORT.get(name.lower(), name.lower())
    command = _COMMANDS.get(name)
    if command is not None:
        return command(screen, words)
    catalogue = screen.console.session.catalogue
    if words and _is_agents(name):
        return _told_in_full(screen, _run_in_agents(screen, text))
    if catalogue and catalogue.playbook(name):
        return "" if screen.go_to(f"playbook {name}") else f"the playbook {name} is not in the list"
    if _is_agents(name):
        return _told_in_full(screen, _run_in_agents(screen, text))
    return _unknown(name, tuple(_COMMANDS)) if name else ""


def completions(screen: DiagnoseScreen, text: str) -> tuple[str, ...]:
    """What a beginning may become."""
    name, blank, last = text.partition(" ")
    if not blank:
        return tuple(known for known in _COMMANDS if known.startswith(name) and known != name)
    if name not in _COMMANDS and _is_agents(name):
        return _agent_completions(screen, text)
    session = screen.console.session
    choices: tuple[str, ...] = ()
    if name == "check" and session.catalogue:
        choices = tuple(playbook.name for playbook in session.catalogue.playbooks)
    elif name in ("node", "log") and session.snapshot:
        choices = session.snapshot.nodes
    elif name == "theme":
        from tui.themes import PALETTES

        choices = tuple(PALETTES)
    elif name == "rule" and session.catalogue:
        choices = tuple(rule.id for rule in session.catalogue.rules)
    head, _, word = last.rpartition(" ")
    before = f"{name} {head} " if head else f"{name} "
    return tuple(
        before + choice for choice in choices if choice.lower().startswith(word.lower()) and choice != word
    )


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
    from tui.ink import line
    from tui.screens.reader import PaperScreen

    screen.app.push_screen(PaperScreen("Not run", (line(said),)))
    return ""


def _unknown(name: str, known: tuple[str, ...]) -> Said:
    from tui.commands.near import near

    close = near(name, known)
    return f"there is no {name!r}; " + (
        f"near: {', '.join(close)}" if close else f"there is: {', '.join(known)}"
    )


def _check(screen: DiagnoseScreen, words: list[str]) -> Said:
    session = screen.console.session
    if not session.catalogue or not session.runs:
        return "there is no connection yet"
    there = tuple(playbook.name for playbook in session.catalogue.playbooks)
    for word in words:
        if word not in there:
            return _unknown(word, there)
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
        return _unknown(words[0], nodes)
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
        return _unknown(wanted, tuple(one.id for one in session.catalogue.rules) if session.catalogue else ())
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
        return _unknown(name, tuple(PALETTES))
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
    "info": _info,
    "theme": _theme,
    "stop": _stop,
    "help": _help,
    "quit": _quit,
}
