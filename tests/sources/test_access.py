from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.sources.access import Access, CannotConnect, ConnectOptions, load
from tests.sources.certificates import authority

CA = base64.b64encode(authority().pem).decode()


def config(**changes: Any) -> dict[str, Any]:
    return {
        "current-context": "prod-eu",
        "contexts": [
            {"name": "prod-eu", "context": {"cluster": "eu", "user": "me"}},
            {"name": "prod-us", "context": {"cluster": "us", "user": "me"}},
        ],
        "clusters": [
            {
                "name": "eu",
                "cluster": {"server": "https://eu.example:6443", "certificate-authority-data": CA},
            },
            {"name": "us", "cluster": {"server": "https://us.example/k8s/clusters/c-1/"}},
        ],
        "users": [{"name": "me", "user": {"token": "t1"}}],
        **changes,
    }


def written(folder: Path, document: object, name: str = "config") -> str:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def loaded(folder: Path, document: object, **options: Any) -> Access:
    path = written(folder, document)
    return load(ConnectOptions(kubeconfig=(path,), **options), {})


def failing(folder: Path, document: object, **options: Any) -> CannotConnect:
    with pytest.raises(CannotConnect) as caught:
        loaded(folder, document, **options)
    return caught.value


def with_user(user: dict[str, Any]) -> dict[str, Any]:
    return config(users=[{"name": "me", "user": user}])


def with_cluster(**cluster: Any) -> dict[str, Any]:
    return config(clusters=[{"name": "eu", "cluster": {"server": "https://eu.example:6443", **cluster}}])


def test_the_current_context_names_the_cluster_and_the_command(tmp_path: Path) -> None:
    path = written(tmp_path, config())
    access = load(ConnectOptions(), {"KUBECONFIG": path})

    assert (access.name, access.server) == ("prod-eu", "https://eu.example:6443")
    assert access.headers == (("Authorization", "Bearer t1"),)
    assert access.command_prefix == "kubectl --context prod-eu"
    assert not access.is_insecure


