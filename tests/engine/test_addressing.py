"""Commands of fixes go to the cluster that was looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from playbooks.engine.addressing import addressed_command
from playbooks.engine.run import Order, Run
from playbooks.model.cilium.agents import Agents
from playbooks.model.finding import Fix, Risk, Verdict, step
from tests.engine.toy import ToyCluster, rule, warn

PROD = "kubectl --context prod"


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("kubectl get pods", "kubectl --context prod get pods"),
        ("kubectl get x -o yaml | kubectl apply -f -", f"{PROD} get x -o yaml | {PROD} apply -f -"),
        (
            "cat > a <<EOF\nkubectl\nEOF\nkubectl apply -f a",
            f"cat > a <<EOF\nkubectl\nEOF\n{PROD} apply -f a",
        ),
        ("kubectl --context prod get pods", "kubectl --context prod get pods"),
        ("helm upgrade cilium", "helm --kube-context prod upgrade cilium"),
        ("cilium sysdump", "cilium --context prod sysdump"),
        ("kubectl exec x -- cilium status", f"{PROD} exec x -- cilium status"),
        ("echo my-kubectl is", "echo my-kubectl is"),
    ],
)
def test_bare_commands_are_addressed(command: str, wanted: str) -> None:
    assert addressed_command(command, PROD) == wanted


def test_fixes_of_a_run_are_addressed() -> None:
    def node_is_bad(agents: Agents) -> Iterator[Verdict]:
        fix = Fix.cure(
            "Mend it.",
            why="So.",
            risk=Risk.LOW,
            steps=(step("Do.", "kubectl delete pod x"),),
            undo="",
            verify="",
        )
        yield warn(agents, "a", fixes=(fix,))

    snapshot = asyncio.run(Run(ToyCluster(), Order((rule(node_is_bad),), kubectl=PROD)).start())
    command = snapshot.roots[0].finding.fixes[0].steps[0].command
    assert command
    assert command.raw == f"{PROD} delete pod x"
