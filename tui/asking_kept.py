"""Facts that the runs of this session have read already: nothing is asked twice for a pane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playbooks.engine.knowing import Knowing
from playbooks.engine.run import Run
from playbooks.engine.targets.aim import Aim, aimed
from playbooks.engine.targets.resolving import Directory
from playbooks.model.answer import Gap
from playbooks.model.fact import F
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.namespaces import Namespaces
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.services import Services
from playbooks.model.policies.pods import LabelledPods
from tui.view.naming import names_of


@dataclass(frozen=True, slots=True)
class Newest:
    """Gets facts from the newest run that has them; what none has is asked for as part of the newest."""

    runs: Sequence[Run]
    """The newest first."""
    knowing: Knowing
    """A look of its own, whose answers are not older than the question."""

    async def know(self, kind: type[F], node: str = "") -> F | Gap:
        """A fact, or the gap."""
        for run in self.runs if not node else ():
            if (kept := run.has(kind)) is not None:
                return kept
        # A run under way may be reading it just now.
        return await (self.runs[0].know(kind, node) if self.runs else self.knowing.know(kind, node))


@dataclass(frozen=True, slots=True)
class Names:
    """What can be named in the cluster, for completion."""

    called: tuple[str, ...] = ()
    """Workloads, services, pods, entities."""
    namespaces: tuple[str, ...] = ()
    """Namespaces."""
    nodes: tuple[str, ...] = ()
    """Nodes."""


async def aim_at(knows: Newest, words: tuple[str, ...]) -> Aim:
    """What targets stand for, by the newest lists that there are; what they lack may be there since."""
    found = await aimed(knows, words)
    return await aimed(knows.knowing, words) if found.missing and knows.runs else found


async def names(knows: Newest) -> Names:
    """All names, as far as they can be read."""
    pods, services = await knows.know(LabelledPods), await knows.know(Services)
    spaces, nodes = await knows.know(Namespaces), await knows.know(Nodes)
    if isinstance(services, Gap) and isinstance(pods, LabelledPods):
        services = Services(provenance=pods.provenance, items=())
    called: tuple[str, ...] = ()
    used: set[str] = set()
    if isinstance(pods, LabelledPods) and isinstance(services, Services):
        called = names_of(Directory(pods, services, EndpointSlices(provenance=pods.provenance, items=())))
        used = {one.pod.metadata.namespace for one in (*pods.items, *pods.on_host)}
    if isinstance(spaces, Namespaces):
        used |= {one.metadata.name for one in spaces.items}
    machines = (one.name for one in nodes.items) if isinstance(nodes, Nodes) else ()
    return Names(called, tuple(sorted(used)), tuple(sorted(machines)))
