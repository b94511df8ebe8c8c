from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import ApiPath, ContainerLog, Objects, Request, Resource
from playbooks.sources.redaction import redacted_objects, redacted_text
from playbooks.sources.scrubber import Scrubber
from tests.sources.living import PODS, SECRETS, agent, answered, gap_of, pieces_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LOG = ContainerLog("kube-system", "cilium-a", "cilium-agent")
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl-_x"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Told:
    """A source that says what it is told to."""

    name = "test"
    now = NOW

    def __init__(self, chunks: list[bytes], ending: End | Gap | None = None) -> None:
        self.chunks = chunks
        self.ending = ending or End("cmd", "there", NOW, 0.1)
        self.asked: list[Request] = []

    async def open(self, request: Request, look: int) -> AsyncGenerator[bytes | End | Gap, None]:
        self.asked.append(request)
        for chunk in self.chunks:
            yield chunk
        yield self.ending

    async def pause(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


def pod(env: list[dict[str, Any]], **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "a", "annotations": annotations},
        "spec": {
            "containers": [{"name": "c", "env": env, "image": "r/token:v1@sha256:0"}],
            "securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1024"}]},
            "tolerations": [{"key": "token", "value": "password"}],
            "volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
        },
    }


def scrubbed(document: object, **how: Any) -> Any:
    return json.loads(redacted_objects(json.dumps(document, **how).encode()))


class TestObjects:
    @pytest.mark.parametrize("how", [{"separators": (",", ":")}, {}, {"indent": 2}])
    def test_values_of_variables(self, how: dict[str, Any]) -> None:
        source = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "value"}}}
        env = [
            {"name": "A", "value": 'a "quoted" ]}, \\ value'},
            {"name": "B", **source},
            {"name": "C", "value": ""},
            {"name": 'D"]', "value": "ü"},
            {"value": "first", "name": "E"},
        ]
        document = {"kind": "PodList", "items": [pod(env), pod([])]}
        expected = json.loads(json.dumps(document))
        for at, value in ((0, "<redacted>"), (3, "<redacted>"), (4, "<redacted>")):
            expected["items"][0]["spec"]["containers"][0]["env"][at]["value"] = value
        got = scrubbed(document, **how)
        assert (
            got["items"][0]["spec"]["containers"][0]["env"]
            == expected["items"][0]["spec"]["containers"][0]["env"]
        )
        assert got == expected

    def test_other_lists_called_env_are_left_alone(self) -> None:
        document = {
            "env": ["a", ["value"]],
            "x": {"env": {"value": "v"}},
            "env2": [{"name": "a", "value": "b"}],
        }
        assert scrubbed(document) == document

    def test_what_was_last_applied(self) -> None:
        applied = json.dumps(pod([{"name": "A", "value": 'x"y'}]))
        document = pod([], **{APPLIED: applied, "other": "kept"})
        expected = pod([], **{APPLIED: "<redacted>", "other": "kept"})
        assert scrubbed(document) == expected

    def test_a_config_map(self) -> None:
        etcd = "endpoints:\n- https://root:pw1@etcd:2379\nuser: r\npassword: hunter 2\nca: /x/token\n"
        data = {
            "etcd-config": etcd,
            "etcd.yaml": 'a: 1\n  - password: "p w"\ntoken: /var/run/token\n',
            "options": "--kvstore-password=pw2 --token-file=/x --password=$(PASSWORD) --password=${PW} --n=1",
            "password": 'pw3 \\ "x"',
            "enable-token": "true",
            "kubeconfig": "client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF\nuser: x",
            "ca": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
            "json": '{"password":"p\\"w","user":"u"}',
            "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n",
        }
        got = scrubbed({"data": data})["data"]
        assert got == {
            "etcd-config": (
                "endpoints:\n- https://<redacted>@etcd:2379\nuser: r\npassword: <redacted>\nca: /x/token\n"
            ),
            "etcd.yaml": "a: 1\n  - password: <redacted>\ntoken: /var/run/token\n",
            "options": (
                "--kvstore-password=<redacted> --token-file=/x --password=$(PASSWORD) --password=${PW} --n=1"
            ),
            "password": "<redacted>",
            "enable-token": "true",
            "kubeconfig": "client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJ<redacted>\nuser: x",
            "ca": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
            "json": '{"password":"<redacted>","user":"u"}',
            "pem": "-----BEGIN RSA PRIVATE KEY-----<redacted>-----END RSA PRIVATE KEY-----\n",
        }

    def test_numbers_and_structures_behind_a_name_stay(self) -> None:
        document = {
            "password": 5,
            "token": {"a": 1},
            "tokens": ["a"],
            "passwords": None,
            "x": ["password", "token"],
        }
        assert scrubbed(document) == document

    def test_headers_of_probes(self) -> None:
        headers = [
            {"name": "Authorization", "value": "Basic dXNlcjpwYXNz"},
            {"name": "X", "value": "Bearer abc123def"},
        ]
        assert [one["value"] for one in scrubbed(headers)] == ["Basic <redacted>", "Bearer <redacted>"]

    def test_nothing_to_hide_is_nothing_changed(self) -> None:
        document = json.dumps(pod([{"name": "A", "valueFrom": {}}])).encode()
        assert redacted_objects(document) is document


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x password=hunter2 y", "x password=<redacted> y"),
        ('msg="login" password="a b" user=x', 'msg="login" password="<redacted>" user=x'),
        ('msg="login password=\\"a b\\" ok"', 'msg="login password=\\"<redacted>\\" ok"'),
        ("--etcd.password='p w' --x", "--etcd.password='<redacted>' --x"),
        ("GET /x?token=abc&y=1", "GET /x?token=<redacted>&y=1"),
        ("access_token=abc;z", "access_token=<redacted>;z"),
        ('{"level":"info","token":"abc","n":1}', '{"level":"info","token":"<redacted>","n":1}'),
        ('{"msg":"password=","next":"x"}', '{"msg":"password=","next":"x"}'),
        ("Authorization: Bearer abcd1234", "Authorization: Bearer <redacted>"),
        (f"token is {JWT}.", "token is <redacted>."),
        ("dial https://u:p%40@host:2379/x", "dial https://<redacted>@host:2379/x"),
        ("clone https://ghtoken@host/x", "clone https://<redacted>@host/x"),
        (
            "{Username:root Password:pw Token:t Host:h}",
            "{Username:root Password:<redacted> Token:<redacted> Host:h}",
        ),
        (
            "client_secret=abc aws_secret_access_key=def",
            "client_secret=<redacted> aws_secret_access_key=<redacted>",
        ),
        ("  password: a b", "  password: <redacted>"),
    ],
)
def test_secrets_in_lines(line: str, expected: str) -> None:
    assert redacted_text(line.encode()).decode() == expected
    assert redacted_text(expected.encode()).decode() == expected