def test_a_chosen_context_and_a_file_are_part_of_the_command(tmp_path: Path) -> None:
    document = config()
    document["contexts"][1]["name"] = "prod us"
    access = loaded(tmp_path, document, context="prod us", as_user="jane doe", as_groups=("a", "b"))

    assert access.server == "https://us.example/k8s/clusters/c-1"
    path = tmp_path / "config"
    assert access.command_prefix == (
        f"kubectl --kubeconfig {path} --context 'prod us' --as 'jane doe' --as-group a --as-group b"
    )
    assert access.impersonation == (
        ("Impersonate-User", "jane doe"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
    )


def test_the_kubeconfig_may_impersonate_and_the_command_line_wins(tmp_path: Path) -> None:
    document = with_user({"token": "t", "as": "robot", "as-uid": "u-1", "as-groups": ["machines"]})

    assert loaded(tmp_path, document).impersonation == (
        ("Impersonate-User", "robot"),
        ("Impersonate-Uid", "u-1"),
        ("Impersonate-Group", "machines"),
    )
    assert loaded(tmp_path, document, as_user="jane").impersonation == (("Impersonate-User", "jane"),)


def test_groups_without_a_user_are_refused(tmp_path: Path) -> None:
    assert "--as" in failing(tmp_path, config(), as_groups=("a",)).remedy


def test_several_files_are_one_and_the_first_that_says_a_thing_wins(tmp_path: Path) -> None:
    first = config()
    del first["current-context"]
    first["users"] = None
    folder = tmp_path / "second"
    folder.mkdir()
    (folder / "token").write_text("from-a-file\n")
    second = config(**{"current-context": "prod-us"})
    second["clusters"][1]["cluster"]["server"] = "https://ignored.example"
    second["users"] = [{"name": "me", "user": {"tokenFile": "token"}}]
    paths = [written(tmp_path, first), str(tmp_path / "missing"), written(folder, second)]

    access = load(ConnectOptions(), {"KUBECONFIG": ":".join(paths)})

    assert access.name == "prod-us"
    assert access.server == "https://us.example/k8s/clusters/c-1"
    assert access.headers == (("Authorization", "Bearer from-a-file"),)


def test_client_certificates_from_files_and_from_data(tmp_path: Path) -> None:
    pair = authority().pair(subject="jane")
    (tmp_path / "c.pem").write_bytes(pair.certificate)
    (tmp_path / "k.pem").write_bytes(pair.key)
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    files = with_user({"client-certificate": "c.pem", "client-key": "k.pem"})
    files["clusters"][0]["cluster"] = {"server": "https://eu.example", "certificate-authority": "ca.pem"}
    data = with_user(
        {
            "client-certificate-data": base64.b64encode(pair.certificate).decode(),
            "client-key-data": base64.b64encode(pair.key).decode(),
        }
    )

    for document in (files, data):
        credentials = loaded(tmp_path, document).credentials
        assert credentials.has_certificate
        assert not credentials.authorization
        assert not credentials.is_absent
        assert credentials.tls is not None
        assert [ca["subject"] for ca in credentials.tls.get_ca_certs()]


def test_nothing_secret_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = authority().pair(subject="jane")
    user = {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    first = loaded(tmp_path, with_user(user))
    again = first.refreshed()

    assert again.credentials.has_certificate
    assert list(temporary.iterdir()) == []


def test_a_user_without_anything_is_absent(tmp_path: Path) -> None:
    for document in (with_user({}), config(users=[]), config(users=[{"name": "me", "user": None}])):
        assert loaded(tmp_path, document).credentials.is_absent


def test_user_and_password(tmp_path: Path) -> None:
    access = loaded(tmp_path, with_user({"username": "u", "password": "p"}))
    assert access.headers == (("Authorization", "Basic dTpw"),)


def test_an_oidc_token_is_used_while_it_lasts_and_never_renewed_here(tmp_path: Path) -> None:
    def provider(exp: int) -> dict[str, Any]:
        claims = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
        told = {"id-token": f"e30.{claims}.x", "refresh-token": "r", "idp-issuer-url": "https://idp.example"}
        return with_user({"auth-provider": {"name": "oidc", "config": told}})

    assert loaded(tmp_path, provider(4102444800)).credentials.authorization.startswith("Bearer e30.")
    error = failing(tmp_path, provider(1))
    assert "expired" in error.what
    assert "kubectl" in error.remedy


def test_vendors_auth_providers_are_refused_with_what_replaced_them(tmp_path: Path) -> None:
    error = failing(tmp_path, with_user({"auth-provider": {"name": "gcp"}}))
    assert "gcp" in error.what
    assert "plug-in" in error.remedy


def test_insecure_is_known(tmp_path: Path) -> None:
    access = loaded(tmp_path, with_cluster(**{"insecure-skip-tls-verify": True}))
    assert access.is_insecure
    assert access.credentials.tls is not None
    assert access.credentials.tls.verify_mode is ssl.CERT_NONE
    assert loaded(tmp_path, with_cluster(server="http://localhost:8080")).is_insecure


def test_no_kubeconfig_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CannotConnect) as caught:
        load(ConnectOptions(), {"KUBECONFIG": str(tmp_path / "nowhere")})
    assert "no kubeconfig" in caught.value.what
    assert "nowhere" in caught.value.where
    assert "--kubeconfig" in caught.value.remedy


def test_a_kubeconfig_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(CannotConnect) as caught:
        load(ConnectOptions(kubeconfig=(str(tmp_path / "nowhere"),)), {})
    assert str(tmp_path / "nowhere") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\nb: 2", "line 2"),
        ("\x00\x01", "not YAML"),
        ("just words", "Expected `object`"),
        ("contexts: 7", "$.contexts"),
        ("users: [{name: me, user: {token: [1]}}]", "$.users[0].user.token"),
        ("a: &a [*a, *a]\n", "no context"),
    ],
)
def test_a_broken_kubeconfig_says_where(tmp_path: Path, text: str, said: str) -> None:
    error = failing(tmp_path, text)
    assert said in f"{error}"
    assert str(tmp_path / "config") in error.where


def test_a_folder_or_latin_letters_are_no_kubeconfig(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"current-context: \xe4\xff")
    with pytest.raises(CannotConnect, match="not YAML"):
        load(ConnectOptions(kubeconfig=(str(path),)), {})


