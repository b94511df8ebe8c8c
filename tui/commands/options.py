"""What was given on the command line, typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.engine.run import Order
    from playbooks.model.fact import Choice
    from playbooks.model.rule import Rule
    from playbooks.sources.access import ConnectOptions

WORKERS = 64
TIMEOUT = 10.0


class Options:
    """Flags and words of one command; the parser fills in what was given.

    No dataclass: importing `dataclasses` would be a fifth of the time that `--help` takes.
    """

    command: str = ""
    """The command; empty for the console."""
    words: list[str]
    """What is not a flag: targets, playbooks, a folder, an id."""
    argv: list[str]
    """What follows `--`: the command for `exec`."""

    kubeconfig: str = ""
    """`--kubeconfig`."""
    context: str = ""
    """`--context`."""
    as_user: str = ""
    """`--as`."""
    as_groups: list[str]
    """`--as-group`."""
    timeout: float = TIMEOUT
    """`--timeout`: seconds a command in an agent may take."""
    workers: int = WORKERS
    """`--workers`."""
    nodes: list[str]
    """`--node`: globs."""
    all_nodes: bool = False
    """`--all-nodes`."""
    no_exec: bool = False
    """`--no-exec`."""
    cilium_namespace: str = ""
    """`--cilium-namespace`."""
    agent_selector: str = ""
    """`--agent-selector`."""
    agent_container: str = ""
    """`--agent-container`."""

    output: str = "text"
    """`-o`."""
    input: str = ""
    """`--input`: a recording."""
    record: str = ""
    """`--record`."""
    looks: int = 2
    """`--looks`."""
    fail_on: str = "warn"
    """`--fail-on`."""
    is_strict: bool = False
    """`--strict`."""
    is_quiet: bool = False
    """`--quiet`."""
    is_before_removal: bool = False
    """`check --before-removing-kube-proxy`."""

    scenario: str = "agent-crashloop"
    """`practice SCENARIO`."""
    theme: str = ""
    """`--theme`."""
    is_ascii: bool = False
    """`--ascii`."""
    is_slow: bool = False
    """`--slow`."""
    no_mouse: bool = False
    """`--no-mouse`."""

    is_list: bool = False
    """`practice --list`."""
    is_serve: bool = False
    """`practice --serve`."""
    check: list[str] | None = None
    """`practice --check`: playbooks, or nothing when it was not given."""
    seed: int = 0
    """`practice --seed`."""
    practice_nodes: int = 6
    """`practice --nodes`."""
    pod: str = ""
    """`exec --pod`."""
    is_all: bool = False
    """`exec --all`."""

    http: str = ""
    """`why --http`."""
    headers: list[str]
    """`why --header`."""
    dns: str = ""
    """`why --dns`."""
    namespace: str = ""
    """`-n`: the namespace of targets that name none."""
    source: str = ""
    """`check --from`."""
    destination: str = ""
    """`check --to`."""
    symptom: str = ""
    """`check --symptom`."""

    components: list[str]
    """`logs --component`."""
    level: str = ""
    """`logs --level`."""
    grep: str = ""
    """`logs --grep`."""
    since: str = ""
    """`logs --since`."""
    tail: int | None = None
    """`logs --tail`."""
    is_previous: bool = False
    """`logs --previous`."""
    no_fold: bool = False
    """`logs --no-fold`."""

    def __init__(self) -> None:
        self.words, self.argv = [], []
        self.as_groups, self.nodes, self.components, self.headers = [], [], [], []

    def in_context(self, name: str) -> Options:
        """The same in another context; targets and nodes are names of the cluster before."""
        from copy import copy

        other = copy(self)
        other.context, other.words, other.nodes = name, [], []
        return other

    def connect_options(self) -> ConnectOptions:
        """What the live source needs of these."""
        from playbooks.sources.access import ConnectOptions

        return ConnectOptions(
            kubeconfig=(self.kubeconfig,) if self.kubeconfig else (),
            context=self.context,
            as_user=self.as_user,
            as_groups=tuple(self.as_groups),
            timeout=self.timeout,
            workers=self.workers,
        )

    def order(self, rules: tuple[Rule, ...], kubectl: str = "kubectl") -> Order:
        """What the engine needs of these; `kubectl` is how commands to the cluster begin."""
        from playbooks.engine.run import Order

        return Order(
            rules,
            looks=self.looks,
            workers=self.workers,
            nodes=tuple(self.nodes),
            all_nodes=self.all_nodes,
            choice=self.choice(),
            targets=tuple(self.targets),
            calls=self.calls,
            kubectl=kubectl,
        )

    @property
    def targets(self) -> tuple[str, ...]:
        """What was asked about, as typed."""
        if not self.command:
            return tuple(self.words)
        named = (self.pod, self.source, self.destination) if self.command == "check" else ()
        return tuple(word for word in named if word)

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """Who is to call whom: two targets of the console, or both ends of `check`."""
        if not self.command:
            return ((self.words[0], self.words[1]),) if len(self.words) == 2 else ()
        is_named = self.command == "check" and self.destination
        return ((self.source, self.destination),) if is_named else ()

    def choice(self) -> Choice:
        """Where Cilium is, if it has to be told."""
        from playbooks.model.fact import Choice

        return Choice(self.cilium_namespace, self.agent_selector, self.agent_container)
