from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.engine.targets.parsing import Form, Target, WrongTarget, parse


@pytest.mark.parametrize(
    ("text", "form", "namespace", "name", "port", "protocol"),
    [
        ("shop/redis:6379", Form.NAMED, "shop", "redis", 6379, "TCP"),
        ("checkout", Form.NAMED, "default", "checkout", 0, "TCP"),
        ("deploy/shop/cart", Form.NAMED, "shop", "cart", 0, "TCP"),
        ("shop/dns:53/udp", Form.NAMED, "shop", "dns", 53, "UDP"),
        ("app=cart", Form.LABELS, "default", "app=cart", 0, "TCP"),
        ("shop/app=cart:80", Form.LABELS, "shop", "app=cart", 80, "TCP"),
        ("app.kubernetes.io/name=x", Form.LABELS, "default", "app.kubernetes.io/name=x", 0, "TCP"),
        ("shop/", Form.NAMESPACE, "shop", "shop", 0, "TCP"),
        ("ns/shop", Form.NAMESPACE, "shop", "shop", 0, "TCP"),
        ("10.0.0.1:53/UDP", Form.ADDRESS, "", "10.0.0.1", 53, "UDP"),
        ("fd00::1", Form.ADDRESS, "", "fd00::1", 0, "TCP"),
        ("[fd00::1]:443", Form.ADDRESS, "", "fd00::1", 443, "TCP"),
        ("api.payments.example:443", Form.HOST, "", "api.payments.example", 443, "TCP"),
        ("world", Form.ENTITY, "", "world", 0, "TCP"),
    ],
)
def test_what_people_type(text: str, form: Form, namespace: str, name: str, port: int, protocol: str) -> None:
    got = parse(text)
    assert (got.form, got.namespace, got.name, got.port, got.protocol) == (
        form,
        namespace,
        name,
        port,
        protocol,
    )


@pytest.mark.parametrize("text", ["", "shop/redis:99999", "a/b/c/d", "shop/red is", "=x"])
def test_what_names_nothing_says_how_to_write_it(text: str) -> None:
    with pytest.raises(WrongTarget):
        parse(text)


@given(st.text(max_size=60))
def test_nothing_typed_ends_in_an_exception_of_ours(text: str) -> None:
    with suppress(WrongTarget):
        assert isinstance(parse(text), Target)