def test_an_unknown_context_names_near_ones_and_all(tmp_path: Path) -> None:
    error = failing(tmp_path, config(), context="prod-ue")
    assert "prod-ue" in error.what
    assert "did you mean prod-" in error.remedy
    assert "prod-eu, prod-us" in error.remedy


def test_no_context_at_all(tmp_path: Path) -> None:
    document = config()
    del document["current-context"]
    error = failing(tmp_path, document)
    assert "no context" in error.what
    assert "prod-eu, prod-us" in error.remedy


def test_a_context_without_its_cluster(tmp_path: Path) -> None:
    assert "'eu'" in failing(tmp_path, config(clusters=[])).what


@pytest.mark.parametrize("server", ["eu.example:6443", "ftp://eu.example", "https://", "https://[::1"])
def test_a_server_that_is_no_url(tmp_path: Path, server: str) -> None:
    error = failing(tmp_path, with_cluster(server=server))
    assert "no URL" in error.what
    assert server in error.where


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"tokenFile": "missing"}, "missing"),
        ({"client-certificate": "missing.pem", "client-key": "k"}, "missing.pem"),
        ({"client-certificate-data": "bm90IGEgY2VydA==", "client-key-data": "bm8="}, "client certificate"),
        ({"client-certificate-data": "!", "client-key-data": "bm8="}, "cannot be read"),
        ({"token": "a\nb"}, "characters"),
    ],
)
def test_credentials_that_cannot_be_read(tmp_path: Path, user: dict[str, Any], said: str) -> None:
    assert said in str(failing(tmp_path, with_user(user)))


def test_an_encrypted_key_is_an_error_and_no_question_on_the_terminal(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    pair = authority().pair(subject="jane")
    key = serialization.load_pem_private_key(pair.key, None)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "c.pem").write_bytes(pair.certificate)
    (tmp_path / "k.pem").write_bytes(secret)
    error = failing(tmp_path, with_user({"client-certificate": "c.pem", "client-key": "k.pem"}))
    assert "client certificate" in error.what


def test_a_ca_that_cannot_be_read(tmp_path: Path) -> None:
    error = failing(tmp_path, with_cluster(**{"certificate-authority-data": "bm8="}))
    assert "CA" in error.what


def test_a_refresh_stays_in_the_context_that_was_current_at_the_start(tmp_path: Path) -> None:
    path = Path(written(tmp_path, config()))
    access = load(ConnectOptions(), {"KUBECONFIG": str(path)})
    changed = config(**{"current-context": "prod-us"}, users=[{"name": "me", "user": {"token": "t2"}}])
    path.write_text(json.dumps(changed))

    again = access.refreshed()

    assert (again.name, again.server) == ("prod-eu", "https://eu.example:6443")
    assert again.headers == (("Authorization", "Bearer t2"),)
    assert replace(again, credentials=access.credentials) == access


class TestInCluster:
    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        (tmp_path / "token").write_text("pod-token\n")
        (tmp_path / "ca.crt").write_bytes(authority().pem)
        monkeypatch.setattr(
            "kubernetes.config.incluster_config.SERVICE_TOKEN_FILENAME", str(tmp_path / "token")
        )
        monkeypatch.setattr(
            "kubernetes.config.incluster_config.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt")
        )
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        return {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBECONFIG": str(tmp_path / "none")}

    def test_the_pods_own_account(self, environment: dict[str, str]) -> None:
        access = load(ConnectOptions(), environment)
        assert (access.name, access.server) == ("in-cluster", "https://[fd00::1]:443")
        assert access.command_prefix == "kubectl"
        assert access.headers[0][1].split() == ["bearer", "pod-token"]

    def test_no_token(self, environment: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "token").unlink()
        with pytest.raises(CannotConnect, match="automountServiceAccountToken"):
            load(ConnectOptions(), environment)


def test_importing_the_sources_is_cheap() -> None:
    code = "import playbooks.sources.access, playbooks.sources, sys; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"kubernetes", "aiohttp", "yaml"} & set(modules)
