from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from playbooks.sources.access import Access, CannotConnect, ConnectOptions, load
from tests.sources.certificates import authority

V1 = "client.authentication.k8s.io/v1"
ASKED = "import json, os, sys\nasked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
PRINT = "print(json.dumps({'kind': 'ExecCredential', 'apiVersion': asked['apiVersion'], 'status': status}))\n"


def script(folder: Path, body: str, name: str = "plugin") -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{ASKED}{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def loaded(folder: Path, command: str, seconds: float = 20.0, **told: Any) -> Access:
    plugin = {"apiVersion": V1, "command": command, **told}
    document = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "it", "user": "me"}}],
        "clusters": [{"name": "it", "cluster": {"server": "https://api.example:6443"}}],
        "users": [{"name": "me", "user": {"exec": plugin}}],
    }
    path = folder / "config"
    path.write_text(json.dumps(document))
    options = ConnectOptions(kubeconfig=(str(path),), plugin_timeout=seconds)
    return load(options, {"PATH": os.environ["PATH"]})


def failing(folder: Path, command: str, seconds: float = 20.0, **told: Any) -> CannotConnect:
    with pytest.raises(CannotConnect) as caught:
        loaded(folder, command, seconds, **told)
    return caught.value


def test_a_token_with_arguments_variables_and_expiry(tmp_path: Path) -> None:
    body = "status = {'token': '-'.join([*sys.argv[1:], os.environ['SUFFIX']]), "
    body += "'expirationTimestamp': '2030-01-01T00:00:00Z'}\n" + PRINT
    command = script(tmp_path, body)

    access = loaded(tmp_path, str(command), args=["get", "token"], env=[{"name": "SUFFIX", "value": "x"}])

    assert access.headers == (("Authorization", "Bearer get-token-x"),)
    assert access.credentials.expires_at is not None
    assert access.credentials.expires_at.year == 2030
    assert not access.is_expired(access.credentials.expires_at.replace(year=2029))
    assert access.is_expired(access.credentials.expires_at)


def test_a_command_with_a_slash_starts_at_the_kubeconfig_and_one_without_is_looked_up(tmp_path: Path) -> None:
    script(tmp_path, "status = {'token': 't'}\n" + PRINT)
    assert loaded(tmp_path, "./plugin").headers == (("Authorization", "Bearer t"),)

    error = failing(tmp_path, "plugin-that-is-nowhere", installHint="get it\n from the vendor")
    assert "not installed" in error.what
    assert error.where == "plugin-that-is-nowhere"
    assert error.remedy == "get it from the vendor"


def test_a_client_certificate(tmp_path: Path) -> None:
    pair = authority().pair(subject="jane")
    status = {"clientCertificateData": pair.certificate.decode(), "clientKeyData": pair.key.decode()}
    access = loaded(tmp_path, str(script(tmp_path, f"status = {status!r}\n{PRINT}")))
    assert access.credentials.has_certificate
    assert not access.credentials.authorization


def test_it_is_told_the_cluster_when_it_wants_to_know(tmp_path: Path) -> None:
    body = "status = {'token': asked['spec'].get('cluster', {}).get('server', 'nothing')}\n" + PRINT
    command = str(script(tmp_path, body))
    assert loaded(tmp_path, command).headers[0][1] == "Bearer nothing"
    assert (
        loaded(tmp_path, command, provideClusterInfo=True).headers[0][1] == "Bearer https://api.example:6443"
    )


def test_a_failing_one_is_quoted(tmp_path: Path) -> None:
    body = "print('session expired, run vendor login', file=sys.stderr); sys.exit(3)\n"
    error = failing(tmp_path, str(script(tmp_path, body)), args=["--role", "x"])
    assert "exit code 3" in error.what
    assert "session expired, run vendor login" in error.what
    assert error.where.endswith("plugin --role x")
    assert "by hand" in error.remedy


def test_an_interactive_one_never_sees_our_terminal(tmp_path: Path) -> None:
    body = "print('Password: ', end='', file=sys.stderr)\n"
    body += "assert not asked['spec']['interactive'] and not sys.stdin.isatty() and sys.stdin.read() == ''\n"
    body += (
        "try:\n    open('/dev/tty')\nexcept OSError as error:\n    sys.exit(f'no terminal: {error.errno}')\n"
    )
    error = failing(tmp_path, str(script(tmp_path, body)))
    assert "Password: no terminal" in error.what


def test_one_that_needs_a_terminal_is_not_even_run(tmp_path: Path) -> None:
    body = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    error = failing(tmp_path, str(script(tmp_path, body)), interactiveMode="Always")
    assert "needs a terminal" in error.what
    assert not (tmp_path / "ran").exists()


def test_one_that_waits_is_ended_with_its_children(tmp_path: Path) -> None:
    path = tmp_path / "plugin"
    path.write_text("#!/bin/sh\necho visit https://login.example >&2\nsleep 60\n")
    path.chmod(0o755)
    error = failing(tmp_path, str(path), seconds=0.2)
    assert "0.2 s" in error.what
    assert "visit https://login.example" in error.what


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('not JSON')\n", "no ExecCredential"),
        ("print('{\"kind\": 1}')\n", "no ExecCredential"),
        ("status = {}\n" + PRINT, "neither token nor certificate"),
        ("status = {'clientCertificateData': 'x'}\n" + PRINT, "neither token nor certificate"),
        ("asked['apiVersion'] = 'v0'\nstatus = {'token': 't'}\n" + PRINT, "speaks v0"),
    ],
)
def test_what_it_prints_must_be_credentials(tmp_path: Path, body: str, said: str) -> None:
    assert said in failing(tmp_path, str(script(tmp_path, body))).what


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / "plugin"
    path.write_text("no program at all")
    path.chmod(0o755)
    assert "cannot be run" in failing(tmp_path, str(path)).what
