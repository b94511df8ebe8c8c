"""Themes: readable, and apart from each other in few colours."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from rich.style import Style

from tui.ink import Ink
from tui.themes import CONTRAST, DARK, LIGHT, MONO, PALETTES, SIXTEEN, Palette, choose

PAINTED = [DARK, LIGHT, CONTRAST]
VERDICTS = (Ink.ERROR, Ink.WARN, Ink.OK, Ink.UNSEEN)


def luminance(color: Color) -> float:
    def linear(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = color.get_truecolor()
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def contrast(one: Color, other: Color) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colours(style: Style, palette: Palette) -> tuple[Color, Color]:
    theme = palette.theme
    return style.color or Color.parse(theme.foreground or ""), style.bgcolor or Color.parse(
        theme.background or ""
    )


@pytest.mark.parametrize("palette", PAINTED, ids=lambda one: one.name)
def test_every_ink_can_be_read(palette: Palette) -> None:
    least = 7.0 if palette is CONTRAST else 4.5
    styles = {**palette.styles, "cursor": palette.cursor_style, "elsewhere": palette.cursor_elsewhere_style}
    found = {name: contrast(*colours(style, palette)) for name, style in styles.items()}
    assert {name: round(value, 1) for name, value in found.items() if value < least} == {}


@pytest.mark.parametrize("palette", [*PAINTED, SIXTEEN], ids=lambda one: one.name)
def test_verdicts_stay_apart_in_256_and_16_colours(palette: Palette) -> None:
    for system in (ColorSystem.EIGHT_BIT, ColorSystem.STANDARD):
        if palette is not SIXTEEN and system is ColorSystem.STANDARD:
            continue
        shown = {palette.styles[ink].color.downgrade(system) for ink in VERDICTS}
        assert len(shown) == len(VERDICTS)


def test_contrast_needs_neither_green_nor_red() -> None:
    for ink in VERDICTS:
        red, green, blue = CONTRAST.styles[ink].color.get_truecolor()
        assert not (green > red and green > blue)
        assert not (red > 200 and green < 100 and blue < 100)


def test_without_colour_nothing_is_told_by_colour() -> None:
    assert all(style.color is None or style.color.is_default for style in MONO.styles.values())


@pytest.mark.parametrize("palette", PALETTES.values(), ids=lambda one: one.name)
def test_every_ink_is_there_and_the_cursor_is_seen(palette: Palette) -> None:
    assert set(palette.inks) == set(Ink)
    cursor = palette.cursor_style
    assert cursor.reverse or cursor.bgcolor


def test_the_terminal_decides() -> None:
    assert choose("", colours=256, is_colourless=False) is DARK
    assert choose("", colours=16, is_colourless=False) is SIXTEEN
    assert choose("contrast", colours=16, is_colourless=False) is CONTRAST
    assert choose("contrast", colours=256, is_colourless=True) is MONO
