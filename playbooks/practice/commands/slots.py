"""Services slot by slot, as their map holds them, and as rows of the table of frontends."""

from __future__ import annotations

from playbooks.practice.commands.balancing import (
    backend_number,
    backend_row,
    every_frontend,
    frontend_number,
    sorted_frontends,
)
from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.view import AgentView
from playbooks.practice.frontends import Frontend, written
from playbooks.practice.naming import stable
from playbooks.practice.objects import Json

_EXTERNAL_IP, _NODE_PORT, _LOCAL, _AFFINITY, _LOAD_BALANCER, _ROUTABLE = 0x01, 0x02, 0x04, 0x10, 0x20, 0x40
_INTERNAL_LOCAL, _TWO_SCOPES, _RANGES = 0x10, 0x20, 0x80
_TYPES = {"NodePort": _NODE_PORT, "LoadBalancer": _LOAD_BALANCER, "ExternalIPs": _EXTERNAL_IP}


def slot_map(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf lb list --frontends -o json`."""
    found: dict[str, list[str]] = {}
    every = every_frontend(view)
    for one in every:
        number, flags = frontend_number(view, one), _flags(one)
        found[f"{one.address} (0)"] = [f"{one.affinity} {len(one.active)}[0] ({number}) {flags}"]
        for slot, backend in enumerate(one.active, 1):
            found[f"{one.address} ({slot})"] = [f"{backend_number(view, backend)} 0[0] ({number}) {flags}"]
    for ip in sorted({one.ip for one in every if one.type == "ClusterIP"}):
        found[f"{written(ip)}:0/ANY (0)"] = ["0 0[0] (0) [0x0 0x0]"]
    return dict(sorted(found.items()))


def slot_text(view: AgentView) -> str:
    """The answer of `bpf lb list --frontends`."""
    rows = [f"{key}\t{value}\t" for key, (value,) in slot_map(view).items()]
    return laid_out("\n".join(["SERVICE ADDRESS\tBACKEND ID", *rows])) + "\n"


def source_ranges(view: AgentView) -> dict[str, list[str]]:
    """The answer of `bpf lb list --source-ranges -o json`."""
    found = {(prefix, frontend_number(view, one)) for one in every_frontend(view) for prefix in one.ranges}
    return {f"{prefix} ({number})": [""] for prefix, number in sorted(found)}


def source_range_text(view: AgentView) -> str:
    """The answer of `bpf lb list --source-ranges`."""
    return (
        laid_out("\n".join(["SOURCE RANGE (REVNAT_ID)\t", *(f"{key}\t" for key in source_ranges(view))]))
        + "\n"
    )


def frontend_rows(view: AgentView) -> list[Json]:
    """The rows of the table `frontends`."""
    return [_row(view, one) for one in sorted_frontends(view)]


def _flags(one: Frontend) -> str:
    spec = one.service["spec"]
    is_cluster = one.type == "ClusterIP"
    first = (
        (_TYPES.get(one.type, 0), True),
        (_LOCAL, spec.get("externalTrafficPolicy") == "Local" and not is_cluster),
        (_AFFINITY, bool(one.affinity)),
        (_ROUTABLE, not is_cluster and one.ip not in ("0.0.0.0", "::")),
        (_RANGES, bool(one.ranges)),
    )
    is_inner = is_cluster and spec.get("internalTrafficPolicy") == "Local"
    second = ((_INTERNAL_LOCAL, is_inner), (_TWO_SCOPES, one.has_two_scopes))
    return "[{:#x} {:#x}]".format(*(sum(flag for flag, is_set in one if is_set) for one in (first, second)))


def _row(view: AgentView, one: Frontend) -> Json:
    behind = [backend_row(backend) for backend in one.backends]
    number = stable(f"{view.boot}{one.address}", 0, 999)
    port = next(
        entry["port"] for entry in one.service["spec"]["ports"] if entry.get("name", "") == one.port_name
    )
    return {
        "Address": one.address,
        "Type": one.type,
        "ServiceName": one.title,
        "PortName": one.port_name,
        "ServicePort": port,
        "Status": {
            "updated-at": f"{view.started.strftime('%Y-%m-%dT%H:%M:%S.%f')}{number:03}Z",
            "id": frontend_number(view, one) + 75,
            "kind": "Done",
        },
        "Backends": behind,
        "HealthCheckBackends": behind or None,
        "ID": frontend_number(view, one),
        "RedirectTo": None,
    }
