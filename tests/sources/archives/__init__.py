"""Real archives, and made ones for what no collector writes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from playbooks.model.answer import Answer, Gap, Source, answer
from playbooks.model.request import AgentCommand, Request
from tests.recorded import CLUSTERS, archive_of

HEALTHY = archive_of("healthy")
"""A sysdump of the healthy lab cluster."""
OPERATOR_DOWN = archive_of("11-operator-down")
"""A sysdump with the operator scaled to zero."""
BUGTOOL = CLUSTERS / "healthy" / "bugtool.tar.gz"
"""What cilium-bugtool wrote in the agent of the healthy cluster."""
NODE, POD = "lab-node-1", "cilium-zhqmw"
"""The only node of that cluster, and its agent."""

STAMP = "20260102-030405"
ROOT = f"cilium-sysdump-{STAMP}"
PODS = b"""apiVersion: v1
items:
- metadata:
    creationTimestamp: "2026-01-01T00:00:00Z"
    labels:
      app: web
    name: web-1
    namespace: shop
  spec:
    nodeName: node-a
- metadata:
    name: db-1
    namespace: store
  spec:
    nodeName: node-b
kind: PodList
metadata:
  resourceVersion: "1"
"""


def sysdump(**files: bytes) -> dict[str, bytes]:
    """The files of a small sysdump: `k8s_pods_yaml=…` becomes `k8s-pods-<stamp>.yaml`."""
    named = {"k8s_pods_yaml": PODS, **files}
    stems = (name.replace("_", "-").rpartition("-") for name in named)
    names = (f"{ROOT}/{stem}-{STAMP}.{ending}" for stem, _, ending in stems)
    return dict(zip(names, named.values(), strict=True))


def agent_files(pod: str, commands: Mapping[str, bytes]) -> dict[str, bytes]:
    """The unpacked output of an agent's bugtool: by file name in `cmd`."""
    return {f"{ROOT}/cilium-bugtool-{pod}-{STAMP}/cmd/{name}": data for name, data in commands.items()}


def zipped(path: Path, files: Mapping[str, bytes] | Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    """Write a zip."""
    pairs = files.items() if isinstance(files, Mapping) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in pairs:
            archive.writestr(name, data)
    return path


def tarred(files: Mapping[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def packed(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar."""
    return gzip.compress(tarred(files), mtime=0)


def unzipped(path: Path, folder: Path) -> Path:
    """The folder that a zip unpacks to."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def contents(path: Path) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def command(*argv: str, pod: str = POD) -> AgentCommand:
    """A command in the agent."""
    return AgentCommand(NODE, "kube-system", pod, "cilium-agent", argv)


async def answered(source: Source, request: Request) -> Answer:
    """The answer; a gap fails the test."""
    found = await answer(source, request, 1)
    assert isinstance(found, Answer), found
    return found


async def missed(source: Source, request: Request) -> Gap:
    """The gap; an answer fails the test."""
    found = await answer(source, request, 1)
    assert isinstance(found, Gap), found
    return found
