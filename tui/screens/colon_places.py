"""What is typed after a colon to say where one is: the target, the namespace, the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.aiming import Ends
    from tui.connection import Contexts
    from tui.screens.diagnose import DiagnoseScreen
    from tui.session import Session

_NO_CONNECTION = "there is no connection yet"
_USAGE = "one target, or who calls and what is called: :target shop/cart shop/redis:6379"


def target(screen: DiagnoseScreen, words: list[str]) -> str:
    """Aim at one thing or at a call; at nothing when none is named."""
    from tui.aiming import Ends

    return _USAGE if len(words) > 2 else _aim(screen, Ends.of(tuple(words)))


def source(screen: DiagnoseScreen, words: list[str]) -> str:
    """Say who calls."""
    from tui.aiming import Ends

    if len(words) != 1:
        return "one caller: :from shop/cart; :target alone aims at nothing in particular"
    return _aim(screen, (screen.console.session.ends or Ends()).coming_from(words[0]))


def destination(screen: DiagnoseScreen, words: list[str]) -> str:
    """Say what is called."""
    from tui.aiming import Ends

    if len(words) != 1:
        return "one thing that is called: :to shop/redis:6379; :target alone aims at nothing in particular"
    return _aim(screen, (screen.console.session.ends or Ends()).going_to(words[0]))


def namespace(screen: DiagnoseScreen, words: list[str]) -> str:
    """Show one namespace only, or all again."""
    from tui.screens.colon import unknown

    session = screen.console.session
    if len(words) > 1:
        return "one namespace: :ns shop; :ns alone shows all"
    wanted = words[0].rstrip("/") if words else ""
    there = session.names.namespaces if session.names else ()
    if wanted and there and wanted not in there:
        return unknown(wanted, there, "namespace")
    session.namespace = wanted
    screen.update()
    return f"only namespace {wanted}; :ns alone shows all" if wanted else "all namespaces"


def context(screen: DiagnoseScreen, words: list[str]) -> str:
    """Open another context, or let one be chosen."""
    from tui.screens.colon import unknown

    contexts = contexts_of(screen.console.session)
    if contexts is None:
        return "this console is not on a context; to open one: honeyguide --context NAME"
    if contexts.refusal:
        return contexts.refusal
    if not words:
        others = tuple(name for name in contexts.names if name != contexts.current)
        if not others:
            return f"{contexts.current} is the only context of the kubeconfig"
        screen.console.choose(
            f"Open which context? This is {contexts.current}.",
            others,
            lambda name: _open(screen, contexts, name),
        )
        return ""
    if words[0] not in contexts.names:
        return unknown(words[0], contexts.names, "context")
    if words[0] == contexts.current:
        return f"this is {contexts.current}"
    _open(screen, contexts, words[0])
    return ""


def contexts_of(session: Session) -> Contexts | None:
    """The contexts that can be opened from here."""
    return session.options.contexts() if session.options.contexts else None


def _open(screen: DiagnoseScreen, contexts: Contexts, name: str) -> None:
    contexts.reopen(name)
    screen.console.leave()


def _aim(screen: DiagnoseScreen, ends: Ends) -> str:
    from tui.aiming import aim

    if not aim(screen.console.session, ends):
        return _NO_CONNECTION
    return f"looking for {ends.said}..." if ends.words else ""
