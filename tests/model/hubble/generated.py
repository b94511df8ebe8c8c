"""Makes the code of the .proto files; `make proto` writes it, a test compares it with what is checked in."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[3]
PROTO = Path("playbooks/model/hubble/proto")


def generate(out: Path) -> list[Path]:
    """Write code and stubs below a folder; the files, relative to it."""
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / PROTO).glob("*.proto"))
    plugin = Path(sys.executable).parent / "protoc-gen-mypy"
    status = protoc.main(
        [
            "protoc",
            f"-I{ROOT}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={plugin}",
            f"--python_out={out}",
            f"--mypy_out=quiet:{out}",
            *(str(ROOT / source) for source in sources),
        ]
    )
    if status:
        raise SystemExit(f"protoc could not make the code of {', '.join(sources)}")
    return sorted(path.relative_to(out) for path in (out / PROTO).glob("*_pb2.py*"))


if __name__ == "__main__":
    generate(ROOT)
