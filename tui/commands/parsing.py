"""The command line: which commands and flags there are, and what each is for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from playbooks import __version__
from tui.commands.options import Options

EXITS = """exit codes: 0 all judged, no fault · 1 something is WARN or worse · 2 usage · 3 cannot connect
· 4 something could not be judged · 129/130/143 stopped by a signal"""


class Parser(argparse.ArgumentParser):
    """Says what was wrong and where to read more, in two lines."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {message}\n  to do: {self.prog} --help\n")


class Command(NamedTuple):
    """One command."""

    module: str
    """The module of `tui.commands` that has its `run(options)`."""
    words: str
    """What may stand beside flags, for the usage line."""
    help: str
    """One line."""
    add: Callable[[argparse.ArgumentParser], None] | None
    """Adds its flags; nothing when the command reads its arguments itself."""


def parse(argv: list[str], program: str) -> Options:
    """What was given. Ends the process with 2 for a wrong command line, 0 for `--help`."""
    argv, rest = _split(argv)
    argv = _command_first(argv)
    options = Options()
    parser: argparse.ArgumentParser
    if argv and argv[0] in COMMANDS:
        options.command = argv[0]
        command = COMMANDS[argv[0]]
        if command.add is None:
            options.argv = [*argv[1:], *rest]
            return options
        usage = f"%(prog)s {command.words} [flags]"
        about = command.help[:1].upper() + command.help[1:] + "."
        parser = Parser(
            prog=f"{program} {argv[0]}", usage=usage, description=about, epilog=EXITS, allow_abbrev=False
        )
        command.add(parser)
        parser.parse_args(argv[1:], options)
    else:
        parser = _console_parser(program)
        parser.parse_args(argv, options)
    if rest and options.command != "exec":
        if options.command:
            parser.error(f"nothing may follow --: {' '.join(rest)}")
        options.words += rest
    options.argv = rest
    _check_numbers(parser, options)
    _check_selector(parser, options)
    return options


def module_of(options: Options) -> str:
    """The module that runs it."""
    return COMMANDS[options.command].module if options.command else "console"


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _command_first(argv: list[str]) -> list[str]:
    """Let connection flags stand before the command, as with kubectl; a file to open is a command too."""
    position = 0
    while position < len(argv) and argv[position].startswith("-"):
        takes_value = argv[position] in _VALUED
        position += 2 if takes_value else 1
    if position >= len(argv):
        return argv
    if _is_file(argv[position]):
        return ["replay", *argv]
    if argv[position] in COMMANDS:
        return [argv[position], *argv[:position], *argv[position + 1 :]]
    return argv


def _is_file(word: str) -> bool:
    """Whether a word can only be an archive or a recording: targets neither begin nor end like this."""
    return word.startswith(("/", "./", "../", "~/")) or word.endswith((".zip", ".tar", ".tar.gz", ".tgz"))


def _check_numbers(parser: argparse.ArgumentParser, options: Options) -> None:
    for name, value, least in (
        ("--timeout", options.timeout, 0.1),
        ("--workers", options.workers, 1),
        ("--looks", options.looks, 1),
        ("--nodes", options.practice_nodes, 1),
        ("--tail", 1 if options.tail is None else options.tail, 1),
    ):
        if value < least:
            parser.error(f"{name} must be at least {least}")


def _check_selector(parser: argparse.ArgumentParser, options: Options) -> None:
    parts = options.agent_selector.split(",") if options.agent_selector else []
    for part in parts:
        key, equals, value = part.partition("=")
        if not (key.strip() and equals and value.strip()) or "=" in value:
            parser.error(f"--agent-selector takes KEY=VALUE[,KEY=VALUE], not {options.agent_selector!r}")


def _console_parser(program: str) -> argparse.ArgumentParser:
    listing = "\n".join(f"  {name:<10} {command.help}" for name, command in COMMANDS.items())
    parser = Parser(
        prog=program,
        usage=f"{program} [TARGET ...] [flags]\n       {program} SYSDUMP.zip [flags]"
        f"\n       {program} COMMAND [flags]",
        description="Troubleshoot Cilium: diagnose a cluster in a console, or print a report.",
        epilog=f"commands:\n{listing}\n\n"
        f"Nothing is ever changed. Without a terminal the report is printed as plain text.\n{EXITS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "words",
        metavar="TARGET",
        nargs="*",
        help="a pod, workload, service, label, address or node whose findings come first",
    )
    parser.add_argument("--version", action="version", version=f"honeyguide {__version__}")
    parser.add_argument("--quiet", dest="is_quiet", action="store_true", help="start nothing by itself")
    parser.add_argument(
        "--record", metavar="DIR", help="where the session is kept, instead of the usual place"
    )
    _looks(parser)
    _drawing(parser)
    _connection(parser)
    return parser


