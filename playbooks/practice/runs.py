"""What runs: pods as their kubelet knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from playbooks.practice.objects import Json


@dataclass(slots=True)
class Run:
    """One run of one container."""

    container_id: str
    """The runtime's id."""
    started: datetime
    """When it was started."""
    finished: datetime | None = None
    """When it ended."""
    exit_code: int = 0
    """How it ended."""
    reason: str = "Completed"
    """Why, in one word."""
    message: str = ""
    """The termination message."""
    noticed: dict[str, datetime] = field(default_factory=dict)
    """When the program first saw something that its log tells of."""


@dataclass(slots=True)
class Container:
    """One container of a pod, with its present run and the one before."""

    name: str
    """The container's name."""
    is_init: bool
    """Whether it runs before the others."""
    run: Run | None = None
    """The present or last run."""
    previous: Run | None = None
    """The run before it."""
    restarts: int = 0
    """How often it was started again."""
    serves: bool = False
    """Whether its process answers probes."""
    since: datetime | None = None
    """Since when it does or does not."""
    is_up: bool = False
    """Whether the process has come all the way up."""
    is_started: bool = False
    """Whether the startup probe has passed in this run."""
    is_ready: bool = False
    """Whether the kubelet calls it ready."""
    waits_until: datetime | None = None
    """End of the back-off in force."""
    back_off: int = 0
    """Seconds of the back-off in force."""
    first_nag: datetime | None = None
    """When the kubelet first complained in this trouble."""

    @property
    def is_running(self) -> bool:
        """Whether a process is there."""
        return self.run is not None and self.run.finished is None


@dataclass(slots=True)
class PodRun:
    """One pod on its node."""

    pod: Json
    """The pod with its present labels; its status is not looked at."""
    node: str
    """The node."""
    ips: tuple[str, ...] = ()
    """The pod's addresses, once it has some."""
    started: datetime | None = None
    """When the kubelet accepted it."""
    sandboxed: datetime | None = None
    """When its network was ready."""
    containers: dict[str, Container] = field(default_factory=dict)
    """By name, init containers first."""
    waits_to_mount: float = 0.0
    """Seconds until its kubelet tries again to mount a volume that is not there."""
    config: dict[str, str] = field(default_factory=dict)
    """For agents: the configuration that init container `config` wrote for this pod."""

    @property
    def ip(self) -> str:
        """The pod's first address; empty while it has none."""
        return self.ips[0] if self.ips else ""

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.pod["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.pod["metadata"]["name"])

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return str(self.pod["metadata"]["uid"])

    @property
    def is_ready(self) -> bool:
        """Whether all of its containers are ready."""
        mains = [container for container in self.containers.values() if not container.is_init]
        return bool(mains) and all(container.is_ready for container in mains)

    @property
    def is_initialized(self) -> bool:
        """Whether all init containers are done."""
        inits = [container for container in self.containers.values() if container.is_init]
        return self.sandboxed is not None and all(
            container.run is not None and container.run.finished is not None and container.run.exit_code == 0
            for container in inits
        )

    def shift(self, delta: timedelta) -> None:
        """Move its history in time."""
        self.started = self.started and self.started + delta
        self.sandboxed = self.sandboxed and self.sandboxed + delta
        for container in self.containers.values():
            container.since = container.since and container.since + delta
            container.waits_until = container.waits_until and container.waits_until + delta
            container.first_nag = container.first_nag and container.first_nag + delta
            for run in (container.run, container.previous):
                if run is not None:
                    run.started += delta
                    run.finished = run.finished and run.finished + delta
                    run.noticed = {key: moment + delta for key, moment in run.noticed.items()}
