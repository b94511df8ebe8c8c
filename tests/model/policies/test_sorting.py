"""Looking up by label gives what comparing each with each gives."""

from __future__ import annotations

import pytest

from playbooks.model.finding import Ref
from playbooks.model.kube.selectors import Expression, Selector
from playbooks.model.policies.labels import NAMESPACE, NAMESPACE_LABELS, Labels, selects
from playbooks.model.policies.sorting import Carriers, Selecting
from playbooks.model.policies.written import Written

OF_PODS = [
    Labels.of_pod(
        {"app": f"app-{number % 3}", **({"tier": "web"} if number % 2 else {})},
        f"team-{number % 4}",
        {"kubernetes.io/metadata.name": f"team-{number % 4}"},
    )
    for number in range(24)
]
PODS = (*OF_PODS, Labels(("reserved:host",)), Labels(("cidr:10.0.0.0/8", "reserved:world")))
SELECTORS = (
    Selector(),
    Selector({"app": "app-1"}),
    Selector({"k8s:app": "app-1", "any:tier": "web"}),
    Selector({"app": "nobody"}),
    Selector({f"k8s:{NAMESPACE}": "team-2", "app": "app-0"}),
    Selector({f"{NAMESPACE_LABELS}kubernetes.io/metadata.name": "team-3"}),
    Selector({"reserved:host": ""}),
    Selector(None, (Expression("app", "In", ("app-0", "app-2", "nobody")),)),
    Selector(None, (Expression("tier", "NotIn", ("web",)),)),
    Selector(None, (Expression("tier", "DoesNotExist"), Expression("app", "Exists"))),
    Selector({"app": "app-2"}, (Expression(f"k8s:{NAMESPACE}", "Exists"),)),
)


@pytest.mark.parametrize("namespace", ["", "team-1", "team-2", "team-9"])
@pytest.mark.parametrize("selector", SELECTORS, ids=str)
def test_who_is_selected(selector: Selector, namespace: str) -> None:
    by_hand = [number for number, labels in enumerate(PODS) if selects(selector, labels, namespace)]
    assert list(Carriers.of(PODS).selected(selector, namespace)) == by_hand


def test_which_policies_select() -> None:
    policies = [
        Written(Ref("Policy", str(number), namespace), ".spec", selector, is_for_nodes, frozenset(), ())
        for number, selector in enumerate(SELECTORS)
        for namespace in ("", "team-1", "team-2")
        for is_for_nodes in (False, True)
    ]
    sorted_ = Selecting.of(policies)
    for labels in PODS:
        assert list(sorted_.of_endpoint(labels)) == [one for one in policies if one.selects(labels)]
