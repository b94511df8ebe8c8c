"""How much of an archive is read before it is called hostile."""

from __future__ import annotations

MIB = 1024 * 1024

CHUNK = 256 * 1024
"""Bytes that are read or yielded at once."""
FILES = 500_000
"""Files in one archive; 1,000 agents leave 460,000."""
NAMES = 128 * MIB
"""Bytes of an archive's table of contents."""
NAME = 4096
"""Bytes of one file's name."""
FILE = 2048 * MIB
"""Bytes of one unpacked file; the collector stops logs at 1 GiB."""
TARBALL = 4096 * MIB
"""Bytes of one unpacked tar archive."""
EXPANSION = 300
"""How many times its packed size a file may unpack to; the most seen in a real archive is 70."""
EXPANSION_FROM = 8 * MIB
"""Unpacked bytes from which `EXPANSION` is held against a file."""
ITEM = 8 * MIB
"""Bytes of one Kubernetes object as YAML; the API server takes 1.5 MiB of JSON."""
NODES = 500_000
"""Values in one Kubernetes object."""
DEPTH = 100
"""Levels in one Kubernetes object."""
LOG_TAIL = 32 * MIB
"""Bytes that are kept of a log's end."""
