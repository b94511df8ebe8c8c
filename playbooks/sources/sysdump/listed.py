"""Splits a list in YAML at its items, without holding more than one batch of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.sources.sysdump import limits
from playbooks.sources.sysdump.cursor import Cursor
from playbooks.sources.sysdump.trouble import Damaged

BATCH = 250
"""Items in one batch at most."""
_BATCH_BYTES = 4 * limits.MIB
_HEAD = 64 * 1024
"""Bytes before the first item and after the last one."""
_ITEMS = re.compile(rb"^items:[ \t]*(?P<value>\S.*)?\n", re.MULTILINE)
_FIRST = re.compile(rb"(?P<indent> *)- ")
_KIND = re.compile(rb'^kind: "?(?P<kind>\w+)"?\s*$', re.MULTILINE)
_ELSEWHERE = "look at the file: it is not what `cilium sysdump` writes"


@dataclass(slots=True)
class Listed:
    """A YAML file that holds a list, or one object."""

    cursor: Cursor
    """Its content."""
    kind: str = ""
    """The kind that the file states, known after the last batch; empty when it ends before that."""
    is_list: bool = True
    """Whether there are items; else the whole file is the one object."""
    is_cut: bool = False
    """Whether the file ends before the list does; the last, torn item is left out."""
    _text: bytes = b""
    _is_over: bool = False

    def batches(self) -> Iterator[list[bytes]]:
        """Items as YAML text, some at a time; one object as one item. Raises `Damaged`."""
        size, batch = 0, list[bytes]()
        for item in self._items():
            if batch and (len(batch) >= BATCH or size + len(item) > _BATCH_BYTES):
                yield batch
                size, batch = 0, []
            batch.append(item)
            size += len(item)
        if batch:
            yield batch

    def _items(self) -> Iterator[bytes]:
        self._fill(_HEAD)
        found = _ITEMS.search(self._text)
        if found is None:
            yield self._whole()
            return
        self._take_kind(self._text[: found.start()])
        self._text = self._text[found.end() :]
        self._fill(_HEAD)
        if found["value"] not in (None, b"[]", b"null"):
            raise Damaged("its items are not written one below the other", _ELSEWHERE)
        first = _FIRST.match(self._text)
        if first:
            yield from self._split(first[0])
        self._finish()

    def _split(self, dash: bytes) -> Iterator[bytes]:
        """Yield items that begin with `dash`, up to a line that is indented as they are and is none."""
        border = re.compile(rb"\n(?= {0,%d}[^ \n])" % (len(dash) - 2))
        while True:
            begin = 0
            for found in border.finditer(self._text):
                yield self._text[begin : found.end()]
                begin = found.end()
                self._fill(begin + len(dash))
                if not self._text.startswith(dash, begin):
                    self._text = self._text[begin:]
                    return
            self._text = self._text[begin:]
            if len(self._text) > limits.ITEM:
                raise _too_large()
            if not self._more():
                self.is_cut = True
                return

    def _whole(self) -> bytes:
        self.is_list = False
        self._fill(limits.ITEM + 1)
        if len(self._text) > limits.ITEM:
            raise _too_large()
        self._take_kind(self._text)
        return self._text

    def _finish(self) -> None:
        """Read on to the end, where the kind is, and the checksum."""
        self._fill(_HEAD)
        if not self.is_cut:
            self._take_kind(self._text)
            self.is_cut = not self.kind
        self._text = b""
        while self._more():
            self._text = b""

    def _take_kind(self, text: bytes) -> None:
        if found := _KIND.search(text):
            self.kind = found["kind"].decode()

    def _fill(self, size: int) -> None:
        while len(self._text) < size and self._more():
            pass

    def _more(self) -> bool:
        data = b"" if self._is_over else self.cursor.read(limits.CHUNK)
        self._is_over = not data
        self._text += data
        return bool(data)


def _too_large() -> Damaged:
    return Damaged(f"an object in it is larger than {limits.ITEM // limits.MIB} MiB", _ELSEWHERE)
