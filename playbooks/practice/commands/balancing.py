"""Services as the agent has them and as its maps hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playbooks.practice import announcing
from playbooks.practice.commands.columns import age, laid_out
from playbooks.practice.commands.view import AgentView
from playbooks.practice.frontends import Backend, Frontend, every_backend, frontends, written
from playbooks.practice.objects import Json, name_of, namespace_of

_NOBODY = "0.0.0.0:0"


def service_documents(view: AgentView) -> list[Json]:
    """The answer of `service list -o json`."""
    return [_document(view, one) for one in sorted_frontends(view)]


def service_text(view: AgentView) -> str:
    """The answer of `service list`."""
    lines = ["ID\tFrontend\tService Type\tBackend\t"]
    for one in sorted(sorted_frontends(view), key=lambda one: frontend_number(view, one)):
        rows = [f"{n} => {b.address} ({b.state})" for n, b in enumerate(one.backends, 1)] or [""]
        lines.append(f"{frontend_number(view, one)}\t{one.address}\t{one.type}\t{rows[0]}\t")
        lines += [f"\t\t\t{row}\t" for row in rows[1:]]
    return laid_out("\n".join(lines)) + "\n"


def map_documents(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf lb list -o json`."""
    return {key: [value] for key, value in sorted(_rows(view))}


def map_text(view: AgentView) -> str:
    """The answer of `bpf lb list`."""
    rows = [f"{key}\t{value}\t" for key, value in sorted(_rows(view))]
    return laid_out("\n".join(["SERVICE ADDRESS\tBACKEND ADDRESS (REVNAT_ID) (SLOT)\t", *rows])) + "\n"


