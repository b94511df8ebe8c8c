"""What an agent says of the other clusters of its mesh."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from playbooks.practice import mesh
from playbooks.practice.catalog import DEPLOYMENTS, SERVICES
from playbooks.practice.commands.view import AgentView
from playbooks.practice.naming import stable
from playbooks.practice.objects import Json, moment_of

if TYPE_CHECKING:
    from playbooks.practice.world import World

_NEVER = "0001-01-01T00:00:00.000Z"
_WAITING = "Waiting for initial connection to be established"
_CERTIFIED = timedelta(days=3 * 365)
_UNTIL_GLOBAL_COUNT = (1, 18)
"""The last version that counts all global services."""
_SLICES_SINCE = (1, 20)
"""The first version that tells of endpoint slices."""


def document(view: AgentView) -> Json:
    """The part `cluster-mesh` of `status -o json`."""
    clusters = [_cluster(view, peer) for peer in _peers(view)]
    answer: Json = {"clusters": clusters or None}
    if clusters and view.world.profile.minor <= _UNTIL_GLOBAL_COUNT:
        answer["num-global-services"] = len(mesh.exported(view.world))
    return answer


def lines(view: AgentView, *, is_verbose: bool) -> list[str]:
    """The rows about the mesh in `status`; clusters that are not ready are told in any case."""
    clusters = document(view)["clusters"] or []
    ready = sum(one["ready"] for one in clusters)
    found = [f"ClusterMesh:\t{ready}/{len(clusters)} remote clusters ready"]
    if view.world.profile.minor <= _UNTIL_GLOBAL_COUNT and clusters:
        found[0] += f", {len(mesh.exported(view.world))} global-services"
    for one in clusters:
        if is_verbose or not one["ready"]:
            found += _told(view, one)
    return found


def troubleshoot(view: AgentView) -> str:
    """The answer of `troubleshoot clustermesh`."""
    peers = _peers(view)
    return "\n".join(
        [f"Found {len(peers)} cluster configurations", *(_checked(view, peer) for peer in peers), ""]
    )


def _peers(view: AgentView) -> list[World]:
    return sorted(view.world.peers, key=lambda peer: peer.cluster)


def _cluster(view: AgentView, peer: World) -> Json:
    is_ready = mesh.is_connected(view.world)
    config: Json = {
        "cluster-id": peer.cluster_id,
        "kvstoremesh": True,
        "required": True,
        "retrieved": is_ready,
        "sync-canaries": True,
    }
    synced = dict.fromkeys(("endpoints", "identities", "nodes", "services"), is_ready)
    answer: Json = {
        "config": config if is_ready else {"required": True},
        "connected": is_ready,
        "last-failure": _NEVER,
        "name": peer.cluster,
        "num-endpoints": len(list(mesh.pods(peer))),
        "num-identities": len(mesh.identities(peer)),
        "num-nodes": len(mesh.nodes(peer)),
        "num-shared-services": len(mesh.exported(peer)),
        "ready": is_ready,
        "status": _etcd(view, peer) if is_ready else _WAITING,
        "synced": synced,
    }
    return answer


def _etcd(view: AgentView, peer: World) -> str:
    quorum = "has-quorum=true: endpoint status checks are disabled"
    return f"etcd: 1/1 connected, leases=0, lock leases=0, {quorum}, ID: {_etcd_id(view, peer)}"


def _etcd_id(view: AgentView, peer: World) -> str:
    return f"{stable(f'etcd of {view.world.cluster} for {peer.cluster}', 1 << 60, (1 << 64) - 1):016x}"


def _told(view: AgentView, one: Json) -> list[str]:
    sliced = " 0 endpoint slices," if view.world.profile.minor >= _SLICES_SINCE else ""
    config = one["config"]
    parts = ("nodes", "endpoints", "identities", "services")
    synced = ", ".join(f"{part}={_said(one['synced'][part])}" for part in parts)
    remote = f"expected={_said(config.get('required'))}, retrieved={_said(config.get('retrieved'))}"
    if config.get("retrieved"):
        remote += (
            f", cluster-id={config['cluster-id']}, kvstoremesh=true, sync-canaries=true, "
            "service-exports=disabled"
        )
        remote += ", endpoint-slice-export-mode=services-only" if sliced else ""
    return [
        f"   {one['name']}: {'ready' if one['ready'] else 'not-ready'}, {one['num-nodes']} nodes, "
        f"{one['num-endpoints']} endpoints, {one['num-identities']} identities, "
        f"{one['num-shared-services']} services,{sliced} 0 MCS-API service exports, "
        "0 reconnections (last: never)",
        f"   └  {one['status']}",
        f"   └  remote configuration: {remote}",
        f"   └  synchronization status: {synced}",
    ]


def _said(value: object) -> str:
    return "true" if value else "false"


def _checked(view: AgentView, peer: World) -> str:
    service = f"{mesh.APP}.kube-system.svc"
    where = f"{_service_ip(view.world)}:2379"
    if mesh.is_connected(view.world):
        reached = [
            f"     ✅ TCP connection successfully established to {where}",
            f"     ✅ TLS connection successfully established to {where}",
            "     ℹ️  Negotiated TLS version: TLS 1.3, ciphersuite TLS_AES_128_GCM_SHA256",
            "     ℹ️  Etcd server version: 3.6.6",
        ]
        client = [
            "   ✅ Etcd connection successfully established",
            f"   ℹ️  Etcd cluster ID: {_etcd_id(view, peer)}",
        ]
    else:
        refused = f"dial tcp {where}: connect: connection refused"
        reached = [f"     ❌ Cannot establish TCP connection to {service}:2379: {refused}"]
        client = ["   ❌ Failed to establish etcd connection: context deadline exceeded"]
    return "\n".join(
        [
            "",
            f'Cluster "{peer.cluster}":',
            f"📄 Configuration path: /var/lib/cilium/clustermesh/{peer.cluster}",
            "",
            "🔌 Endpoints:",
            f"   - https://{service}:2379",
            f"     ✅ Hostname resolved to: {_service_ip(view.world)}",
            *reached,
            "",
            "🔑 Digital certificates:",
            "   ✅ TLS Root CA certificates:",
            *_certificate(view.world, "Cilium CA"),
            "   ✅ TLS client certificates:",
            *_certificate(view.world, f"local-{view.world.cluster}"),
            "",
            "⚙️ Etcd client:",
            *client,
        ]
    )


def _certificate(world: World, subject: str) -> list[str]:
    serial = f"{stable(f'certificate of {subject}', 1 << 62, (1 << 64) - 1):016x}"
    pairs = ":".join(serial[at : at + 2] for at in range(0, len(serial), 2))
    deployment = world.store.get(DEPLOYMENTS, "kube-system", mesh.APP)
    begins = moment_of(deployment["metadata"]["creationTimestamp"]) if deployment else world.now
    ends = begins + _CERTIFIED
    return [
        f"      - Serial number:       {pairs}",
        f"        Subject:             CN={subject}",
        "        Issuer:              CN=Cilium CA",
        "        Validity:",
        f"          Not before:  {begins:%Y-%m-%d %H:%M:%S} +0000 UTC",
        f"          Not after:   {ends:%Y-%m-%d %H:%M:%S} +0000 UTC",
    ]


def _service_ip(world: World) -> str:
    service = world.store.get(SERVICES, "kube-system", mesh.APP)
    return str(service["spec"]["clusterIP"]) if service else "10.96.0.2"
