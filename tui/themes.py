"""Themes: how each ink looks, for true colour, 256 colours, 16 colours and none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rich.style import Style
from textual.theme import Theme

from tui.ink import Ink


@dataclass(frozen=True)
class Palette:
    """A theme and its inks."""

    theme: Theme
    """What Textual paints: background, borders, scrollbars."""
    inks: Mapping[Ink, str]
    """What we paint, in Rich's words."""
    cursor: str
    """The selected row of the focused pane."""
    cursor_elsewhere: str
    """The selected row of another pane."""

    @property
    def name(self) -> str:
        """As typed after --theme."""
        return self.theme.name

    @cached_property
    def styles(self) -> Mapping[Ink, Style]:
        """The inks, parsed."""
        return {ink: Style.parse(words) for ink, words in self.inks.items()}

    @cached_property
    def cursor_style(self) -> Style:
        """The selected row of the focused pane, parsed."""
        return Style.parse(self.cursor)

    @cached_property
    def cursor_elsewhere_style(self) -> Style:
        """The selected row of another pane, parsed."""
        return Style.parse(self.cursor_elsewhere)


def _theme(name: str, *, background: str, foreground: str, border: str, focus: str, dark: bool) -> Theme:
    return Theme(
        name=name,
        primary=focus,
        secondary=border,
        accent=focus,
        foreground=foreground,
        background=background,
        surface=background,
        panel=background,
        warning=focus,
        error=focus,
        success=focus,
        dark=dark,
        variables={
            "border": focus,
            "border-blurred": border,
            "scrollbar": border,
            "scrollbar-hover": focus,
            "scrollbar-active": focus,
            "scrollbar-background": background,
            "scrollbar-background-hover": background,
            "scrollbar-background-active": background,
            "scrollbar-corner-color": background,
        },
    )


DARK = Palette(
    _theme("dark", background="#121212", foreground="#dadada", border="#4e4e4e", focus="#5fafff", dark=True),
    {
        Ink.PLAIN: "#dadada",
        Ink.BOLD: "bold #ffffff",
        Ink.QUIET: "#949494",
        Ink.TITLE: "bold #afd7ff",
        Ink.ERROR: "bold #ff5f5f",
        Ink.WARN: "bold #ffaf00",
        Ink.INFO: "#87afff",
        Ink.OK: "#5fd787",
        Ink.UNSEEN: "bold #d787ff",
        Ink.COMMAND: "#5fd7ff",
        Ink.PROOF: "#d7d7af",
        Ink.KEY: "bold #ffd787",
        Ink.MARKED: "bold #121212 on #ffd75f",
        Ink.ALARM: "bold reverse",
    },
    cursor="bold #ffffff on #005faf",
    cursor_elsewhere="#ffffff on #303030",
)

LIGHT = Palette(
    _theme(
        "light", background="#ffffff", foreground="#1c1c1c", border="#9e9e9e", focus="#005faf", dark=False
    ),
    {
        Ink.PLAIN: "#1c1c1c",
        Ink.BOLD: "bold #000000",
        Ink.QUIET: "#626262",
        Ink.TITLE: "bold #00005f",
        Ink.ERROR: "bold #af0000",
        Ink.WARN: "bold #875f00",
        Ink.INFO: "#005faf",
        Ink.OK: "#005f00",
        Ink.UNSEEN: "bold #8700af",
        Ink.COMMAND: "#005f87",
        Ink.PROOF: "#5f5f00",
        Ink.KEY: "bold #870000",
        Ink.MARKED: "bold #000000 on #ffd75f",
        Ink.ALARM: "bold reverse",
    },
    cursor="bold #ffffff on #005faf",
    cursor_elsewhere="#000000 on #dadada",
)

# Blue and orange instead of green and red, everything at least 7:1 on black.
CONTRAST = Palette(
    _theme(
        "contrast", background="#000000", foreground="#ffffff", border="#bcbcbc", focus="#ffff00", dark=True
    ),
    {
        Ink.PLAIN: "#ffffff",
        Ink.BOLD: "bold #ffffff",
        Ink.QUIET: "#d0d0d0",
        Ink.TITLE: "bold underline #ffffff",
        Ink.ERROR: "bold #ff8700",
        Ink.WARN: "bold #ffff5f",
        Ink.INFO: "#ffffff",
        Ink.OK: "#5fafff",
        Ink.UNSEEN: "bold #ff87ff",
        Ink.COMMAND: "#87ffff",
        Ink.PROOF: "#ffffd7",
        Ink.KEY: "bold #ffff5f",
        Ink.MARKED: "bold #000000 on #ffff5f",
        Ink.ALARM: "bold #000000 on #ffffff",
    },
    cursor="bold #000000 on #ffff00",
    cursor_elsewhere="bold #ffffff on #444444",
)

_TERMINAL = {
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "border": "ansi_bright_blue",
    "border-blurred": "ansi_default",
    "scrollbar": "ansi_default",
    "scrollbar-background": "ansi_default",
}


def _of_terminal(name: str) -> Theme:
    return Theme(
        name=name,
        ansi=True,
        primary="ansi_blue",
        secondary="ansi_cyan",
        warning="ansi_yellow",
        error="ansi_red",
        success="ansi_green",
        accent="ansi_blue",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables=_TERMINAL,
    )


# The terminal's own colours and background: 16 colours, and the fewest bytes.
SIXTEEN = Palette(
    _of_terminal("sixteen"),
    {
        Ink.PLAIN: "default",
        Ink.BOLD: "bold",
        Ink.QUIET: "default",
        Ink.TITLE: "bold underline",
        Ink.ERROR: "bold red",
        Ink.WARN: "bold yellow",
        Ink.INFO: "cyan",
        Ink.OK: "green",
        Ink.UNSEEN: "bold magenta",
        Ink.COMMAND: "cyan",
        Ink.PROOF: "default",
        Ink.KEY: "bold",
        Ink.MARKED: "bold reverse",
        Ink.ALARM: "bold reverse",
    },
    cursor="bold reverse",
    cursor_elsewhere="bold underline",
)

# For NO_COLOR: the glyph and the word carry the meaning.
MONO = Palette(
    _of_terminal("mono"),
    {
        **dict.fromkeys(Ink, "default"),
        **dict.fromkeys((Ink.BOLD, Ink.ERROR, Ink.WARN, Ink.UNSEEN, Ink.KEY), "bold"),
        Ink.TITLE: "bold underline",
        Ink.MARKED: "bold reverse",
        Ink.ALARM: "bold reverse",
    },
    cursor="bold reverse",
    cursor_elsewhere="bold underline",
)

PALETTES: Mapping[str, Palette] = {one.name: one for one in (DARK, LIGHT, CONTRAST, SIXTEEN, MONO)}
"""By name, as typed after --theme."""


def choose(wanted: str, *, colours: int, is_colourless: bool) -> Palette:
    """The palette for a terminal: what was asked for, within what it can show."""
    if is_colourless:
        return MONO
    if wanted in PALETTES:
        return PALETTES[wanted]
    return DARK if colours >= 256 else SIXTEEN
