"""The command `honeyguide`: parses what was typed and loads only what that needs."""

from __future__ import annotations

import importlib
import os
import sys

from playbooks import __version__


def main() -> int:
    """Run the command line; the exit code."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        sys.stdout.write(f"honeyguide {__version__}\n")
        return 0
    from tui.commands.parsing import module_of, parse, program_name

    options = parse(argv, program_name())
    module = importlib.import_module(f"tui.commands.{module_of(options)}")
    from tui.commands.trouble import Trouble, broken, told

    try:
        code: int = module.run(options)
        sys.stdout.flush()
    except Trouble as trouble:
        return told(trouble)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has seen enough; without this the interpreter complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001  a crash of ours must not look like a finding: Python would end with 1
        return broken()
    return code
