"""The page of one object: findings on it, on its workload, and on its node."""

from __future__ import annotations

from playbooks.model.answer import Gap, GapKind
from playbooks.model.fact import Provenance
from playbooks.model.finding import Finding, Ref, Severity, finding
from playbooks.model.kube.events import Event, Involved, Warnings
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.resources import PODS
from playbooks.model.outcome import Outcome, OutcomeKind
from tests.engine.toy import START
from tests.tui.view.test_merged import ONE, snapshot
from tui.view.described import described
from tui.view.object_table import found_about, found_on_node, marks_of
from tui.view.objects import SHELVES, Item

POD = Item(
    Ref("Pod", "cart-0", "shop", "n1"),
    ("ContainerCreating", "0/1", "n1", "0"),
    PODS,
    True,
    "pod/shop/cart-0",
    "shop",
    lambda: (("labels", "app=cart\x1b[31m"),),
    "cart",
)


def bad(ref: Ref) -> Finding:
    return finding(Severity.ERROR, ref, f"{ref} is bad", evidence=())


ON_IT, ON_WORKLOAD = bad(Ref("Pod", "cart-0", "shop", "n1")), bad(Ref("Deployment", "cart", "shop"))
ON_NODE, ELSEWHERE = bad(Ref("Node", "n1", node="n1")), bad(Ref("Node", "n2", node="n2"))
SNAPSHOT = snapshot(
    Outcome(ONE, OutcomeKind.FINDINGS, 1, 1, findings=(ON_IT, ON_WORKLOAD, ON_NODE, ELSEWHERE))
)


def page(warnings: Warnings | Gap | None, item: Item = POD) -> str:
    return "\n".join(one.text for one in described(item, SHELVES[0], SNAPSHOT, warnings))


def test_findings_on_it_and_its_workload_come_before_those_on_its_node() -> None:
    assert {one.finding for one in found_about(SNAPSHOT, POD)} == {ON_IT, ON_WORKLOAD}
    assert [one.finding for one in found_on_node(SNAPSHOT, POD)] == [ON_NODE]
    told = page(None)
    assert told.index("Pod shop/cart-0 is bad") < told.index("What is found on its node")
    assert "Node n1 is bad" in told
    assert "Node n2" not in told


def test_a_finding_marks_the_object_and_its_node() -> None:
    marks = marks_of(SNAPSHOT)
    assert marks["Pod", "shop", "cart-0"] is Severity.ERROR
    assert marks["Node", "", "n1"] is Severity.ERROR


def test_events_of_it_are_told_the_newest_first_and_a_gap_says_why() -> None:
    def event(name: str, said: str) -> Event:
        return Event(Meta(creation_timestamp=START), Involved("Pod", "shop", name), "Warning", said, said)

    where = Provenance("kubectl get events", "API server", START)
    told = page(Warnings(provenance=where, items=(event("cart-0", "Mine"), event("cart-1", "Other"))))
    assert "Mine x1 Mine" in told
    assert "Other" not in told
    assert "no permission" in page(Gap(GapKind.FORBIDDEN, "no permission"))
    assert "none is kept" in page(Warnings(provenance=where, items=()))


def test_what_the_cluster_wrote_is_harmless() -> None:
    assert "\x1b" not in page(None)
    assert "app=cart\\e[31m" in page(None)
