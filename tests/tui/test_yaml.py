"""What a finding is about, as YAML."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import yaml

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.fact import Choice
from playbooks.model.finding import Ref
from playbooks.model.kube.resources import CONFIG_MAPS, SERVICES
from playbooks.model.request import Objects, Request, Resource
from tests.engine.toy import START
from tests.tui.command import recording
from tests.tui.consoles import (
    NARROW,
    WIDE,
    connecting_to,
    console,
    diagnosed,
    is_settled,
    running,
    screen_text,
    text_after,
    until,
)
from tui.asking_yaml import as_yaml, written
from tui.commands.opening import recording as opened
from tui.screens.yaml import YamlScreen
from tui.view.subjects import instead_of_yaml, resources_of

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


@SIZES
async def test_y_shows_what_the_finding_is_about(size: tuple[int, int]) -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=size) as (app, pilot):
        await pilot.press("y")
        await until(pilot, lambda: app.screen.answer.sheet)
        assert isinstance(app.screen, YamlScreen)
        shown = screen_text(app)
        assert shown.startswith("$ kubectl -n shop get services checkout -o yaml")
        assert "app: chekout" in app.screen.answer.sheet.body.decode()
        assert "the command" in await text_after(app, pilot, "c")


async def test_without_a_finding_it_is_said_what_to_select() -> None:
    async with diagnosed("service-no-backends", playbooks=("service",), size=WIDE) as (app, pilot):
        assert app.diagnose.go_to("playbook agent")
        await pilot.pause()
        assert "select a finding, or list objects with :pods" in await text_after(app, pilot, "y")


async def test_a_recording_answers_from_the_lists_that_it_holds() -> None:
    source = opened(recording("02-")).source
    async with running(console(connecting_to(source, kind="recording of once")), WIDE) as pilot:
        app = pilot.app
        await until(pilot, lambda: is_settled(app))
        await pilot.press("y")
        await until(pilot, lambda: app.screen.answer.sheet)
        shown = screen_text(app)
        assert " -o yaml" in shown.splitlines()[0]
        assert "apiVersion: v1" in shown
        assert "kind: Service" in shown


class Listing:
    """A recording that holds nothing but lists."""

    name, now = "lists", START

    def __init__(self, *pages: dict[str, object]) -> None:
        self.pages = [json.dumps(page).encode() for page in pages]

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        if isinstance(request, Objects) and request.name:
            yield Gap(GapKind.NOT_RECORDED, "not asked when this was recorded")
            return
        body = b"\n".join(self.pages)
        for at in range(0, len(body), 7):
            yield body[at : at + 7]
        yield End(request.command(), "here", START, 0.0)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0 * seconds)

    async def close(self) -> None:
        """Nothing is held."""


def page(*names: str) -> dict[str, object]:
    items = [{"metadata": {"name": name, "namespace": "shop"}, "spec": {"of": name}} for name in names]
    return {"kind": "ServiceList", "apiVersion": "v1", "items": items}


async def asked(source: Listing, name: str, *resources: Resource) -> object:
    knowing = Knowing(Asking(source, 1, Turns(1)), Choice(), lambda: START)
    return await written(
        knowing, Ref("Service", name, "shop"), resources or (SERVICES,), "kubectl --context a"
    )


async def test_one_object_is_taken_out_of_many_pages() -> None:
    source = Listing(page("a", "b"), page("c"))
    found = await asked(source, "c")
    assert not isinstance(found, Gap)
    assert yaml.safe_load(found.answer.body) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "c", "namespace": "shop"},
        "spec": {"of": "c"},
    }
    assert found.answer.end.command == "kubectl --context a -n shop get services c -o yaml"


async def test_what_no_list_holds_is_a_gap() -> None:
    found = await asked(Listing(page("a")), "z")
    assert isinstance(found, Gap)
    assert found.kind is GapKind.NOT_RECORDED


def test_managed_fields_and_values_of_secrets_are_left_out_and_text_is_readable() -> None:
    resource = Resource("", "v1", "secrets", "Secret")
    made = as_yaml(
        json.dumps(
            {
                "kind": "Secret",
                "metadata": {"name": "x", "managedFields": [{"manager": "helm"}]},
                "data": {"password": "aHVudGVyMg=="},
                "stringData": {"token": "hunter2"},
            }
        ).encode(),
        resource,
    ).decode()
    assert "hunter" not in made
    assert "aHVudGVyMg" not in made
    assert "helm" not in made
    assert "password: <redacted>" in made
    text = as_yaml(json.dumps({"data": {"a": "one\ntwo\n", "b": "yes"}}).encode(), CONFIG_MAPS).decode()
    assert "a: |\n    one\n    two\n" in text
    assert "b: 'yes'" in text


@pytest.mark.parametrize(
    ("ref", "part"),
    [
        (Ref("Endpoint", "cart-0", "shop", "n1"), ":endpoint get shop/cart-0"),
        (Ref("Endpoint", "1234", "", "n1"), ":endpoint get 1234 @n1"),
        (Ref("Identity", "8"), ":identity get 8"),
        (Ref("Frontend", "10.0.0.1:80/TCP", "", "n1"), ":service list @n1"),
        (Ref("rule of the agent", "host"), "is no object of the API"),
        (Ref("ClusterRole", "cilium"), "kubectl get clusterrole cilium -o yaml"),
    ],
)
def test_what_is_no_object_says_what_shows_it(ref: Ref, part: str) -> None:
    assert resources_of(ref) == ()
    assert part in instead_of_yaml(ref, "kubectl")


async def test_hostile_text_is_harmless() -> None:
    source = Listing(
        {"kind": "ServiceList", "items": [{"metadata": {"name": "a", "namespace": "shop"}, "x": "\x1b[31m‮"}]}
    )
    found = await asked(source, "a")
    assert not isinstance(found, Gap)
    sheet = found.sheet
    rows = "\n".join(sheet.row(at) for at in range(len(sheet)))
    assert "\x1b" not in rows
    assert "‮" not in rows
