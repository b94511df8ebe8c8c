"""A request: one question to the cluster, as a value."""

from __future__ import annotations

import shlex
from enum import IntEnum

import msgspec


class Cost(IntEnum):
    """How dear a request is; cheaper ones are asked first."""

    OBJECT = 0
    """A read of the Kubernetes API."""
    LOG = 1
    """A container's log."""
    LIGHT = 2
    """A command in a container whose output is small."""
    HEAVY = 3
    """A command whose output grows with the traffic or the cluster (conntrack, NAT)."""


class Resource(msgspec.Struct, frozen=True):
    """A kind of Kubernetes object at one API version."""

    group: str
    """API group, empty for the core group."""
    version: str
    """API version, such as `v1`."""
    plural: str
    """Name in URLs, such as `pods`."""
    kind: str
    """Name in objects, such as `Pod`."""
    is_namespaced: bool = True
    """Whether objects live in a namespace."""

    @property
    def path(self) -> str:
        """The URL path of the API version, without a leading slash."""
        return f"apis/{self.group}/{self.version}" if self.group else f"api/{self.version}"


class Objects(msgspec.Struct, frozen=True, tag="objects"):
    """List objects of a kind, or get one by name.

    The answer's chunks are JSON documents, one a line: each page of a list, or the one object.
    """

    resource: Resource
    """What is listed."""
    namespace: str = ""
    """Only this namespace; empty for all of them (or for a cluster-wide kind)."""
    name: str = ""
    """Only this object; empty for a list."""
    labels: str = ""
    """Label selector."""
    fields: str = ""
    """Field selector."""

    def command(self, kubectl: str = "kubectl") -> str:
        """What a person would type."""
        words = [kubectl]
        if self.namespace:
            words += ["-n", shlex.quote(self.namespace)]
        words += ["get", self._typed_resource]
        if self.name:
            words.append(shlex.quote(self.name))
        elif self.resource.is_namespaced and not self.namespace:
            words.append("-A")
        if self.labels:
            words += ["-l", shlex.quote(self.labels)]
        if self.fields:
            words += ["--field-selector", shlex.quote(self.fields)]
        return " ".join([*words, "-o", "json"])

    @property
    def _typed_resource(self) -> str:
        if not self.resource.group:
            return self.resource.plural
        return f"{self.resource.plural}.{self.resource.version}.{self.resource.group}"

    @property
    def cost(self) -> Cost:
        """Always an object read."""
        return Cost.OBJECT

    @property
    def node(self) -> str:
        """No node is asked."""
        return ""


class AgentCommand(msgspec.Struct, frozen=True, tag="agent"):
    """Run a read-only command in a container of the agent on one node."""

    node_name: str
    """The node whose agent is asked."""
    namespace: str
    """The agent pod's namespace."""
    pod: str
    """The agent pod's name."""
    container: str
    """The agent's container."""
    argv: tuple[str, ...]
    """The command, without a shell; `cilium-dbg` stands for `cilium` too where the image has only that."""
    is_heavy: bool = False
    """Whether the output grows with traffic; see `Cost.HEAVY`."""

    def command(self, kubectl: str = "kubectl") -> str:
        """What a person would type; the time limit that is put around it on the wire is left out.

        Of an agent whose pod is not known it is the command alone, to be typed in its container.
        """
        if not self.pod:
            return " ".join(map(shlex.quote, self.argv))
        words = ["-n", self.namespace, "exec", self.pod, "-c", self.container, "--", *self.argv]
        return " ".join([kubectl, *map(shlex.quote, words)])

    @property
    def cost(self) -> Cost:
        """Light, unless said otherwise."""
        return Cost.HEAVY if self.is_heavy else Cost.LIGHT

    @property
    def node(self) -> str:
        """The node that is asked."""
        return self.node_name


class ContainerLog(msgspec.Struct, frozen=True, tag="log"):
    """Read the log of one container."""

    namespace: str
    """The pod's namespace."""
    pod: str
    """The pod's name."""
    container: str
    """The container, init containers too."""
    node_name: str = ""
    """Where the pod runs, for the reader; empty when not known."""
    is_previous: bool = False
    """The log of the container's last run instead of this one."""
    tail: int = 500
    """How many lines from the end."""
    since_seconds: int = 0
    """Only lines younger than this; 0 for no limit."""

    def command(self, kubectl: str = "kubectl") -> str:
        """What a person would type."""
        words = ["-n", self.namespace, "logs", self.pod, "-c", self.container, f"--tail={self.tail}"]
        if self.is_previous:
            words.append("--previous")
        if self.since_seconds:
            words.append(f"--since={self.since_seconds}s")
        return " ".join([kubectl, *map(shlex.quote, words)])

    @property
    def cost(self) -> Cost:
        """A log read."""
        return Cost.LOG

    @property
    def node(self) -> str:
        """Where the pod runs."""
        return self.node_name


class ApiPath(msgspec.Struct, frozen=True, tag="raw"):
    """Read one path of the API server that holds no list of objects (version, discovery)."""

    path: str
    """URL path with a leading slash, such as `/apis/cilium.io/v2`."""

    def command(self, kubectl: str = "kubectl") -> str:
        """What a person would type."""
        return f"{kubectl} get --raw {shlex.quote(self.path)}"

    @property
    def cost(self) -> Cost:
        """Always an object read."""
        return Cost.OBJECT

    @property
    def node(self) -> str:
        """No node is asked."""
        return ""


Request = Objects | AgentCommand | ContainerLog | ApiPath
"""Every question there is; none of them changes anything."""

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def key_of(request: Request) -> bytes:
    """A request as JSON that is equal for equal requests; the journal's key."""
    return _encoder.encode(request)


def request_from(key: bytes) -> Request:
    """The request behind a key. Raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(key)
