"""The parts that stand alone: selectors, patches, ownership, roles, names."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from playbooks.practice import merging
from playbooks.practice.access import Access, Attempt, permissions_from
from playbooks.practice.catalog import PODS
from playbooks.practice.naming import Names, template_hash
from playbooks.practice.ownership import Writer, claim
from playbooks.practice.selectors import BadSelector, field_test, label_test


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("app=cart", True),
        ("app==cart,tier!=web", True),
        ("app!=cart", False),
        ("tier", False),
        ("!tier", True),
        ("app in (cart, redis)", True),
        ("app notin (cart,redis),app", False),
        ("", True),
    ],
)
def test_label_selectors(selector: str, fits: bool) -> None:
    assert label_test(selector)({"metadata": {"labels": {"app": "cart"}}}) is fits


def test_a_selector_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadSelector, match="unable to parse"):
        label_test("a b c")
    with pytest.raises(BadSelector, match="not supported"):
        field_test("spec.nosuch=1", PODS)


@pytest.mark.parametrize(
    ("target", "patch", "after"),
    [
        ({"a": 1, "b": 2}, {"b": None, "c": 3}, {"a": 1, "c": 3}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        (
            {"containers": [{"name": "x", "image": "1"}, {"name": "y"}]},
            {"containers": [{"name": "x", "image": "2"}, {"name": "z"}]},
            {"containers": [{"name": "x", "image": "2"}, {"name": "y"}, {"name": "z"}]},
        ),
        (
            {"containers": [{"name": "x"}, {"name": "y"}]},
            {
                "containers": [{"name": "x", "$patch": "delete"}],
                "$setElementOrder/containers": [{"name": "y"}],
            },
            {"containers": [{"name": "y"}]},
        ),
        ({"a": {"b": 1, "c": 2}}, {"a": {"$retainKeys": ["c"], "c": 3}}, {"a": {"c": 3}}),
        ({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 3}}, {"a": {"c": 3}}),
        ({"f": ["a", "b"]}, {"$deleteFromPrimitiveList/f": ["a"]}, {"f": ["b"]}),
    ],
)
def test_strategic_merge(target: Any, patch: Any, after: Any) -> None:
    before = repr(target)
    assert merging.strategic_merge(target, patch) == after
    assert repr(target) == before


def test_json_patch() -> None:
    operations = [
        {"op": "test", "path": "/a", "value": 1},
        {"op": "add", "path": "/list/-", "value": 3},
        {"op": "add", "path": "/list/0", "value": 0},
        {"op": "replace", "path": "/x~1y", "value": 2},
        {"op": "move", "from": "/a", "path": "/b"},
    ]
    assert merging.json_patch({"a": 1, "list": [1], "x/y": 1}, operations) == {
        "b": 1,
        "list": [0, 1, 3],
        "x/y": 2,
    }
    with pytest.raises(merging.BadPatch):
        merging.json_patch({}, [{"op": "replace", "path": "/nosuch", "value": 1}])
    with pytest.raises(merging.BadPatch):
        merging.json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])


def item(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}


def test_who_changes_a_field_owns_it() -> None:
    first = item(a="1", b="2")
    first["metadata"]["managedFields"] = claim(None, first, Writer("one"), "then")
    entries = claim(first, item(a="1", b="3"), Writer("two"), "now")
    assert [(entry["manager"], entry["time"], entry["fieldsV1"]) for entry in entries] == [
        ("one", "then", {"f:data": {"f:a": {}}}),
        ("two", "now", {"f:data": {"f:b": {}}}),
    ]
    first["metadata"]["managedFields"] = entries
    assert claim(first, first, Writer("three"), "later") == entries


ROLES = """
kind: ClusterRole
metadata: {name: read}
rules:
- {apiGroups: [""], resources: [nodes], verbs: [get, list]}
- {nonResourceURLs: [/metrics], verbs: [get]}
---
kind: Role
metadata: {name: exec, namespace: kube-system}
rules:
- {apiGroups: [""], resources: [pods/exec], verbs: [create, get]}
- {apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [one]}
"""


@pytest.mark.parametrize(
    ("attempt", "is_allowed"),
    [
        (Attempt("list", "", "nodes"), True),
        (Attempt("watch", "", "nodes"), False),
        (Attempt("get", "", "pods", "exec", "kube-system", "x"), True),
        (Attempt("get", "", "pods", "exec", "shop", "x"), False),
        (Attempt("get", "", "pods", "", "kube-system", "x"), False),
        (Attempt("get", "", "secrets", "", "kube-system", "one"), True),
        (Attempt("get", "", "secrets", "", "kube-system", "two"), False),
        (Attempt("create", "authorization.k8s.io", "selfsubjectaccessreviews"), True),
    ],
)
def test_roles_as_they_would_be_pasted(attempt: Attempt, is_allowed: bool) -> None:
    access = Access("jane", permissions_from(yaml.safe_load_all(ROLES)))
    assert access.allows(attempt) is is_allowed
    assert Access().allows(attempt)


def test_a_template_decides_its_own_hash() -> None:
    assert template_hash("a") == template_hash("a") != template_hash("b")
    assert Names(0).nodes(4)[0].endswith("-control-1")
