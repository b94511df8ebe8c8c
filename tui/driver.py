"""The terminal driver: survives what is not UTF-8, and knows when the link is behind."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Any

from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

_LEGACY_MOUSE = re.compile(rb"\x1b\[M[\x00-\xff]{3}", re.DOTALL)
_UNFINISHED_MOUSE = re.compile(rb"\x1b\[M[\x00-\xff]{0,2}\Z", re.DOTALL)


class TolerantDecoder:
    """Decodes what a terminal sends, without ever failing.

    Terminals without SGR mouse reports send three raw bytes, which are neither UTF-8 nor keys: taken as keys,
    a click in column 81 would be a `q`.
    """

    def __init__(self, encoding: str) -> None:
        """`encoding` is what the driver asks for."""
        self._decoder = getincrementaldecoder(encoding)(errors="replace")
        self._rest = b""

    def decode(self, data: bytes, final: bool = False) -> str:
        """Text without legacy mouse reports; an unfinished one waits for its rest."""
        data = _LEGACY_MOUSE.sub(b"", self._rest + data)
        unfinished = _UNFINISHED_MOUSE.search(data)
        cut = unfinished.start() if unfinished else len(data)
        self._rest = b"" if final else data[cut:]
        return self._decoder.decode(data[:cut], final)


class Writer(WriterThread):
    """Writes to the terminal, and goes on taking what is drawn when that is gone.

    A writer that ends with the terminal's error leaves its queue to fill up, and whoever draws next, or wants
    to leave, waits for ever: a console that nobody sees any more.
    """

    def run(self) -> None:
        """Write until the end."""
        is_there = True
        while (text := self._queue.get()) is not None:
            is_there = is_there and self._put(text)
        if is_there:
            self._put("", is_last=True)

    def _put(self, text: str, *, is_last: bool = False) -> bool:
        """Write, and flush when nothing else waits. Whether the terminal is still there."""
        try:
            self._file.write(text)
            if is_last or self._queue.empty():
                self._file.flush()
        except (OSError, ValueError):
            # A terminal that hung up answers with an error, a closed one is no file any more.
            return False
        return True


class ConsoleDriver(LinuxDriver):
    """The driver of the console."""

    def start_application_mode(self) -> None:
        """Begin to draw."""
        # As with the decoder below: the driver makes its writer by this name.
        vars(linux_driver)["WriterThread"] = Writer
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def run_input_thread(self) -> None:
        """Read keys until the end."""
        # The driver makes its decoder by this name and offers no other way; Textual is pinned.
        vars(linux_driver)["getincrementaldecoder"] = _tolerant
        super().run_input_thread()

    @property
    def is_behind(self) -> bool:
        """Whether the terminal has yet to take what was drawn before: more of it only makes keys wait."""
        writer = self._writer_thread
        return writer is not None and not writer._queue.empty()


def _tolerant(encoding: str) -> Any:
    return lambda: TolerantDecoder(encoding)
