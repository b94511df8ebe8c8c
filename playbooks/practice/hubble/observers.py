"""Who can be asked about a world's flows: an agent, or Relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from playbooks.model.hubble.proto import observer_pb2, relay_pb2
from playbooks.practice.hubble.encoding import REVISION, Encoder
from playbooks.practice.hubble.events import OfAgentEvents, OfNothing
from playbooks.practice.hubble.past import CAPACITY, Past
from playbooks.practice.hubble.question import Question, Range
from playbooks.practice.hubble.streams import OfAgent, OfRelay, Stream
from playbooks.practice.traffic.lane import SECOND

if TYPE_CHECKING:
    from playbooks.practice.world import World

PORT = 4244
"""Where agents listen."""
_MOST_NAMED = 10
_MINUTE = 60


class NotOffered(Exception):
    """A question that this observer does not know; the text is Hubble's."""


class Observer(Protocol):
    """Somebody who can be asked. All raise `NotOffered`; those with a request raise `WrongRequest`."""

    header: tuple[str, str]
    """What every answer carries."""

    def is_serving(self, past: Past) -> bool:
        """Whether it is well."""

    def flows(self, request: observer_pb2.GetFlowsRequest) -> Stream:
        """The answer to GetFlows."""

    def agent_events(self, request: observer_pb2.GetAgentEventsRequest) -> Stream:
        """The answer to GetAgentEvents."""

    def debug_events(self, request: observer_pb2.GetDebugEventsRequest) -> Stream:
        """The answer to GetDebugEvents."""

    def status(self, past: Past) -> observer_pb2.ServerStatusResponse:
        """How it is."""

    def nodes(self, past: Past) -> observer_pb2.GetNodesResponse:
        """Whom it asks itself."""

    def namespaces(self, past: Past) -> observer_pb2.GetNamespacesResponse:
        """Of which namespaces it has seen flows."""


class Agent:
    """The observer in the agent of one node."""

    def __init__(self, world: World, node: str, encoder: Encoder | None = None) -> None:
        """`encoder` may be shared by all observers of a world."""
        self.node = node
        self._world = world
        self._encoder = encoder or Encoder(world)
        self.version = f"{world.profile.version}+{REVISION}"
        self.header = ("hubble-server-version", self.version)

    def is_serving(self, past: Past) -> bool:
        """Whether the agent answers."""
        return self.node in past.watched

    def flows(self, request: observer_pb2.GetFlowsRequest) -> Stream:
        """Its flows. Raises `WrongRequest`."""
        return OfAgent(self.node, Question(request), self._encoder)

    def agent_events(self, request: observer_pb2.GetAgentEventsRequest) -> Stream:
        """What it did. Raises `WrongRequest`."""
        return OfAgentEvents(self._world, self.node, Range.of(request), self._encoder)

    def debug_events(self, request: observer_pb2.GetDebugEventsRequest) -> Stream:
        """Nothing: messages for debugging are switched off. Raises `WrongRequest`."""
        Range.of(request)
        return OfNothing()

    def status(self, past: Past) -> observer_pb2.ServerStatusResponse:
        """What it keeps and has seen."""
        seen = past.seen(self.node)
        since = past.watched.get(self.node, past.now)
        recent = min(past.now - since, _MINUTE * SECOND)
        rate = past.seen(self.node, past.now - recent) / max(recent / SECOND, 1.0)
        return observer_pb2.ServerStatusResponse(
            num_flows=min(seen, CAPACITY),
            max_flows=CAPACITY,
            seen_flows=seen,
            uptime_ns=past.now - since,
            version=f"cilium v{self.version}",
            flows_rate=rate,
        )

    def nodes(self, past: Past) -> observer_pb2.GetNodesResponse:  # noqa: ARG002
        """Only Relay knows. Raises `NotOffered`."""
        raise NotOffered("GetNodes not implemented")

    def namespaces(self, past: Past) -> observer_pb2.GetNamespacesResponse:
        """The namespaces of its flows."""
        return namespaces_of(self._world.cluster, past.namespaces(self.node))