def _drawing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("console")
    group.add_argument("--theme", metavar="NAME", help="colours; chosen by what the terminal can show")
    group.add_argument("--ascii", dest="is_ascii", action="store_true", help="draw with ASCII only")
    group.add_argument("--slow", dest="is_slow", action="store_true", help="spare a bad link")
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")


def _connection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("connection")
    group.add_argument("--kubeconfig", metavar="FILE", help="instead of KUBECONFIG and ~/.kube/config")
    group.add_argument("--context", metavar="NAME", help="instead of the current one")
    group.add_argument("--as", dest="as_user", metavar="USER", help="act as this user")
    group.add_argument("--as-group", dest="as_groups", metavar="GROUP", action="append", help="repeatable")
    _asking(parser)
    _cilium(parser)


def _cilium(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where Cilium is, and how much of it to ask")
    group.add_argument("--node", dest="nodes", metavar="GLOB", action="append", help="only these; repeatable")
    group.add_argument(
        "--all-nodes", action="store_true", help="ask every agent, also of more than 100 nodes"
    )
    group.add_argument("--cilium-namespace", metavar="NAME", help="when it is not found by itself")
    group.add_argument("--agent-selector", metavar="LABELS", help="label selector of agent pods")
    group.add_argument("--agent-container", metavar="NAME", help="the agent's container")


def _asking(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how hard to ask")
    group.add_argument("--timeout", metavar="SECONDS", type=float, help="for one command in an agent (10)")
    group.add_argument("--workers", metavar="N", type=int, help="requests at once, at most (64)")
    group.add_argument("--no-exec", action="store_true", help="run nothing in any container")


def _looks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--looks", type=int, metavar="N", help="1 never takes a second look (2)")


def _output(parser: argparse.ArgumentParser, *formats: str) -> None:
    parser.add_argument("-o", "--output", choices=formats, help="format (text)")


def _judging(parser: argparse.ArgumentParser) -> None:
    _output(parser, "text", "json", "markdown")
    _looks(parser)
    parser.add_argument(
        "--fail-on", choices=("error", "warn", "never"), help="what makes the exit code 1 (warn)"
    )
    parser.add_argument("--strict", dest="is_strict", action="store_true", help="exit code 4 wins over 1")
    parser.add_argument("--quiet", dest="is_quiet", action="store_true", help="no progress on standard error")


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="PLAYBOOK", nargs="*", help="all that there are, when none is named")
    _judging(parser)
    parser.add_argument("--record", metavar="DIR", help="keep every answer in this folder")
    parser.add_argument("--input", metavar="DIR", help="answer from a recording instead of a cluster")
    about = parser.add_argument_group(
        "what it is about: findings on it come first, its nodes are asked first"
    )
    about.add_argument("--pod", metavar="TARGET", help="a pod, workload, service, label, address or node")
    about.add_argument("--from", dest="source", metavar="TARGET", help="who calls")
    about.add_argument("--to", dest="destination", metavar="TARGET", help="what is called, with its port")
    about.add_argument(
        "--symptom",
        metavar="WORDS",
        help="what is seen, such as dns or 'pods hang in ContainerCreating': its steps only",
    )
    parser.add_argument(
        "--before-removing-kube-proxy",
        dest="is_before_removal",
        action="store_true",
        help="say what would break without kube-proxy, node by node",
    )
    _connection(parser)


def _replay(parser: argparse.ArgumentParser) -> None:
    about = "a folder made by the console or --record, a sysdump, or the output of cilium-bugtool"
    parser.add_argument("words", metavar="FILE", nargs=1, help=about)
    _judging(parser)
    _drawing(parser)
    _cilium(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    _connection(parser)


def _exec(parser: argparse.ArgumentParser) -> None:
    parser.usage = f"{parser.usage} -- COMMAND ..."
    parser.add_argument("--pod", metavar="NAMESPACE/NAME", help="the agent on this pod's node")
    parser.add_argument("--all", dest="is_all", action="store_true", help="every agent")
    parser.add_argument("--quiet", dest="is_quiet", action="store_true", help="no progress on standard error")
    _connection(parser)


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--component",
        dest="components",
        action="append",
        choices=("agent", "operator", "relay", "envoy", "clustermesh", "coredns"),
        help="only these; repeatable",
    )
    parser.add_argument("--pod", metavar="NAMESPACE/NAME", help="only this pod, with all its init containers")
    parser.add_argument("--level", choices=("warn", "error"), help="only lines at least as bad")
    parser.add_argument("--grep", metavar="WORDS", help="only lines that hold this, as it is written")
    parser.add_argument("--since", metavar="DURATION", help="only lines younger than this, such as 15m")
    parser.add_argument("--tail", type=int, metavar="N", help="lines of each log (500; 5000 with --since)")
    parser.add_argument("--previous", dest="is_previous", action="store_true", help="the run before this one")
    parser.add_argument("--no-fold", action="store_true", help="print every repeat")
    parser.add_argument("--input", metavar="DIR", help="answer from a recording instead of a cluster")
    parser.add_argument("--quiet", dest="is_quiet", action="store_true", help="no progress on standard error")
    _output(parser, "text", "json")
    _connection(parser)


def _practice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenario", metavar="SCENARIO", nargs="?", default=Options.scenario, help=Options.scenario
    )
    parser.add_argument("--list", dest="is_list", action="store_true", help="which scenarios there are")
    parser.add_argument("--check", metavar="PLAYBOOK", nargs="*", help="print the report instead")
    parser.add_argument(
        "--serve", dest="is_serve", action="store_true", help="only the servers, until SIGTERM; says where"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="other names and another order (0)")
    parser.add_argument("--nodes", dest="practice_nodes", type=int, metavar="N", help="how many nodes (6)")
    parser.add_argument("--record", metavar="DIR", help="keep every answer in this folder")
    _judging(parser)
    _drawing(parser)
    _asking(parser)
    _cilium(parser)


