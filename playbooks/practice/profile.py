"""How a healthy cluster can be set up: the profiles that the practice world can be built as."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml

from playbooks.practice.catalog import CILIUM, CILIUM_ENDPOINT_SLICES, Kind
from playbooks.practice.objects import Json

DEFAULT = "tunnel"
"""The profile of a cluster that nobody asked anything special of."""
_NEWEST = (1, 20)


class Addressing(StrEnum):
    """Where the addresses of pods come from."""

    OWN = "own"
    """A range of the node, which its agent hands out."""
    CLOUD = "cloud"
    """The cloud's subnet; the operator gives each node some, and the agent hands them out."""
    CHAINED = "chained"
    """Another CNI, before Cilium in the chain; the agent's range serves its own devices only."""
    DELEGATED = "delegated"
    """A plugin that Cilium asks."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to set up a cluster."""

    name: str
    """Its name."""
    title: str
    """What it is, in a few words."""
    config: dict[str, str]
    """Keys of `cilium-config` that differ from the chart's."""
    version: str = "1.20.2"
    """Cilium's version."""
    agent: str = "cilium"
    """Name of the agents' DaemonSet, and their label `k8s-app`."""
    image: str = "practice.local/cilium"
    """The agent's image, without its tag."""
    families: tuple[str, ...] = ("IPv4",)
    """IP families of pods, nodes and services, the first one first."""
    addressing: Addressing = Addressing.OWN
    """Where pods get their addresses."""
    manifests: tuple[str, ...] = ("cilium-config", "cilium-agent", "cilium-operator", "hubble", "system")
    """Files of what is installed; without the operator's, it runs outside of the cluster."""
    absent_kinds: tuple[str, ...] = ()
    """Plurals of Cilium's kinds that are not registered."""
    node_labels: tuple[tuple[str, str], ...] = ()
    """Labels of every node with an agent."""
    bare_nodes: tuple[Json, ...] = ()
    """Nodes on which no agent runs by design: name, labels, taints."""

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor, *_ = self.version.split(".")
        return int(major), int(minor)

    @property
    def is_newest(self) -> bool:
        """Whether it runs the version that the manifests are of."""
        return self.minor == _NEWEST

    @property
    def has_health_endpoint(self) -> bool:
        """Whether agents have an endpoint to be probed at."""
        return self.config.get("enable-endpoint-health-checking", "true") == "true"

    @property
    def is_operator_hosted(self) -> bool:
        """Whether the operator runs outside of the cluster."""
        return "cilium-operator" not in self.manifests

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds that the operator registers, in its order."""
        is_sliced = self.config.get("enable-cilium-endpoint-slice") == "true"
        every = (*CILIUM, CILIUM_ENDPOINT_SLICES) if is_sliced else CILIUM
        return tuple(kind for kind in every if kind.plural not in self.absent_kinds)


@cache
def names() -> tuple[str, ...]:
    """All profiles, the usual one first."""
    return tuple(_data())


@cache
def load(name: str) -> Profile:
    """One profile. Raises `ValueError` for a name that does not exist."""
    if name not in _data():
        raise ValueError(f"there is no profile {name!r}; there are {', '.join(names())}")
    data: Json = {"config": {}, **_data()[name], "name": name}
    unknown = data.keys() - {field.name for field in fields(Profile)}
    if unknown:
        raise ValueError(f"profile {name} has unknown fields: {', '.join(sorted(unknown))}")
    for key in ("families", "manifests", "absent_kinds", "bare_nodes"):
        if key in data:
            data[key] = tuple(data[key])
    data["node_labels"] = tuple((data.get("node_labels") or {}).items())
    data["addressing"] = Addressing(data.get("addressing", Addressing.OWN))
    return Profile(**data)


@cache
def _data() -> dict[str, Json]:
    text = files("playbooks.practice.manifests").joinpath("profiles.yaml").read_text("utf-8")
    found: dict[str, Json] = yaml.safe_load(text)
    return found
