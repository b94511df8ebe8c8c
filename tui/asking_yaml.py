"""One object as YAML: asked for by its name, or taken from the list that a recording holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import msgspec
import yaml

from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Answer, End, Gap, GapKind
from playbooks.model.fact import Fact, Provenance, Unreadable
from playbooks.model.finding import Ref
from playbooks.model.request import Objects, Request, Resource
from tui.asking import Laid
from tui.view.sheet import Sheet
from tui.view.subjects import request_of, yaml_command

_NOTE = "# without managedFields; values of environment variables and other secrets are redacted\n"
_HIDDEN = "<redacted>"


async def written(
    knowing: Knowing, ref: Ref, resources: tuple[Resource, ...], kubectl: str = "kubectl"
) -> Laid | Gap:
    """The object behind a subject, in the first version that there is; commands begin with `kubectl`."""
    gap = Gap(GapKind.NOT_FOUND, f"{ref} is not known here")
    for resource in resources:
        found = await _one(knowing, ref, resource, kubectl)
        if not isinstance(found, Gap):
            return found
        if gap.kind is GapKind.NOT_FOUND:
            gap = found
    return gap


async def _one(knowing: Knowing, ref: Ref, resource: Resource, kubectl: str) -> Laid | Gap:
    request = request_of(ref, resource)
    named = await knowing.asking.raw(request)
    if isinstance(named, Answer):
        return await asyncio.to_thread(_laid, named.body, request, named.end, kubectl)
    if named.kind is not GapKind.NOT_RECORDED:
        return named
    # A recording answers only what was asked when it was made, and that were lists.
    picked = await knowing.asking.read(Objects(resource), _Picking(request.namespace, ref.name))
    if isinstance(picked, _Picked) and picked.document:
        return await asyncio.to_thread(_laid, picked.document, request, picked.end, kubectl)
    return named


def as_yaml(document: bytes, resource: Resource) -> bytes:
    """A JSON object as YAML without managedFields; of a Secret no value is shown. Raises `Unreadable`."""
    try:
        found = msgspec.json.decode(document, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"not an object: {error}") from error
    # Objects in a list do not say what they are.
    version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    found = {"apiVersion": version, "kind": resource.kind, **found}
    if isinstance(meta := found.get("metadata"), dict):
        meta.pop("managedFields", None)
    for part in ("data", "stringData") if found["kind"] == "Secret" else ():
        if isinstance(values := found.get(part), dict):
            found[part] = dict.fromkeys(values, _HIDDEN)
    text = yaml.dump(found, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return (_NOTE + text).encode("utf-8", errors="replace")


def _laid(document: bytes, request: Objects, end: End, kubectl: str) -> Laid | Gap:
    try:
        body = as_yaml(document, request.resource)
    except Unreadable as error:
        return Gap(GapKind.UNREADABLE, str(error), command=end.command, remedy="run it by hand")
    return Laid(Answer(request, body, replace(end, command=yaml_command(request, kubectl))), Sheet.of(body))


class _Dumper(yaml.SafeDumper):
    """YAML as kubectl writes it: lines of a text under each other, no reference to another part."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything where it stands."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


@dataclass(frozen=True, kw_only=True)
class _Picked(Fact):
    """One object of a list, as it came."""

    document: bytes
    end: End


class _Page(msgspec.Struct, frozen=True):
    kind: str = ""
    apiVersion: str = ""  # noqa: N815  as it is on the wire
    items: tuple[msgspec.Raw, ...] | None = None


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    namespace: str = ""


class _Named(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()


@dataclass(slots=True)
class _Picking:
    """Reads a list page by page and keeps the one object."""

    namespace: str
    name: str
    document: bytes = b""
    rest: list[bytes] = field(default_factory=list)

    def feed(self, chunk: bytes) -> None:
        """Take a chunk; every full line is a page."""
        *whole, last = chunk.split(b"\n")
        for part in whole:
            self.rest.append(part)
            self._take()
        self.rest.append(last)

    def finish(self, request: Request, end: End) -> Fact:
        """What was found."""
        self._take()
        return _Picked(provenance=Provenance.of(request, end), document=self.document, end=end)

    def _take(self) -> None:
        line, self.rest = b"".join(self.rest), []
        if self.document or not line.strip():
            return
        try:
            page = msgspec.json.decode(line, type=_Page)
            for item in (bytes(one) for one in page.items or ()):
                meta = msgspec.json.decode(item, type=_Named).metadata
                if (meta.name, meta.namespace) == (self.name, self.namespace):
                    self.document = item
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"not a list of objects: {error}") from error
