"""Dialling: settings from everywhere, TLS, and why it fails, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from playbooks.model.hubble.proto import observer_pb2
from playbooks.sources.access import CannotConnect
from playbooks.sources.hubble import Phase, State
from playbooks.sources.hubble.dial import Target, host_and_port, target_of
from playbooks.sources.hubble.dialled import Dialled
from playbooks.sources.hubble.settings import Settings, seconds_of, settings_from
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import Wish, everything
from tests.sources.certificates import Authority, Pair, authority
from tests.sources.hubble.observing import Answer, Hurry, Observed, flow, gathered, of, uuids

ONCE = Wish(observer_pb2.GetFlowsRequest(number=20))


def secured(pair: Pair, client_ca: bytes | None = None) -> Observed:
    credentials = grpc.ssl_server_credentials(
        [(pair.key, pair.certificate)], client_ca, client_ca is not None
    )
    return Observed([Answer([flow("node-1", 1)])], credentials=credentials)


def relay() -> Pair:
    return authority().pair("*.hubble-relay.cilium.io")


def trusting(target: Target, name: str = "ui.hubble-relay.cilium.io") -> Target:
    return replace(target, is_tls=True, authorities=authority().pem, server_name=name)


def ended(target: Target) -> State:
    return of(State, gathered(Stream([Dialled(target)], ONCE, clock=Hurry())))[-1]


def test_tls_with_the_name_that_the_certificate_is_for() -> None:
    with secured(relay()) as server:
        events = gathered(Stream([Dialled(trusting(server.target))], ONCE, clock=Hurry()))
    assert uuids(events) == ["node-1@1"]


def test_mutual_tls() -> None:
    mine = authority().pair("me")
    with secured(relay(), authority().pem) as server:
        target = replace(trusting(server.target), certificate=mine.certificate, key=mine.key)
        assert ended(target).gap is None


@pytest.mark.parametrize(
    ("change", "words", "remedy"),
    [
        (
            lambda target: replace(target, server_name="other.example"),
            "is for another name",
            "--tls-server-name",
        ),
        (
            lambda target: replace(target, authorities=Authority("other").pem),
            "is not trusted",
            "--tls-ca-cert-files",
        ),
        (lambda target: replace(target, authorities=b"rubbish"), "cannot be read", "--tls-ca-cert-files"),
        (lambda target: replace(target, is_tls=False), "speaks TLS", "tls://"),
    ],
)
def test_what_is_wrong_with_tls_is_said_with_what_to_do(
    change: Callable[[Target], Target], words: str, remedy: str
) -> None:
    with secured(relay()) as server:
        state = ended(change(trusting(server.target)))
    assert state.phase is Phase.ENDED
    assert words in state.detail
    assert state.gap is not None
    assert remedy in state.gap.remedy


def test_an_expired_certificate() -> None:
    with secured(authority().pair("*.hubble-relay.cilium.io", is_expired=True)) as server:
        assert "certificate has expired" in ended(trusting(server.target)).detail


def test_a_missing_and_a_wrong_client_certificate() -> None:
    other = Authority("other").pair("me")
    with secured(relay(), authority().pem) as server:
        target = trusting(server.target)
        assert "wants a client certificate" in ended(target).detail
        wrong = replace(target, certificate=other.certificate, key=other.key)
        assert "does not accept the client certificate" in ended(wrong).detail


def test_a_server_without_tls() -> None:
    with Observed([Answer()]) as server:
        assert "does not speak TLS" in ended(trusting(server.target)).detail


def test_any_certificate_when_asked_for() -> None:
    with secured(Authority("other").pair("*.hubble-relay.cilium.io")) as server:
        assert ended(replace(server.target, is_tls=True, takes_any=True)).gap is None
    assert "no TLS handshake" in ended(replace(server.target, is_tls=True, takes_any=True)).detail


def test_a_refusal_is_no_reason_to_try_again() -> None:
    answer = Answer((), grpc.StatusCode.PERMISSION_DENIED, "go away")
    with Observed([answer]) as server:
        state = of(State, gathered(Stream([Dialled(server.target)], everything(), clock=Hurry())))[-1]
    assert (state.phase, len(server.asked)) == (Phase.ENDED, 1)
    assert "go away" in state.detail


def test_basic_authentication_is_sent() -> None:
    with Observed([Answer([flow("node-1", 1)])]) as server:
        settings = Settings(server.target.address, basic_auth_username="me", basic_auth_password="secret")
        target = target_of(settings)
        assert ended(target).gap is None
    assert server.metadata[0]["authorization"] == "Basic bWU6c2VjcmV0"
    assert "bWU6" not in repr(target)


def test_flags_come_before_variables_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".config/hubble").mkdir(parents=True)
    (tmp_path / ".config/hubble/config.yaml").write_text(
        "server: tls://file:1\ntls: true\ntls-ca-cert-files: [a.pem, b.pem]\n"
        "timeout: 1m30s\ntls-server-name: file\n"
    )
    found = settings_from({}, {}, tmp_path)
    assert (found.server, found.tls, found.timeout) == ("tls://file:1", True, 90.0)
    assert found.tls_ca_cert_files == ("a.pem", "b.pem")
    assert str(tmp_path) in found.origin
    variables = {"HUBBLE_SERVER": "env:1", "HUBBLE_TLS": "false", "HUBBLE_TLS_SERVER_NAME": ""}
    found = settings_from({}, variables, tmp_path)
    assert (found.server, found.tls, found.tls_server_name) == ("env:1", False, "file")
    found = settings_from({"server": "flag:1", "tls-ca-cert-files": "c.pem,d.pem"}, variables, tmp_path)
    assert (found.server, found.origin) == ("flag:1", "--server")
    assert found.tls_ca_cert_files == ("c.pem", "d.pem")


def test_the_old_place_of_the_file_and_a_named_one(tmp_path: Path) -> None:
    (tmp_path / ".hubble").mkdir()
    (tmp_path / ".hubble/config.yaml").write_text("server: old:1\n")
    named = tmp_path / "named.yaml"
    named.write_text("server: named:1\n")
    assert settings_from({}, {}, tmp_path).server == "old:1"
    assert settings_from({"config": str(named)}, {}, tmp_path).server == "named:1"
    assert settings_from({}, {"HUBBLE_CONFIG": str(named)}, tmp_path).server == "named:1"
    assert settings_from({}, {"XDG_CONFIG_HOME": str(tmp_path / "none")}, tmp_path / "nobody").server == ""


@pytest.mark.parametrize(
    ("flags", "content"),
    [
        ({"config": "/nonexistent"}, ""),
        ({"tls": "maybe"}, ""),
        ({"timeout": "soon"}, ""),
        ({}, "["),
        ({}, "- list"),
    ],
)
def test_wrong_settings_say_where(flags: dict[str, str], content: str, tmp_path: Path) -> None:
    (tmp_path / ".hubble").mkdir()
    (tmp_path / ".hubble/config.yaml").write_text(content)
    with pytest.raises(CannotConnect) as caught:
        settings_from(flags, {}, tmp_path)
    assert caught.value.where
    assert caught.value.remedy


def test_durations_are_gos() -> None:
    assert seconds_of("1h2m3.5s") == 3723.5
    assert seconds_of("250ms") == 0.25
    assert [seconds_of(text) for text in ("", "5", "5 s", "-1s", "s")] == [None] * 5


def test_targets(tmp_path: Path) -> None:
    assert target_of(Settings("unix:///run/hubble.sock")).address == "unix:/run/hubble.sock"
    secure = target_of(Settings("tls://relay.example:443", tls_server_name="x"))
    assert (secure.address, secure.is_tls, secure.server_name) == ("relay.example:443", True, "x")
    assert not target_of(Settings("localhost:4245")).is_tls
    assert target_of(Settings("localhost:4245", tls=True)).is_tls
    pem = tmp_path / "ca.pem"
    pem.write_bytes(authority().pem)
    assert authority().pem in (
        target_of(Settings("tls://h:1", tls_ca_cert_files=(str(pem),))).authorities or b""
    )


@pytest.mark.parametrize(
    "settings",
    [
        Settings("tls://"),
        Settings("a\nb:1"),
        Settings("tls://h:1", tls_client_cert_file=__file__),
        Settings("tls://h:1", tls_client_cert_file="/nonexistent", tls_client_key_file=__file__),
        Settings("tls://h:1", tls_ca_cert_files=(__file__,)),
        Settings("tls://h:1", tls_ca_cert_files=("/nonexistent",)),
    ],
)
def test_targets_that_cannot_be(settings: Settings) -> None:
    with pytest.raises(CannotConnect):
        target_of(settings)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("relay.example:4245", ("relay.example", 4245)),
        ("[::1]:4245", ("::1", 4245)),
        ("relay.example", ("relay.example", 443)),
        ("dns:///relay.example:80", ("relay.example", 80)),
    ],
)
def test_hosts_and_ports(address: str, place: tuple[str, int]) -> None:
    assert host_and_port(address) == place
