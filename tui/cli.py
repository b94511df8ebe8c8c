"""The command `honeyguide`: parses what was typed and loads only what that needs."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from playbooks import __version__

if TYPE_CHECKING:
    from tui.commands.options import Options

_BY_SIGNAL = (130, 143)


def main() -> int:
    """Run the command line; the exit code."""
    argv = sys.argv[1:]
    if sys.stdout is None or sys.stderr is None:
        _hold_closed_streams()
    if argv in (["--version"], ["-V"]):
        sys.stdout.write(f"honeyguide {__version__}\n")
        return 0
    from tui.commands.parsing import parse, program_name

    code = _run(parse(argv, program_name()))
    if code in _BY_SIGNAL or _has_drawn():
        _leave(code)
    return code


def _hold_closed_streams() -> None:
    """A stream that was closed by who started us (`>&-`) is one that nobody reads."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  lasts as long as we do
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  lasts as long as we do


def _run(options: Options) -> int:
    from tui.commands.parsing import module_of
    from tui.commands.trouble import Trouble, broken, told

    try:
        module = importlib.import_module(f"tui.commands.{module_of(options)}")
        code: int = module.run(options)
        sys.stdout.flush()
    except Trouble as trouble:
        return told(trouble)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        from tui.commands.writing import deafen

        deafen()
        return 0
    except Exception:  # noqa: BLE001  a crash of ours must not look like a finding: Python would end with 1
        return broken()
    return code


def _has_drawn() -> bool:
    """Whether a console was drawn: taking apart what it holds would take longer than leaving it."""
    console = sys.modules.get("tui.commands.console")
    return console is not None and bool(console.has_drawn)


def _leave(code: int) -> None:
    """End now: a thread that waits for a plug-in or a disk must not hold up who said stop."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            continue
    os._exit(code)