def _why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="TARGET", nargs=2, help="who calls, and what: shop/redis:6379/TCP")
    parser.add_argument("--http", metavar="'METHOD /PATH'", help="a request that is to pass")
    parser.add_argument(
        "--header", dest="headers", metavar="'NAME: VALUE'", action="append", help="repeatable"
    )
    parser.add_argument("--dns", metavar="NAME", help="a name that is to be looked up")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="of targets that name none (default)")
    parser.add_argument("--input", metavar="DIR", help="answer from a recording instead of a cluster")
    parser.add_argument("--quiet", dest="is_quiet", action="store_true", help="no progress on standard error")
    _output(parser, "text", "json")
    _connection(parser)


def _expect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="FILE", nargs=1, help="YAML rows of from, to, port, http, expect")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="of targets that name none (default)")
    parser.add_argument("--input", metavar="DIR", help="answer from a recording instead of a cluster")
    parser.add_argument("--quiet", dest="is_quiet", action="store_true", help="no progress on standard error")
    _output(parser, "text", "json")
    _connection(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", metavar="WORD", nargs="+", help="a rule's id, a drop reason, a term; - reads a pasted line"
    )


COMMANDS = {
    "check": Command("check", "[PLAYBOOK ...]", "print the report of a cluster or a recording", _check),
    "replay": Command("replay", "FILE", "open a recording or a sysdump in the console", _replay),
    "doctor": Command(
        "doctor", "", "say what each playbook can see here, and which roles to ask for", _doctor
    ),
    "exec": Command(
        "agent_exec",
        "(--pod NAMESPACE/NAME | --node GLOB | --all)",
        "run a read-only agent command on agents and merge the answers",
        _exec,
    ),
    "logs": Command("logs", "", "merge the logs of Cilium and of the cluster's DNS, repeats folded", _logs),
    "flows": Command("flows", "", "print flows as hubble observe does, live or from a file", None),
    "why": Command(
        "why", "SOURCE DESTINATION", "say whether one may call the other, and what decides it", _why
    ),
    "expect": Command("expect", "FILE", "hold a table of who may call whom against the cluster", _expect),
    "practice": Command("practice", "[SCENARIO]", "a cluster with a fault, on this machine only", _practice),
    "explain": Command("explain", "WORD", "what a rule, drop reason, term or pasted line means", _explain),
}
"""Every command, in the order of the help."""

_VALUED = frozenset(
    (
        "--kubeconfig",
        "--context",
        "--as",
        "--as-group",
        "--timeout",
        "--workers",
        "--node",
        "--cilium-namespace",
        "--agent-selector",
        "--agent-container",
        "--record",
        "--theme",
        "--looks",
        "--output",
        "-o",
    )
)


def program_name() -> str:
    """How we were called: by name, or as a plug-in of kubectl."""
    name = sys.argv[0].rpartition("/")[2]
    return "kubectl honeyguide" if name.startswith("kubectl-") else "honeyguide"
