"""Opens whatever a person gives: a zip, a tar, a gzipped tar or a folder."""

from __future__ import annotations

from pathlib import Path

from playbooks.sources.sysdump.container import Container
from playbooks.sources.sysdump.cursor import Handle, Plain
from playbooks.sources.sysdump.folder import Folder, open_plain
from playbooks.sources.sysdump.tarred import BLOCK, Tarred, is_tar
from playbooks.sources.sysdump.trouble import Damaged, UnreadableArchive
from playbooks.sources.sysdump.zipped import Zipped

_EXPECTED = "give a cilium-sysdump .zip, the folder it unpacks to, or a cilium-bugtool .tar or .tar.gz"
_OTHER_PACKERS = {b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"7z\xbc\xaf": "7-Zip"}


def open_container(path: Path) -> Container:
    """Open an archive or an unpacked one. Raises `UnreadableArchive`."""
    try:
        if path.is_dir():
            return Folder(path)
        handle = open_plain(path.resolve())
    except Damaged as error:
        raise UnreadableArchive(str(error), str(path), error.remedy) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableArchive(f"cannot be opened ({reason})", str(path), _EXPECTED) from error
    try:
        return _packed(handle, path)
    except Damaged as error:
        handle.close()
        raise UnreadableArchive(str(error), str(path), error.remedy) from error
    except UnreadableArchive:
        handle.close()
        raise


def _packed(handle: Handle, path: Path) -> Container:
    head = handle.read(0, BLOCK)
    if head.startswith(b"PK"):
        return Zipped(handle)
    if head.startswith(b"\x1f\x8b") or is_tar(head):
        return Tarred.packed(Plain(handle, 0, handle.size), handle)
    if not head:
        raise UnreadableArchive("is empty", str(path), _EXPECTED)
    for mark, packer in _OTHER_PACKERS.items():
        if head.startswith(mark):
            raise UnreadableArchive(f"is packed with {packer}", str(path), "unpack it, and give the folder")
    raise UnreadableArchive("is neither zip nor tar", str(path), _EXPECTED)
