"""Credential plug-ins: programs named in a kubeconfig that print a token or a certificate."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn

import msgspec

from playbooks.sources.access.kubeconfig import Cluster, Placed, Plugin
from playbooks.sources.access.options import CannotConnect


class PluginStatus(msgspec.Struct, frozen=True, rename="camel"):
    """What a plug-in hands out."""

    token: str | None = None
    """Bearer token."""
    client_certificate_data: str | None = None
    """Client certificate, PEM."""
    client_key_data: str | None = None
    """Its key, PEM."""
    expiration_timestamp: datetime | None = None
    """When it must be run again."""


class _Printed(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    status: PluginStatus | None = None


class _ClusterInfo(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    server: str
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None


class _Spec(msgspec.Struct, frozen=True, omit_defaults=True):
    interactive: bool
    cluster: _ClusterInfo | None = None


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str
    spec: _Spec


def run_plugin(
    plugin: Placed[Plugin], cluster: Cluster, environment: Mapping[str, str], seconds: float
) -> PluginStatus:
    """Run the plug-in away from the terminal and return what it printed. Raises `CannotConnect`."""
    told = plugin.value
    shown = " ".join([told.command, *(told.args or ())])
    if told.interactive_mode == "Always":
        _fail("the credential plug-in needs a terminal", shown, "", _by_hand(shown))
    program = _program(plugin, environment)
    process = _start(program, told, cluster, environment, shown)
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except KeyboardInterrupt:
        # In its own session it does not get the signal of our terminal.
        _stop(process)
        raise
    except subprocess.TimeoutExpired:
        _, stderr = _stop(process)
        _fail(
            f"the credential plug-in did not finish within {seconds:g} s",
            shown,
            _words(stderr),
            _by_hand(shown),
        )
    if process.returncode:
        what = f"the credential plug-in failed with exit code {process.returncode}"
        _fail(what, shown, _words(stderr), _by_hand(shown))
    return _understood(stdout, told, shown, _words(stderr))


def _by_hand(shown: str) -> str:
    return f"log in by hand in another terminal (run `{shown}`, or any kubectl command), then try again"


def _program(plugin: Placed[Plugin], environment: Mapping[str, str]) -> str:
    command = plugin.value.command
    if os.sep in command:
        command = plugin.path(command)
    found = shutil.which(command, path=environment.get("PATH"))
    if found is None:
        hint = plugin.value.install_hint or "install it, or put its folder into PATH"
        _fail("the credential plug-in is not installed", plugin.value.command, "", " ".join(hint.split()))
    return found


def _start(
    program: str, told: Plugin, cluster: Cluster, environment: Mapping[str, str], shown: str
) -> subprocess.Popen[bytes]:
    info = _ClusterInfo(
        cluster.server,
        cluster.certificate_authority_data,
        cluster.insecure_skip_tls_verify,
        cluster.tls_server_name,
        cluster.proxy_url,
    )
    spec = _Spec(interactive=False, cluster=info if told.provide_cluster_info else None)
    credential = msgspec.json.encode(_Told("ExecCredential", told.api_version, spec)).decode()
    variables = {variable.name: variable.value for variable in told.env or ()}
    try:
        # A session of its own has no controlling terminal, so that opening /dev/tty fails too.
        return subprocess.Popen(
            [program, *(told.args or ())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, **variables, "KUBERNETES_EXEC_INFO": credential},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        _fail(f"the credential plug-in cannot be run: {error}", shown, "", "check the program")


def _stop(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    return process.communicate()


def _words(stderr: bytes) -> str:
    text = stderr.decode("utf-8", errors="replace").strip()
    return text if len(text) <= 2000 else f"…{text[-2000:]}"


def _understood(stdout: bytes, told: Plugin, shown: str, stderr: str) -> PluginStatus:
    try:
        printed = msgspec.json.decode(stdout, type=_Printed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _fail(f"the credential plug-in printed no ExecCredential: {error}", shown, stderr, _by_hand(shown))
    if printed.api_version != told.api_version:
        what = (
            f"the credential plug-in speaks {printed.api_version}, the kubeconfig asks for {told.api_version}"
        )
        _fail(what, shown, stderr, "set apiVersion of the exec section to what the plug-in speaks")
    status = printed.status
    has_pair = status and status.client_certificate_data and status.client_key_data
    if status is None or not (status.token or has_pair):
        _fail("the credential plug-in printed neither token nor certificate", shown, stderr, _by_hand(shown))
    return status


def _fail(what: str, where: str, stderr: str, remedy: str) -> NoReturn:
    raise CannotConnect(f"{what}; it said: {stderr}" if stderr else what, where, remedy)