@pytest.mark.parametrize(
    "line",
    [
        'level=error msg="invalid token: unexpected EOF" subsys=k8s',
        "wrong password: authentication failed",
        "bearer authentication failed; basic networking is up",
        "Unauthorized: invalid bearer token, token lookup failed",
        'secret "cilium-ca" not found; secretName=x tokenPath=/x tokens=5 password-file=/x',
        "token=/var/run/secrets/kubernetes.io/serviceaccount/token",
        "password=<nil> token=true token=null password=''",
        "docker-pullable://nginx:1@sha256:abc images.example/x/token:v1@sha256:def",
        "spiffe://cluster.local/ns/x kvstore@host http://host/x@y",
        "--ingress-default-secret-name='' --bootstrap-token-ttl=5m",
        "eyJ is how a token begins",
        "\x1b[31m\u202epass\xff",
    ],
)
def test_diagnostic_words_are_kept(line: str) -> None:
    data = line.encode()
    assert redacted_text(data) is data


SECRETS_AND_WORDS = st.sampled_from(
    [
        "password=hunter2",
        "token=abc",
        f"Bearer {JWT}",
        "https://u:p@h/",
        '"password":"a b"',
        "\n",
        " ",
        ",",
        "a",
        "é",
    ]
)


NAMES = (
    "password",
    "token",
    "secret",
    "client-secret",
    "Password:",
    "env",
    "value",
    "name",
    "Bearer ",
    "Basic ",
)
MARKS = (
    "=",
    ":",
    '"',
    "'",
    "\\",
    "\n",
    "\t",
    " ",
    ",",
    "{",
    "}",
    "[",
    "]",
    "<",
    "&",
    "$(",
    "@",
    "://",
    "\x00",
    "é",
)
WORDS = (
    "/var/",
    "abc1",
    "u:p",
    "http",
    "eyJ",
    "eyJhbGciOiJ.eyJpc3MiOiJ.",
    "true",
    "LS0tLS1CRUdJTiBQUklWQVRF",
)
NASTY = st.lists(
    st.sampled_from([*NAMES, *MARKS, *WORDS, "-----BEGIN PRIVATE KEY-----", "-----END"]), max_size=12
).map("".join)
KEYS = st.sampled_from(["password", "token", "env", "name", "value", "data", "x", f"{APPLIED}"])
DOCUMENTS = st.recursive(
    st.one_of(NASTY, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


def shape(document: Any) -> Any:
    """A document without its strings."""
    if isinstance(document, dict):
        return {key: shape(value) for key, value in document.items()}
    if isinstance(document, list):
        return [shape(value) for value in document]
    return "" if isinstance(document, str) else document


@given(DOCUMENTS, st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=80, deadline=None)
def test_json_stays_json_of_the_same_shape(document: Any, indent: int | None, is_ascii: bool) -> None:
    data = json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode()
    assert shape(json.loads(redacted_objects(data))) == shape(document)
    if data[:1] in b"{[":
        assert shape(json.loads(redacted_text(data, is_json=True))) == shape(document)


class TestStreams:
    @given(st.lists(SECRETS_AND_WORDS, max_size=30), st.lists(st.integers(0, 400), max_size=6))
    @settings(max_examples=100, deadline=None)
    async def test_where_chunks_end_makes_no_difference(self, words: list[str], cuts: list[int]) -> None:
        text = "".join(words).encode()
        places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
        chunks = [text[a:b] for a, b in pairwise(places)]
        got, _ = await pieces_of(Scrubber(Told(chunks)), LOG)
        assert b"".join(got) == redacted_text(text)

    async def test_lines_are_handed_on_as_they_come(self) -> None:
        pieces = Scrubber(Told([b"one\ntw", b"o\n", b"three"])).open(LOG, 1)
        assert [piece async for piece in pieces][:3] == [b"one\n", b"two\n", b"three"]

    @pytest.mark.parametrize("size", [100, 4096, 70_000])
    async def test_a_very_long_line_is_cut_where_no_secret_is(self, size: int) -> None:
        entry = b'{"key":"10.0.0.1","password":"a,b c","n":1},'
        line = b"[" + entry * 10_000 + b"{}]"
        chunks = [line[at : at + size] for at in range(0, len(line), size)]
        held: list[int] = []
        got: list[bytes] = []
        fed = 0
        pieces = Scrubber(Told(chunks)).open(agent("cilium-dbg", "bpf"), 1)
        async for piece in pieces:
            if isinstance(piece, bytes):
                got.append(piece)
                fed += len(piece)
                held.append(len(piece))
        assert max(held[:-1]) < 200_000
        assert len(got) > 3
        assert (
            json.loads(b"".join(got))[:-1] == [{"key": "10.0.0.1", "password": "<redacted>", "n": 1}] * 10_000
        )

    async def test_a_private_key_over_several_lines(self) -> None:
        text = b"x\n-----BEGIN EC PRIVATE KEY-----\nMHcC\nAQEE\n-----END EC PRIVATE KEY-----\ny\n"
        for at in range(len(text)):
            got, _ = await pieces_of(Scrubber(Told([text[:at], text[at:]])), LOG)
            assert b"MHcC" not in b"".join(got)
            assert b"".join(got).endswith(b"-----\ny\n")

    async def test_documents_are_joined_before_they_are_read(self) -> None:
        document = json.dumps(pod([{"name": "A", "value": "secret value"}])).encode() + b"\n"
        for at in range(0, len(document), 7):
            got, _ = await pieces_of(Scrubber(Told([document[:at], document[at:]])), Objects(PODS))
            assert b"secret value" not in b"".join(got)
            assert json.loads(b"".join(got))

    async def test_standard_error_and_gaps_too(self) -> None:
        end = End("cmd", "there", NOW, 0.1, 1, b"error: password=abc\n")
        assert (await answered(Scrubber(Told([], end)), LOG)).end.stderr == b"error: password=<redacted>\n"
        gap = Gap(GapKind.FAILED, "dial https://u:p@host\udcff failed", node="node-1")
        got = await gap_of(Scrubber(Told([], gap)), LOG)
        assert got.detail == "dial https://<redacted>@host\udcff failed"
        assert got.node == "node-1"


@pytest.mark.parametrize(
    "request_",
    [
        Objects(SECRETS),
        Objects(SECRETS, namespace="kube-system", name="cilium-ca"),
        ApiPath("/api/v1/secrets"),
        ApiPath("/api/v1/namespaces/kube-system/secrets/cilium-ca"),
        ApiPath("/api/v1/namespaces/kube-system/secrets?limit=1"),
    ],
)
async def test_secrets_are_never_asked_for(request_: Request) -> None:
    told = Told([b"{}\n"])
    gap = await gap_of(Scrubber(told, "kubectl --context prod"), request_)
    assert gap.kind is GapKind.FORBIDDEN
    assert gap.command.startswith("kubectl --context prod ")
    assert told.asked == []


async def test_other_kinds_with_that_name_are() -> None:
    external = Resource("external-secrets.io", "v1", "externalsecrets", "ExternalSecret")
    await answered(Scrubber(Told([b"{}\n"])), Objects(external))
    await answered(Scrubber(Told([b"{}"])), ApiPath("/apis/external-secrets.io/v1"))


async def test_names_and_pauses_are_the_sources() -> None:
    scrubber = Scrubber(Told([]))
    assert (scrubber.name, scrubber.now) == ("test", NOW)
    await scrubber.pause(5.0)
    await scrubber.close()