class Relay:
    """The observer that asks all agents."""

    def __init__(self, world: World, encoder: Encoder | None = None) -> None:
        """`encoder` may be shared by all observers of a world."""
        self._world = world
        self._encoder = encoder or Encoder(world)
        self.version = f"{world.profile.version}+{REVISION}"
        self.header = ("hubble-relay-version", self.version)

    def is_serving(self, past: Past) -> bool:
        """Whether it is connected to anybody."""
        return bool(past.watched)

    def flows(self, request: observer_pb2.GetFlowsRequest) -> Stream:
        """All agents' flows. Raises `WrongRequest`."""
        return OfRelay(f"{self._world.cluster}/hubble-relay", Question(request), self._encoder)

    def agent_events(self, request: observer_pb2.GetAgentEventsRequest) -> Stream:  # noqa: ARG002
        """Relay does not offer it. Raises `NotOffered`."""
        raise NotOffered("GetAgentEvents not yet implemented")

    def debug_events(self, request: observer_pb2.GetDebugEventsRequest) -> Stream:  # noqa: ARG002
        """Relay does not offer it. Raises `NotOffered`."""
        raise NotOffered("GetDebugEvents not yet implemented")

    def status(self, past: Past) -> observer_pb2.ServerStatusResponse:
        """What all agents keep and have seen."""
        told = observer_pb2.ServerStatusResponse(version=f"hubble-relay v{self.version}")
        for one in self._of_agents(past).values():
            told.num_flows += one.num_flows
            told.max_flows += one.max_flows
            told.seen_flows += one.seen_flows
            told.flows_rate += one.flows_rate
            told.uptime_ns = max(told.uptime_ns, one.uptime_ns)
        told.num_connected_nodes.value = len(past.watched)
        told.num_unavailable_nodes.value = len(past.away)
        told.unavailable_nodes.extend(self._encoder.name(node) for node in past.away[:_MOST_NAMED])
        return told

    def nodes(self, past: Past) -> observer_pb2.GetNodesResponse:
        """All agents, as Relay is connected to them."""
        found = self._of_agents(past)
        return observer_pb2.GetNodesResponse(
            nodes=[self._node(node, found.get(node)) for node in sorted((*past.watched, *past.away))]
        )

    def namespaces(self, past: Past) -> observer_pb2.GetNamespacesResponse:
        """The namespaces of all agents' flows."""
        return namespaces_of(
            self._world.cluster, {one for node in past.watched for one in past.namespaces(node)}
        )

    def _of_agents(self, past: Past) -> dict[str, observer_pb2.ServerStatusResponse]:
        return {node: Agent(self._world, node, self._encoder).status(past) for node in past.watched}

    def _node(self, node: str, status: observer_pb2.ServerStatusResponse | None) -> observer_pb2.Node:
        ip = self._world.network.nodes[node].node_ip
        run = self._world.agents.get(node)
        is_tls = run is not None and run.config.get("hubble-disable-tls") == "false"
        told = observer_pb2.Node(
            name=self._encoder.name(node),
            address=f"[{ip}]:{PORT}" if ":" in ip else f"{ip}:{PORT}",
            state=relay_pb2.NODE_CONNECTED if status else relay_pb2.NODE_UNAVAILABLE,
            tls=observer_pb2.TLS(enabled=is_tls),
        )
        if is_tls:
            names = (node.replace(".", "-"), self._world.cluster.replace(".", "-"))
            told.tls.server_name = f"{'.'.join(names)}.hubble-grpc.cilium.io"
        if status is not None:
            told.version, told.uptime_ns = status.version, status.uptime_ns
            told.num_flows, told.max_flows = status.num_flows, status.max_flows
            told.seen_flows = status.seen_flows
        return told


def namespaces_of(cluster: str, names: set[str]) -> observer_pb2.GetNamespacesResponse:
    """Namespaces of a cluster, in order."""
    return observer_pb2.GetNamespacesResponse(
        namespaces=[observer_pb2.Namespace(cluster=cluster, namespace=name) for name in sorted(names)]
    )
