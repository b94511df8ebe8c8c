"""The agent's table `devices`: the network devices of its node."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.practice.commands import endpoints
from playbooks.practice.commands.columns import laid_out
from playbooks.practice.commands.view import AgentView

_HEAD = ("Name", "Index", "Selected", "Type", "MTU", "HWAddr", "Flags", "Addresses", "OperStatus")
_UP = "up|broadcast|multicast|running"
_FIRST_OF_PODS = 20


def table(view: AgentView) -> str:
    """As `db/show devices` prints it."""
    return laid_out("\n".join("\t".join(row) for row in (_HEAD, *_rows(view)))) + "\n"


def _rows(view: AgentView) -> Iterator[tuple[str, ...]]:
    network = view.network
    yield ("lo", "1", "false", "device", "65536", "", "up|loopback|running", "127.0.0.1, ::1", "unknown")
    yield ("eth0", "2", "true", "device", "1500", "02:42:ac:12:00:02", _UP, network.node_ip, "up")
    yield ("cilium_net", "3", "false", "veth", "1500", "5e:11:6a:00:00:03", _UP, "", "up")
    yield ("cilium_host", "4", "false", "veth", "1500", "5e:11:6a:00:00:04", _UP, network.router, "up")
    yield ("cilium_vxlan", "5", "false", "vxlan", "1500", "5e:11:6a:00:00:05", _UP, "", "unknown")
    for number, document in enumerate(endpoints.documents(view), _FIRST_OF_PODS):
        networking = document["status"]["networking"]
        name = networking["interface-name"]
        if name.startswith("lxc"):
            yield (name, str(number), "false", "veth", "1500", networking.get("mac", ""), _UP, "", "up")
