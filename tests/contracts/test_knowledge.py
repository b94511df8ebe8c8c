"""What `exec` runs and refuses, and the roles that are asked for."""

from __future__ import annotations

import pytest
import yaml

from playbooks.knowledge.agent_commands import Refused, known_commands, read_only
from playbooks.knowledge.roles import CLUSTER, permissions, roles_text

READS = ("get", "list", "watch")


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("status --verbose", "cilium-dbg status --verbose"),
        ("cilium-dbg endpoint list -o json", "cilium-dbg endpoint list -o json"),
        ("cilium bpf ct ls", "cilium-dbg bpf ct list"),
        ("endpoint config 31", "cilium-dbg endpoint config 31"),
        ("config -a -o json", "cilium-dbg config -a -o json"),
        ("shell -- db/show health -f json", "cilium-dbg shell -- db/show health -f json"),
        ("status -o jsonpath={.cilium.state}", "cilium-dbg status -o jsonpath={.cilium.state}"),
        ("cilium-health status --verbose", "cilium-health status --verbose"),
        ("bpftool prog show -j", "bpftool prog show -j"),
    ],
)
def test_commands_that_read_are_run(typed: str, run: str) -> None:
    assert " ".join(read_only(typed.split()).argv) == run


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "no command"),
        ("bpf ct flush", "changes something"),
        ("cilium-dbg endpoint disconnect 31", "changes something"),
        ("config Debug=true", "no argument"),
        ("endpoint config 31 Debug=true", "at most 1"),
        ("kvstore get --recursive cilium --bogus", "without --bogus"),
        ("endpoint labels 31 --add x", "changes something"),
        ("status --host=tcp://10.0.0.1:1", "without --host"),
        ("cilium-health status --probe", "without --probe"),
        ("map events cilium_lxc --follow", "without --follow"),
        ("monitor", "does not end"),
        ("encrypt dump-xfrm", "keys"),
        ("debuginfo --output-directory=/tmp", "changes something"),
        ("shell -- db/show health --out=/tmp/x", "without --out"),
        ("shell -- db/show health -o /tmp/x", "without -o"),
        ("shell -- db/delete health x", "changes something"),
        ("shell -- db/show health>/tmp/x", "sign"),
        ("shell", "not on the list"),
        ("bash -c id", "not on the list"),
        ("cat /etc/shadow", "not on the list"),
        ("cilium-dbg", "no command"),
    ],
)
def test_everything_else_is_refused_and_says_why(typed: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_only(typed.split())


def test_no_command_is_on_the_list_twice() -> None:
    names = [known.name for known in known_commands()]
    assert len(set(names)) == len(names)
    assert {known.kind for known in known_commands()} == {"read", "changes", "endless", "secret"}


def test_dumps_that_grow_with_traffic_are_marked() -> None:
    assert read_only(["bpf", "ct", "list", "global"]).is_heavy
    assert not read_only(["status"]).is_heavy


def test_the_roles_are_valid_and_change_nothing() -> None:
    documents = list(yaml.safe_load_all(roles_text("cilium", "ops")))
    kinds = [document["kind"] for document in documents]
    assert kinds == ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    assert documents[2]["metadata"]["namespace"] == documents[3]["metadata"]["namespace"] == "cilium"
    for document in (documents[0], documents[2]):
        for rule in document["rules"]:
            may_create = rule["resources"] == ["pods/exec"]
            assert set(rule["verbs"]) <= {*READS, "create"} if may_create else set(rule["verbs"]) <= {*READS}


def test_nobody_is_asked_for_secrets() -> None:
    assert all("secrets" not in one.resources and "*" not in one.resources for one in permissions())


def test_the_cluster_role_has_no_exec_and_no_logs() -> None:
    everywhere = [resource for one in permissions() if one.scope == CLUSTER for resource in one.resources]
    assert not any("/" in resource for resource in everywhere)
