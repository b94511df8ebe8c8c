from __future__ import annotations

import pytest

from playbooks.sources.access import CannotConnect
from playbooks.sources.access.proxy import proxy_for, without_userinfo

SERVER = "https://api.prod.example:6443/prefix"


def test_the_kubeconfigs_proxy_wins_over_the_environment() -> None:
    environment = {"HTTPS_PROXY": "http://other:3128", "NO_PROXY": "*"}
    assert proxy_for(SERVER, "socks5://bastion:1080", environment) == "socks5://bastion:1080"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "p:3128"}, "http://p:3128"),
        ({"HTTP_PROXY": "http://p:3128"}, ""),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "other.example,api.prod.example"}, ""),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": ".prod.example"}, ""),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*.prod.example"}, ""),
        ({"HTTPS_PROXY": "http://p:3128", "no_proxy": "prod.example:6443"}, ""),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "prod.example:443"}, "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "rod.example"}, "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, ""),
    ],
)
def test_the_environment(environment: dict[str, str], expected: str) -> None:
    assert proxy_for(SERVER, "", environment) == expected


@pytest.mark.parametrize(
    ("server", "exceptions", "is_direct"),
    [
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", "192.168.0.0/16", False),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", True),
        ("https://10.1.2.3:6443", "10.1.2.3:443", False),
        ("https://[fd00::7]:6443", "fd00::/8", True),
        ("https://[fd00::7]:6443", "[fd00::7]:6443", True),
        ("https://localhost:6443", "", True),
        ("https://127.0.0.1:6443", "", True),
    ],
)
def test_exceptions_by_address(server: str, exceptions: str, is_direct: bool) -> None:
    environment = {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": exceptions}
    assert (proxy_for(server, "", environment) == "") is is_direct


@pytest.mark.parametrize("url", ["ftp://p:1", "http://", "socks4://p:1", "http://[::1", "nonsense"])
def test_what_is_no_proxy(url: str) -> None:
    with pytest.raises(CannotConnect, match="proxy-url"):
        proxy_for(SERVER, url, {})


def test_passwords_of_proxies_are_never_shown() -> None:
    assert without_userinfo("http://me:secret@proxy:3128/x") == "http://proxy:3128/x"
    with pytest.raises(CannotConnect) as caught:
        proxy_for(SERVER, "ftp://me:secret@proxy", {})
    assert "secret" not in str(caught.value)
