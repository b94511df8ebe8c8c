"""The converter asks what honeyguide asks, keeps what was told, and takes out what must not be kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import AgentCommand, ContainerLog, Objects
from tests.convert.commands import agent_commands, logs
from tests.convert.lab import Look
from tests.convert.objects import DAEMON_SETS, daemon_sets
from tests.convert.scrub import scrub

AT = "2026-11-23T01:40:00Z"
AGENT = "n1/kube-system/cilium-x"


def row(file: str, command: str, **parts: Any) -> dict[str, Any]:
    return {"file": file, "command": command, "exit_code": 0, "where": AGENT, "at": AT, "seconds": 1, **parts}


def look(folder: Path, *rows: tuple[dict[str, Any], str, str]) -> Look:
    """A look with rows, their output and their standard error."""
    index = []
    for number, (entry, output, stderr) in enumerate(rows):
        name = f"{entry['file']}/{number}"
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(output)
        (folder / f"{name}.stderr").write_text(stderr)
        index.append({**entry, "file": name, "stderr": f"{name}.stderr" if stderr else ""})
    (folder / "index.json").write_text(json.dumps(index))
    return Look.read(folder)


def pod(namespace: str, name: str, owner: str, kind: str = "ReplicaSet") -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "ownerReferences": [{"kind": kind, "name": owner}]}
    return {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": "n1", "containers": [{"name": "main"}]}}


def pods(*items: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
    return row("kubectl", "kubectl get pods -A -o json"), json.dumps({"kind": "List", "items": items}), ""


def test_a_command_is_asked_with_its_words_and_ends_as_it_did(tmp_path: Path) -> None:
    told = look(
        tmp_path,
        (
            row("agent", "cilium-dbg map get 'a b'", exit_code=1),
            "x",
            "Error: no\ncommand terminated with exit code 1\n",
        ),
    )
    [only] = agent_commands(told)
    argv = ("cilium-dbg", "map", "get", "a b")
    assert only.request == AgentCommand("n1", "kube-system", "cilium-x", "cilium-agent", argv)
    assert isinstance(only.end, End)
    assert (only.body, only.end.exit_code, only.end.stderr, only.end.where) == (
        b"x",
        1,
        b"Error: no\n",
        AGENT,
    )


@pytest.mark.parametrize(
    ("output", "stderr", "code", "kind"),
    [
        (
            "",
            'error: unable to upgrade connection: container not found ("cilium-agent")\n',
            1,
            GapKind.NOT_RUNNING,
        ),
        ("Do things\n\nUsage:\n  cilium-dbg\n", "", 0, GapKind.NOT_IN_THIS_VERSION),
        ("", 'Error: unknown command "x" for "cilium-dbg"\n', 1, GapKind.NOT_IN_THIS_VERSION),
    ],
)
def test_what_a_live_cluster_has_no_answer_for_is_a_gap(
    tmp_path: Path, output: str, stderr: str, code: int, kind: GapKind
) -> None:
    [only] = agent_commands(look(tmp_path, (row("agent", "cilium-dbg x", exit_code=code), output, stderr)))
    assert isinstance(only.end, Gap)
    assert (only.end.kind, only.end.node) == (kind, "n1")
    assert only.end.taken_at


@pytest.mark.parametrize("command", ["timeout -s INT 3 cilium-dbg monitor", "cilium-dbg debuginfo"])
def test_follows_and_the_largest_dumps_are_left_out(tmp_path: Path, command: str) -> None:
    assert list(agent_commands(look(tmp_path, (row("agent", command), "x", "")))) == []


def test_a_truncated_output_stays_marked(tmp_path: Path) -> None:
    [only] = agent_commands(
        look(tmp_path, (row("agent", "cilium-dbg bpf ct list global", truncated=True), "x", ""))
    )
    assert isinstance(only.end, End)
    assert only.end.is_truncated
    assert isinstance(only.request, AgentCommand)
    assert only.request.is_heavy


@pytest.mark.parametrize(("lines", "is_cut"), [(199, False), (200, True)])
def test_a_shorter_log_is_cut_only_when_it_is_full(tmp_path: Path, lines: int, is_cut: bool) -> None:
    command = "kubectl logs -n kube-system POD -c cilium-agent --previous --tail=200"
    [only] = logs(look(tmp_path, (row("logs", command), "line\n" * lines, "")))
    assert only.request == ContainerLog(
        "kube-system", "cilium-x", "cilium-agent", "n1", is_previous=True, tail=500
    )
    assert isinstance(only.end, End)
    assert only.end.is_truncated is is_cut


def test_a_previous_log_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    command = "kubectl logs -n kube-system POD -c cilium-agent --previous --tail=200"
    words = 'previous terminated container "cilium-agent" in pod "cilium-x" not found'
    entry = (row("logs", command, exit_code=1), "", f"Error from server (BadRequest): {words}\n")
    [only] = logs(look(tmp_path, entry))
    assert isinstance(only.end, Gap)
    assert (only.end.kind, only.end.detail) == (GapKind.NOT_FOUND, words)


def test_a_log_of_a_deployment_is_that_of_its_only_pod(tmp_path: Path) -> None:
    command = "kubectl logs -n shop deploy/cart --tail=500"
    one = pod("shop", "cart-1-a", "cart-1")
    others = (pod("shop", "cart-client-1-a", "cart-client-1"), pod("default", "cart-1-b", "cart-1"))
    [only] = logs(look(tmp_path, pods(one, *others), (row("logs", command), "x\n", "")))
    assert only.request == ContainerLog("shop", "cart-1-a", "main", "n1")


def test_a_log_of_a_deployment_with_several_pods_is_nobodys(tmp_path: Path) -> None:
    several = pods(pod("shop", "cart-1-a", "cart-1"), pod("shop", "cart-1-b", "cart-1"))
    log = (row("logs", "kubectl logs -n shop deploy/cart --tail=500"), "x\n", "")
    assert list(logs(look(tmp_path, several, log))) == []


@pytest.mark.parametrize(
    ("owner", "namespaces"), [("ReplicaSet", ["kube-system", ""]), ("DaemonSet", ["kube-system"])]
)
def test_daemon_sets_of_all_namespaces_need_proof_that_there_are_no_others(
    tmp_path: Path, owner: str, namespaces: list[str]
) -> None:
    items = [
        {"kind": kind, "apiVersion": "apps/v1", "metadata": {"name": kind}}
        for kind in ("Deployment", "DaemonSet")
    ]
    command = "kubectl get deployments,daemonsets -n kube-system -o json"
    lists = (row("kubectl", command), json.dumps({"kind": "List", "items": items}), "")
    told = list(daemon_sets(look(tmp_path, lists, pods(pod("other", "agent-a", "agent", owner)))))
    assert [one.request for one in told] == [Objects(DAEMON_SETS, namespace=name) for name in namespaces]
    page = json.loads(told[0].body)
    assert (page["kind"], page["items"]) == ("DaemonSetList", [{"metadata": {"name": "DaemonSet"}}])


def test_environment_and_last_applied_are_taken_out_wherever_they_are() -> None:
    key = "kubectl.kubernetes.io/last-applied-configuration"
    secret = {
        "items": [
            {
                "metadata": {"annotations": {key: "secret", "other": "kept"}},
                "spec": {
                    "containers": [
                        {
                            "env": [
                                {"name": "PASSWORD", "value": "secret"},
                                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                            ]
                        }
                    ]
                },
            }
        ]
    }
    scrubbed = json.dumps(scrub(secret))
    assert "secret" not in scrubbed
    assert scrubbed.count("<redacted>") == 2
    assert "spec.nodeName" in scrubbed
    assert "kept" in scrubbed
