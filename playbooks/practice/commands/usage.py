"""Help and refusals, as the agent's command prints them."""

from __future__ import annotations

from dataclasses import dataclass

PROGRAM = "cilium-dbg"
"""The command's name."""

_GLOBAL = """Global Flags:
      --config string        Config file (default is $HOME/.cilium.yaml)
  -D, --debug                Enable debug messages
  -H, --host string          URI to server-side API
      --log-driver strings   Logging endpoints to use (example: syslog)
      --log-opt map          Log driver options (example: format=json)
"""


@dataclass(frozen=True, slots=True)
class Group:
    """A command that only has sub-commands."""

    title: str
    """What it is for."""
    commands: tuple[tuple[str, str], ...]
    """Its sub-commands with what they are for."""


GROUPS = {
    "bpf": Group(
        "Direct access to local BPF maps",
        (
            ("config", "Manage runtime config"),
            ("ct", "Connection tracking tables"),
            ("endpoint", "Local endpoint map"),
            ("ipcache", "Manage the IPCache mappings for IP/CIDR <-> Identity"),
            ("lb", "Load-balancing configuration"),
            ("metrics", "BPF datapath traffic metrics"),
            ("nat", "NAT mapping tables"),
            ("policy", "Manage policy related BPF maps"),
        ),
    ),
    "endpoint": Group(
        "Manage endpoints",
        (
            ("config", "View & modify endpoint configuration"),
            ("get", "Display endpoint information"),
            ("health", "View endpoint health"),
            ("list", "List all endpoints"),
            ("log", "View endpoint status log"),
        ),
    ),
    "service": Group("List services & loadbalancers", (("list", "List services"),)),
}
"""Groups that answer with their help."""


def group_help(name: str) -> str:
    """The help of a group: what an unknown sub-command gets, on standard output with exit code 0."""
    group = GROUPS[name]
    width = max(len(command) for command, _ in group.commands) + 3
    listed = "\n".join(f"  {command.ljust(width)}{title}" for command, title in group.commands)
    return (
        f"{group.title}\n\nUsage:\n  {PROGRAM} {name} [command]\n\nAvailable Commands:\n{listed}\n\n"
        f"Flags:\n  -h, --help   help for {name}\n\n{_GLOBAL}\n"
        f'Use "{PROGRAM} {name} [command] --help" for more information about a command.\n'
    )


def flag_usage(command: str) -> str:
    """The usage that an unknown flag gets, on standard output."""
    return (
        f"Usage:\n  {PROGRAM} {command} [flags]\n\nFlags:\n  -h, --help   help for {command}\n\n{_GLOBAL}\n"
    )


def unknown_command(word: str) -> tuple[str, str]:
    """Standard output and error for a command that the program does not have."""
    text = f'unknown command "{word}" for "{PROGRAM}"'
    return f"{text}\n", f"Error: {text}\nRun '{PROGRAM} --help' for usage.\n"
