"""Services as destinations: they are translated to backends before any policy decides."""

from __future__ import annotations

from typing import Any

import pytest

from playbooks.engine.reaching.verdicts import Reach, Said
from playbooks.practice.catalog import SERVICES
from playbooks.practice.objects import Json
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World
from tests.edited import Edit, each, edited
from tests.engine.reaching.judging import asked, judged
from tests.practice.worlds import seen

CLIENT, CART_CLIENT = "shop/frontend-client", "shop/cart-client"


@pytest.fixture(scope="module")
def made() -> World:
    return seen()


def called(found: Reach) -> set[tuple[str, int]]:
    return {(pair.destination.split("-")[0], pair.port) for pair in found.pairs}


def service(name: str, change: Any) -> Edit:
    def of(item: Json) -> Json:
        if item["metadata"]["name"] == name:
            change(item)
        return item

    return each("services", of)


def address_of(world: World, name: str) -> str:
    found = next(item for item in world.store.all(SERVICES, "shop") if item["metadata"]["name"] == name)
    return str(found["spec"]["clusterIP"])


async def test_the_port_of_the_backend_is_judged_however_the_service_is_named(made: World) -> None:
    cluster_ip = address_of(made, "cart")
    for name in (
        "shop/cart:80",
        "cart.shop:80",
        "cart.shop.svc.cluster.local:80",
        f"{cluster_ip}:80",
        "svc/shop/cart",
    ):
        found = await judged(made, CLIENT, name)
        assert called(found) == {("shop/cart", 8080)}, name
        assert found.said is Said.ADMITTED
    # From another namespace a bare name means the namespace of who asks.
    assert (await judged(made, "default/intruder", f"{cluster_ip}:80")).said is Said.NOT_ADMITTED


async def test_without_an_address_of_its_own_a_service_translates_no_port(made: World) -> None:
    def headless(item: Json) -> None:
        item["spec"].update(clusterIP="None", clusterIPs=["None"])

    source = edited(WorldSource(made), service("cart", headless))
    found = await asked(source, CLIENT, "svc/shop/cart:80")
    assert called(found) == {("shop/cart", 80)}
    assert found.said is Said.NOT_ADMITTED
    assert (await asked(source, CLIENT, "svc/shop/cart:8080")).said is Said.ADMITTED


async def test_a_backend_that_is_no_pod_is_called_too(made: World) -> None:
    found = await judged(made, CLIENT, "default/kubernetes:443")
    assert found.said is Said.ADMITTED
    assert {pair.port for pair in found.pairs} == {6443}
    assert not found.unchecked


async def test_a_port_that_a_service_does_not_have_is_told_apart_from_no_backend(made: World) -> None:
    found = await judged(made, CLIENT, "svc/shop/cart:81")
    assert found.said is Said.CANNOT_TELL
    assert found.unchecked == (
        "Service shop/cart has no such port: nothing translates it, and there is nobody to call",
    )


async def test_a_name_that_stands_for_another_is_told(made: World) -> None:
    def named(item: Json) -> None:
        item["spec"].update(type="ExternalName", externalName="cart.example")

    def gone(item: Json) -> Json | None:
        return None if item["metadata"]["labels"].get("kubernetes.io/service-name") == "cart" else item

    source = edited(WorldSource(made), service("cart", named), each("endpointslices", gone))
    found = await asked(source, CLIENT, "svc/shop/cart:80")
    assert found.said is Said.CANNOT_TELL
    assert found.unchecked == ("Service shop/cart stands for the name cart.example: ask for that",)


async def test_behind_an_ingress_envoy_calls_so_its_service_is_not_judged(made: World) -> None:
    def dummy(item: Json) -> Json:
        if item["metadata"]["labels"].get("kubernetes.io/service-name") == "cart":
            item["endpoints"] = [{"addresses": ["192.192.192.192"]}]
        return item

    found = await asked(edited(WorldSource(made), each("endpointslices", dummy)), CLIENT, "shop/cart:80")
    assert found.said is Said.CANNOT_TELL
    assert "leads to Envoy" in found.unchecked[0]


async def test_from_outside_through_a_node_the_caller_may_come_as_a_node(made: World) -> None:
    """The policy of frontend admits neither; that of checkout admits nodes, but not the world."""

    def opened(item: Json) -> None:
        item["spec"]["type"] = "NodePort"

    assert (await judged(made, "world", "shop/frontend:80")).said is Said.NOT_ADMITTED
    assert (await judged(made, "world", "shop/checkout:8080")).said is Said.NOT_ADMITTED
    source = edited(WorldSource(made), service("checkout", opened))
    found = await asked(source, "world", "shop/checkout:8080")
    assert found.said is Said.CANNOT_TELL
    assert "it depends on how the peer comes" in found.pairs[0].ingress.why


async def test_a_port_of_nodes_leads_to_the_service_behind_it(made: World) -> None:
    api = next(iter((await judged(made, CLIENT, "default/kubernetes:443")).pairs)).destination
    found = await judged(made, CLIENT, f"{api}:30080")
    assert called(found) == {("shop/frontend", 8080)}
