"""A raw answer of any size: only the visible rows are decoded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.strip import Strip

from tui.ink import BLANK, Ink, Line, Piece, line, wrapped
from tui.keys import Place
from tui.look import look_of
from tui.widgets.inked import Inked

if TYPE_CHECKING:
    from tui.view.sheet import Sheet
    from tui.view.topic import Page


class AnswerPane(Inked):
    """The rows of a sheet, or a few lines that say why there is none."""

    def __init__(self, place: Place = Place.ANSWER, *, id: str | None = None) -> None:
        """An empty answer."""
        super().__init__(id=id)
        self.place = place
        self.sheet: Sheet | None = None
        self.kept_filter = ""
        self.page: Page | None = None
        self._page_key = ""
        self._head: tuple[Line, ...] = ()
        self._unwrapped: tuple[Line, ...] = ()
        self._said: tuple[Line, ...] = ()
        self._marked = range(0)
        self._kept: Sequence[int] | None = None

    @property
    def row_count(self) -> int:
        """How many rows are shown."""
        if self.sheet is None:
            return len(self._said)
        return len(self._said) + (len(self.sheet) if self._kept is None else len(self._kept))

    @property
    def content_width(self) -> int:
        """The longest row, in bytes: counting columns would decode them all."""
        return max(self.room.width, self.sheet.width if self.sheet else 0)

    def row_at(self, index: int) -> Line:
        """A row, decoded now."""
        if self.sheet is None or index < len(self._said):
            return self._said[index]
        row = index - len(self._said)
        number = row if self._kept is None else self._kept[row]
        is_marked = number in self._marked
        return Line((Piece(self.sheet.row(number), Ink.MARKED if is_marked else Ink.PLAIN),))

    def say_instead(self, *said: Line) -> None:
        """Show a few lines in place of an answer."""
        if self.sheet is None and self.page is None and self._unwrapped == said:
            return
        self.sheet, self._kept, self._marked, self.page = None, None, range(0), None
        self._say(*said)
        self._from_the_top()

    def show(self, sheet: Sheet, excerpt: str = "", head: Line | None = None) -> None:
        """Show an answer under its command, from the part that proves the point if that is in it."""
        self.sheet, self._kept, self.kept_filter, self.page = sheet, None, "", None
        self._head = (head,) if head else ()
        self._say(*self._head, *(() if len(sheet) else (line("the answer is empty", ink=Ink.QUIET),)))
        self._marked = sheet.rows_of(excerpt) if excerpt else range(0)
        self._from_the_top()
        if self._marked:
            above = len(self._said) + self._marked[0] - self.room.height // 3
            self.scroll_to(y=max(0, above), animate=False, force=True)

    def show_page(self, page: Page, key: str) -> None:
        """Show a page in place of an answer; another look at the same one stays where it was scrolled to."""
        is_new = self.page is None or key != self._page_key
        kept = "" if is_new else self.kept_filter
        page = page.keeping(kept)
        if page == self.page and not is_new:
            return
        self.sheet, self._kept, self._marked = None, None, range(0)
        self.page, self._page_key, self.kept_filter = page, key, kept
        self._say()
        if is_new:
            self._from_the_top()
        else:
            self.fit()
            self.refresh()

    def printed(self) -> Iterable[Line]:
        """What is shown, unwrapped."""
        if self.page is not None:
            return self.page.lines()
        return (self.row_at(at) for at in range(self.row_count))

    def keep_only(self, wanted: str) -> None:
        """Show only rows that hold a text; all of them when it is empty."""
        if self.page is not None and wanted != self.kept_filter:
            self.kept_filter, self.page = wanted, self.page.keeping(wanted)
            self._say()
            self._from_the_top()
        if self.sheet is None or wanted == self.kept_filter:
            return
        self.kept_filter = wanted
        self.run_worker(self._search(self.sheet, wanted), exclusive=True)

    async def _search(self, sheet: Sheet, wanted: str) -> None:
        # Beside the screen, which must not stand still while megabytes are read.
        kept = await asyncio.to_thread(sheet.matching, wanted) if wanted else None
        if sheet is not self.sheet or wanted != self.kept_filter:
            return
        self._kept = kept
        count = line(f"{len(kept or ()):,} of {len(sheet):,} rows hold {wanted!r}", ink=Ink.INFO)
        self._say(*self._head, *((count,) if wanted else ()))
        self._from_the_top()

    def render_line(self, y: int) -> Strip:
        """Draw a row; nothing is kept, for there may be millions."""
        index = y + self.scroll_offset.y
        width, left = self.room.width, self.scroll_offset.x
        look = look_of(self)
        row = look.drawn(self.row_at(index)) if index < self.row_count else BLANK
        strip = look.strip(row, max(width, row.width) + left, self.rich_style).crop(left, left + width)
        if row.width > left + width:
            sign = look.text("…")
            more = look.strip(line(sign, ink=Ink.KEY), cell_len(sign), self.rich_style)
            strip = Strip.join([strip.crop(0, width - more.cell_length), more])
        return strip

    def lay_out(self) -> None:
        """Wrap our own words again for another width."""
        self._say(*self._unwrapped)
        super().lay_out()

    def _say(self, *said: Line) -> None:
        """Our own words, above the rows or in their place; wrapped, unlike the rows."""
        width, look = self.room.width, look_of(self)
        self._unwrapped = said
        if self.page is not None:
            said = self.page.lines(width)
        self._said = tuple(row for one in said for row in wrapped(look.drawn(one), width)) if width else said

    def _from_the_top(self) -> None:
        self.fit()
        self.scroll_to(y=0, x=0, animate=False, force=True)
        self.refresh()