def backend_map(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf lb list --backends -o json`, which tells no port."""
    found = {backend_number(view, one): one for frontend in every_frontend(view) for one in frontend.backends}
    return {str(number): [f"{one.protocol}://{one.ip}"] for number, one in sorted(found.items())}


def reverse_map(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf lb list --revnat -o json`."""
    found = {frontend_number(view, one): one.address.partition("/")[0] for one in every_frontend(view)}
    return {str(number): [address] for number, address in sorted(found.items())}


def backend_map_text(view: AgentView) -> str:
    """The answer of `bpf lb list --backends`."""
    return _numbered(backend_map(view))


def reverse_map_text(view: AgentView) -> str:
    """The answer of `bpf lb list --revnat`."""
    return _numbered(reverse_map(view))


def _numbered(found: dict[str, list[str]]) -> str:
    rows = [f"{number}\t{value}\t" for number, (value,) in found.items()]
    return laid_out("\n".join(["ID\tBACKEND ADDRESS (REVNAT_ID) (SLOT)\t", *rows])) + "\n"


def maps_dump(view: AgentView) -> str:
    """The answer of `lb/maps-dump`."""
    lines = []
    for one in every_frontend(view):
        number, flags = frontend_number(view, one), "+".join(one.flags)
        place = f"SVC: ID={number} ADDR={one.address}"
        lines.append(f"REV: ID={number} ADDR={one.address.partition('/')[0]}")
        master = f"SLOT=0 LBALG=undef AFFTimeout={one.affinity} COUNT={len(one.active)} QCOUNT=0"
        lines.append(f"{place} {master} FLAGS={flags}")
        for slot, backend in enumerate(one.active, 1):
            known = f"BEID={backend_number(view, backend)}"
            lines.append(f"{place} SLOT={slot} {known} COUNT=0 QCOUNT=0 FLAGS={flags}")
            if one.affinity:
                lines.append(f"AFF: ID={number} {known}")
        lines += [
            f"BE: ID={backend_number(view, backend)} ADDR={backend.address} STATE={backend.state}"
            for backend in one.backends
        ]
    lines += [
        f"SVC: ID=0 ADDR={written(ip)}:0/ANY SLOT=0 LBALG=undef AFFTimeout=0 COUNT=0 QCOUNT=0 "
        "FLAGS=ClusterIP+non-routable"
        for ip in _cluster_ips(view)
    ]
    return "\n".join(sorted(set(lines))) + "\n"


def frontend_table(view: AgentView) -> str:
    """The table `frontends`."""
    lines = ["Address\tType\tServiceName\tPortName\tBackends\tRedirectTo\tStatus\tSince\tError"]
    since = age(view.uptime)
    for one in sorted_frontends(view):
        behind = ", ".join(backend.address for backend in one.backends)
        lines.append(f"{one.address}\t{one.type}\t{one.title}\t{one.port_name}\t{behind}\t\tDone\t{since}\t")
    return laid_out("\n".join(lines)) + "\n"


def backend_table(view: AgentView) -> str:
    """The table `backends`."""
    lines = ["Service\tAddress\tSource\tPriority\tState\tPortNames\tNodeName"]
    lines += [
        f"{one.service}\t{one.address}\t{_source(one)}\t4\t{one.state}\t{one.port_name}\t{one.node}"
        for one in every_backend(view.world)
    ]
    return laid_out("\n".join(lines)) + "\n"


def announced_table(view: AgentView) -> str:
    """The table `l2-announce`."""
    rows = [f"{ip}\t{device}" for ip, device in announcing.announced(view.world, view.node)]
    return laid_out("\n".join(["IP\tNetworkInterface", *rows])) + "\n"


def announced_rows(view: AgentView) -> list[Json]:
    """The rows of the table `l2-announce`."""
    found = announcing.announced(view.world, view.node)
    return [{"IP": ip, "NetworkInterface": device} for ip, device in found]


def backend_rows(view: AgentView) -> list[Json]:
    """The rows of the table `backends`."""
    return [backend_row(one) for one in every_backend(view.world)]


def backend_row(one: Backend) -> Json:
    """One row of the table `backends`."""
    return {
        "ServiceName": one.service,
        "Address": one.address,
        "PortNames": [one.port_name],
        "Weight": 100,
        "NodeName": one.node,
        "Zone": None,
        "ClusterID": one.cluster_id,
        "Source": _source(one),
        "State": 0 if one.is_active else 4,
        "Unhealthy": False,
        "UnhealthyUpdatedAt": None,
    }


def _source(one: Backend) -> str:
    return "clustermesh" if one.cluster else "k8s"


def every_frontend(view: AgentView) -> list[Frontend]:
    """Everything that the agent's maps hold."""
    return frontends(view.world, view.node)


def sorted_frontends(view: AgentView) -> list[Frontend]:
    """What the table of frontends holds, numbered in the order in which services were made."""
    every = every_frontend(view)
    for one in every:
        frontend_number(view, one)
    return sorted((one for one in every if one.is_surrogate), key=lambda one: one.address)


def frontend_number(view: AgentView, one: Frontend) -> int:
    """The number of a frontend, under which it is reversed."""
    return view.world.frontend_ids.of(one.address)


def backend_number(view: AgentView, one: Backend) -> int:
    """The number of a backend in the maps."""
    return view.world.backend_ids.of(one.address)


def _cluster_ips(view: AgentView) -> list[str]:
    return sorted({one.ip for one in every_frontend(view) if one.type == "ClusterIP"})


def _rows(view: AgentView) -> Iterator[tuple[str, str]]:
    for one in every_frontend(view):
        number = frontend_number(view, one)
        yield f"{one.address} (0)", f"{_nobody(one.ip)} ({number}) (0) [{', '.join(one.flags)}] "
        # An entry that was left behind is of the agent that wrote it: the next one writes all of them anew.
        astray = view.world.astray.get((view.run.uid, one.title), "")
        for slot, backend in enumerate(one.active, 1):
            held = replace(backend, ip=astray) if astray and slot == 1 else backend
            yield f"{one.address} ({slot})", f"{held.address} ({number}) ({slot})"
    for ip in _cluster_ips(view):
        yield f"{written(ip)}:0/ANY (0)", f"{_nobody(ip)} (0) (0) [ClusterIP, non-routable] "


def _nobody(ip: str) -> str:
    return "[::]:0" if ":" in ip else _NOBODY


def _document(view: AgentView, one: Frontend) -> Json:
    spec = one.service["spec"]
    external, internal = (spec.get(f"{side}TrafficPolicy", "Cluster") for side in ("external", "internal"))
    answer: Json = {
        "backend-addresses": [_backend(one, backend) for backend in one.backends] or None,
        "flags": {
            "extTrafficPolicy": external,
            "intTrafficPolicy": internal,
            "name": name_of(one.service),
            "namespace": namespace_of(one.service),
            "trafficPolicy": external,
            "type": one.type,
        },
        "frontend-address": {
            "ip": one.ip,
            "port": one.port,
            "protocol": one.protocol,
            "scope": "internal" if one.is_inner else "external",
        },
        "id": frontend_number(view, one),
    }
    return {"spec": answer, "status": {"realized": answer}}


def _backend(frontend: Frontend, one: Backend) -> Json:
    answer: Json = {
        "ip": one.ip,
        "port": one.port,
        "preferred": frontend.is_preferred(one),
        "protocol": one.protocol,
        "state": one.state,
        "weight": 100,
    }
    return {**answer, "nodeName": one.node} if one.node else answer
