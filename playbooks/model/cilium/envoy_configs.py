"""Envoy configurations: services whose traffic goes to the proxy by hand-written listeners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import CLUSTERWIDE_ENVOY_CONFIGS, ENVOY_CONFIGS
from playbooks.model.kube.selectors import Selector


class EnvoyService(Object, frozen=True):
    """A service that is led to a listener."""

    name: str = ""
    namespace: str = ""
    listener: str = ""


class EnvoyConfigSpec(Object, frozen=True):
    """An Envoy configuration as asked for; its resources are not read."""

    services: tuple[EnvoyService, ...] | None = None
    backend_services: tuple[EnvoyService, ...] | None = None
    node_selector: Selector | None = None


class EnvoyConfig(Object, frozen=True):
    """An Envoy configuration, of a namespace or of the whole cluster."""

    metadata: Meta
    spec: EnvoyConfigSpec = EnvoyConfigSpec()


@dataclass(frozen=True, kw_only=True)
class EnvoyConfigs(Fact):
    """All CiliumEnvoyConfigs."""

    items: tuple[EnvoyConfig, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


EnvoyConfigs.ways = (objects("Envoy configurations", ENVOY_CONFIGS, EnvoyConfig, EnvoyConfigs),)


@dataclass(frozen=True, kw_only=True)
class ClusterwideEnvoyConfigs(Fact):
    """All CiliumClusterwideEnvoyConfigs."""

    items: tuple[EnvoyConfig, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


ClusterwideEnvoyConfigs.ways = (
    objects(
        "clusterwide Envoy configurations", CLUSTERWIDE_ENVOY_CONFIGS, EnvoyConfig, ClusterwideEnvoyConfigs
    ),
)
