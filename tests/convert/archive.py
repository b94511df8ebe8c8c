"""`python -m tests.convert.archive ARCHIVE OUT`: a real archive as it is kept here.

Every file stays under its name. What says nothing about Cilium and makes most of the size (symbols of the
kernel, object files, processes and sockets of the machine) is cut to its beginning, and what people typed
into objects (values of variables, what was last applied) is taken out, as in the recorded journals.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

CUT = (
    "*/cmd/cat--proc-kallsyms.md",
    "*/cmd/cilium-dbg-shell----metrics-html.html",
    "*/cmd/cp--r--*",
    "*/cmd/dmesg*",
    "*/cmd/ls--la--proc-*",
    "*/cmd/lsmod.md",
    "*/cmd/ps-auxfw.md",
    "*/cmd/ss--*",
    "*/cmd/state/*.o",
    "*/cmd/state/cilium-agent-health-history.log",
    "*/cmd/top--b--n-1.md",
    "*/conf/kernel-config.gz",
    "*/k8s-metrics-*.yaml",
)
_KEPT_OF_CUT = 256
_REDACTED = b"<redacted>"
_VARIABLE = re.compile(rb"(?m)^( +- name: [A-Z_0-9]+\n +value: ).+$")
_APPLIED = re.compile(
    rb"(?m)^( +)(kubectl\.kubernetes\.io/last-applied-configuration:).*\n(?:\1 +.*\n|\n(?=\1 ))*"
)


def kept(path: str, data: bytes) -> bytes:
    """What is kept of a file."""
    if any(fnmatchcase(path, pattern) for pattern in CUT):
        return data[:_KEPT_OF_CUT]
    if path.endswith(".yaml"):
        data = _VARIABLE.sub(rb"\1" + _REDACTED, data)
        data = _APPLIED.sub(rb"\1\2 " + _REDACTED + b"\n", data)
    return data


def keep_zip(source: Path, out: Path) -> None:
    """Keep a sysdump, with the times of its files."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for info in old.infolist():
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, b"" if info.is_dir() else kept(info.filename, old.read(info)))


def keep_tar(source: Path, out: Path) -> None:
    """Keep the output of cilium-bugtool, with the times of its files."""
    buffer = io.BytesIO()
    with tarfile.open(source) as old, tarfile.open(fileobj=buffer, mode="w") as new:
        for info in old:
            content = old.extractfile(info) if info.isfile() else None
            data = kept(info.name, content.read()) if content else b""
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    out.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def main(arguments: Sequence[str]) -> None:
    """Keep one archive."""
    source, out = map(Path, arguments)
    (keep_zip if source.suffix == ".zip" else keep_tar)(source, out)
    print(f"{source}: {source.stat().st_size:,} bytes, kept {out.stat().st_size:,}")


if __name__ == "__main__":
    main(sys.argv[1:])
