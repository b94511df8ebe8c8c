"""Makes `shapes.json` from a folder of recordings: `python -m tests.practice.shapes.extract FOLDER`.

The folder holds one folder a recording, with `look-*/agent/` and `look-*/kubectl/` in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.practice.shapes.paths import documents, heads, shape, tree

AGENT = {
    "cilium-dbg status -o json": "cilium-dbg_status_-o_json.json",
    "cilium-health status -o json": "cilium-health_status_-o_json.json",
    "cilium-dbg config -a -o json": "cilium-dbg_config_-a_-o_json.json",
    "cilium-dbg version -o json": "cilium-dbg_version_-o_json.json",
    "cilium-dbg endpoint list -o json": "cilium-dbg_endpoint_list_-o_json.json",
    "cilium-dbg shell -- db/show health -f json": "cilium-dbg_shell_--_db_show_health_-f_json.txt",
    "cilium-dbg service list -o json": "cilium-dbg_service_list_-o_json.json",
    "cilium-dbg shell -- db/show backends -f json": "cilium-dbg_shell_--_db_show_backends_-f_json.txt",
    "cilium-dbg identity list -o json": "cilium-dbg_identity_list_-o_json.json",
    "cilium-dbg ip list -o json": "cilium-dbg_ip_list_-o_json.json",
    "cilium-dbg node list -o json": "cilium-dbg_node_list_-o_json.json",
    "cilium-dbg policy get -o json": "cilium-dbg_policy_get_-o_json.json",
    "cilium-dbg policy selectors -o json": "cilium-dbg_policy_selectors_-o_json.json",
    "cilium-dbg bpf policy get --all -o json": "cilium-dbg_bpf_policy_get_--all_-o_json.json",
    "cilium-dbg fqdn cache list -o json": "cilium-dbg_fqdn_cache_list_-o_json.json",
    "cilium-dbg fqdn names": "cilium-dbg_fqdn_names.txt",
    "cilium-dbg shell -- db/show frontends -f json": "cilium-dbg_shell_--_db_show_frontends_-f_json.txt",
    "cilium-dbg bpf ct list global -o json": "cilium-dbg_bpf_ct_list_global_-o_json.json",
    "cilium-dbg bpf nat list -o json": "cilium-dbg_bpf_nat_list_-o_json.json",
    "cilium-dbg bpf metrics list -o json": "cilium-dbg_bpf_metrics_list_-o_json.json",
    "cilium-dbg metrics list -o json": "cilium-dbg_metrics_list_-o_json.json",
}
TEXTS = {
    "cilium-dbg status": "cilium-dbg_status.txt",
    "cilium-dbg status --verbose": "cilium-dbg_status_--verbose.txt",
}
OBJECTS = {
    "pods": "pods_-A",
    "nodes": "nodes",
    "namespaces": "namespaces",
    "services": "services_-A",
    "endpointslices": "endpointslices_-A",
    "events": "events_-A",
    "leases": "leases_-n_kube-system",
    "ciliumendpoints": "ciliumendpoints_-A",
    "ciliumnetworkpolicies": "ciliumnetworkpolicies_-A",
    "ciliumclusterwidenetworkpolicies": "ciliumclusterwidenetworkpolicies",
    "networkpolicies": "networkpolicies_-A",
    "ciliumidentities": "ciliumidentities",
    "ciliumnodes": "ciliumnodes",
    "deployments": "deployments_-A",
}


def main(folder: Path) -> None:
    result: dict[str, dict[str, Any]] = {}
    for command, file in AGENT.items():
        found = [shape(path.read_text()) for path in _files(folder, f"agent/{file}")]
        found = [paths for paths in found if paths]
        result[command] = {
            "known": tree(set.union(*found)),
            "common": tree(set.intersection(*found)),
        }
    for command, file in TEXTS.items():
        path = _files(folder, f"agent/{file}")[0]
        result[command] = {"heads": heads(path.read_text())}
    for plural, name in OBJECTS.items():
        known: set[str] = set()
        for path in _files(folder, f"kubectl/kubectl_get_{name}_-o_json.json"):
            for document in documents(path.read_text()):
                known |= shape(json.dumps(document["items"]))
        result[plural] = {"known": tree(known)}
    Path(__file__).with_name("shapes.json").write_text(_written(result))


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"*/look-*/{pattern}") if path.stat().st_size > 100)


def _written(result: dict[str, dict[str, Any]]) -> str:
    lines = [
        f" {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in result.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
