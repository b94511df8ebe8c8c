"""BGP as configured, and what each node says of its sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import KubeCondition, Meta, Object, objects
from playbooks.model.kube.resources import (
    BGP_ADVERTISEMENTS,
    BGP_ADVERTISEMENTS_V2ALPHA1,
    BGP_CLUSTER_CONFIGS,
    BGP_CLUSTER_CONFIGS_V2ALPHA1,
    BGP_NODE_CONFIGS,
    BGP_NODE_CONFIGS_V2ALPHA1,
    BGP_PEER_CONFIGS,
    BGP_PEER_CONFIGS_V2ALPHA1,
    BGP_PEERING_POLICIES,
)
from playbooks.model.kube.selectors import Selector


class PeerConfigRef(Object, frozen=True):
    """A peer configuration by name."""

    name: str = ""


class BgpPeer(Object, frozen=True):
    """A peer as asked for, or as a node sees it."""

    name: str = ""
    peer_asn: int | None = msgspec.field(default=None, name="peerASN")
    peer_address: str = ""
    peer_config_ref: PeerConfigRef | None = None
    peering_state: str = ""
    established_time: str = ""


class BgpInstance(Object, frozen=True):
    """A BGP instance with its peers."""

    name: str = ""
    local_asn: int | None = msgspec.field(default=None, name="localASN")
    local_port: int | None = None
    peers: tuple[BgpPeer, ...] | None = None


class BgpSpec(Object, frozen=True):
    """Instances, and the nodes they are for."""

    node_selector: Selector | None = None
    bgp_instances: tuple[BgpInstance, ...] | None = None


class BgpStatus(Object, frozen=True):
    """Sessions as a node sees them, and conditions; a condition that is True names a fault."""

    bgp_instances: tuple[BgpInstance, ...] | None = None
    conditions: tuple[KubeCondition, ...] | None = None


class BgpConfig(Object, frozen=True):
    """A cluster's or a node's BGP configuration; a node's is named like the node."""

    metadata: Meta
    spec: BgpSpec = BgpSpec()
    status: BgpStatus = BgpStatus()


class BgpPeerConfigSpec(Object, frozen=True):
    """What peers share."""

    auth_secret_ref: str = ""
    ebgp_multihop: int | None = None


class BgpPeerConfig(Object, frozen=True):
    """A peer configuration."""

    metadata: Meta
    spec: BgpPeerConfigSpec = BgpPeerConfigSpec()
    status: BgpStatus = BgpStatus()


class Advertised(Object, frozen=True):
    """One kind of route that is announced."""

    advertisement_type: str = ""
    selector: Selector | None = None


class BgpAdvertisementSpec(Object, frozen=True):
    """What is announced."""

    advertisements: tuple[Advertised, ...] | None = None


class BgpAdvertisement(Object, frozen=True):
    """An advertisement."""

    metadata: Meta
    spec: BgpAdvertisementSpec = BgpAdvertisementSpec()


class BgpPeeringPolicy(Object, frozen=True):
    """The one-object configuration of 1.14 to 1.18; only that it is there matters."""

    metadata: Meta


@dataclass(frozen=True, kw_only=True)
class BgpClusterConfigs(Fact):
    """All CiliumBGPClusterConfigs."""

    items: tuple[BgpConfig, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


BgpClusterConfigs.ways = (
    objects("BGP cluster configurations", BGP_CLUSTER_CONFIGS, BgpConfig, BgpClusterConfigs),
    objects(
        "BGP cluster configurations v2alpha1", BGP_CLUSTER_CONFIGS_V2ALPHA1, BgpConfig, BgpClusterConfigs
    ),
)


@dataclass(frozen=True, kw_only=True)
class BgpNodeConfigs(Fact):
    """All CiliumBGPNodeConfigs."""

    items: tuple[BgpConfig, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


BgpNodeConfigs.ways = (
    objects("BGP node configurations", BGP_NODE_CONFIGS, BgpConfig, BgpNodeConfigs),
    objects("BGP node configurations v2alpha1", BGP_NODE_CONFIGS_V2ALPHA1, BgpConfig, BgpNodeConfigs),
)


@dataclass(frozen=True, kw_only=True)
class BgpPeerConfigs(Fact):
    """All CiliumBGPPeerConfigs."""

    items: tuple[BgpPeerConfig, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


BgpPeerConfigs.ways = (
    objects("BGP peer configurations", BGP_PEER_CONFIGS, BgpPeerConfig, BgpPeerConfigs),
    objects("BGP peer configurations v2alpha1", BGP_PEER_CONFIGS_V2ALPHA1, BgpPeerConfig, BgpPeerConfigs),
)


@dataclass(frozen=True, kw_only=True)
class BgpAdvertisements(Fact):
    """All CiliumBGPAdvertisements."""

    items: tuple[BgpAdvertisement, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


BgpAdvertisements.ways = (
    objects("BGP advertisements", BGP_ADVERTISEMENTS, BgpAdvertisement, BgpAdvertisements),
    objects("BGP advertisements v2alpha1", BGP_ADVERTISEMENTS_V2ALPHA1, BgpAdvertisement, BgpAdvertisements),
)


@dataclass(frozen=True, kw_only=True)
class BgpPeeringPolicies(Fact):
    """All CiliumBGPPeeringPolicies."""

    items: tuple[BgpPeeringPolicy, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


BgpPeeringPolicies.ways = (
    objects("BGP peering policies", BGP_PEERING_POLICIES, BgpPeeringPolicy, BgpPeeringPolicies),
)
