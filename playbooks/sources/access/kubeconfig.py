"""The kubeconfig: which files, what they say together, and the chosen context."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from playbooks.sources.access.options import CannotConnect, ConnectOptions

DEFAULT_FILE = "~/.kube/config"


class Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    """Where an API server is and how to trust it."""

    server: str = ""
    """Its URL, maybe with a path."""
    certificate_authority: str | None = None
    """File of the CA."""
    certificate_authority_data: str | None = None
    """The CA in base64; wins over the file."""
    insecure_skip_tls_verify: bool = False
    """Whether anybody may answer."""
    tls_server_name: str | None = None
    """The name that the certificate is for, if it is not the URL's."""
    proxy_url: str | None = None
    """Proxy for this cluster alone."""


class Variable(msgspec.Struct, frozen=True):
    """An environment variable of a plug-in."""

    name: str
    """Its name."""
    value: str = ""
    """Its value."""


class Plugin(msgspec.Struct, frozen=True, rename="camel"):
    """A program that prints credentials."""

    command: str
    """What to run."""
    api_version: str = "client.authentication.k8s.io/v1"
    """The dialect it speaks."""
    args: list[str] | None = None
    """Its arguments."""
    env: list[Variable] | None = None
    """Variables added to the environment."""
    interactive_mode: str = "IfAvailable"
    """`Never`, `IfAvailable` or `Always`: whether it needs a terminal."""
    install_hint: str | None = None
    """What its vendor says to do when it is missing."""
    provide_cluster_info: bool = False
    """Whether it wants to know the cluster."""


class AuthProvider(msgspec.Struct, frozen=True):
    """The older way to get credentials, of which only OpenID Connect is left."""

    name: str = ""
    """Its name, such as `oidc`."""
    config: dict[str, str | None] | None = None
    """What it was told and what it stored."""


class User(msgspec.Struct, frozen=True, rename="kebab"):
    """Who we are."""

    client_certificate: str | None = None
    """File of the certificate."""
    client_certificate_data: str | None = None
    """The certificate in base64; wins over the file."""
    client_key: str | None = None
    """File of the key."""
    client_key_data: str | None = None
    """The key in base64; wins over the file."""
    token: str | None = None
    """Bearer token; wins over the file."""
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    """File of the bearer token."""
    username: str | None = None
    """For basic authentication."""
    password: str | None = None
    """For basic authentication."""
    exec: Plugin | None = None
    """A program that prints credentials."""
    auth_provider: AuthProvider | None = None
    """The older way to get credentials."""
    as_user: str | None = msgspec.field(default=None, name="as")
    """User to act as."""
    as_uid: str | None = None
    """Uid to act as."""
    as_groups: list[str] | None = None
    """Groups to act as."""


class Context(msgspec.Struct, frozen=True):
    """A cluster and a user under one name."""

    cluster: str = ""
    """Name of the cluster."""
    user: str = ""
    """Name of the user."""


class _NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: Cluster | None = None


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: User | None = None


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: Context | None = None


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    current_context: str | None = None
    contexts: list[_NamedContext] | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None


Section = TypeVar("Section")
"""A cluster or a user."""


@dataclass(frozen=True, slots=True)
class Placed(Generic[Section]):
    """A section and the folder that its relative paths start from."""

    value: Section
    """The section."""
    folder: Path
    """Folder of its file."""

    def path(self, name: str) -> str:
        """A file named in the section, as a path that is good from anywhere."""
        return str(self.folder / os.path.expanduser(name))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A context with its cluster and its user."""

    context: str
    """Name of the context."""
    where: str
    """The files that were read."""
    cluster: Placed[Cluster]
    """The cluster."""
    user: Placed[User]
    """The user."""
    user_name: str
    """Name of the user; empty when the context names none."""


def files_of(options: ConnectOptions, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The kubeconfig files that exist, in the order in which they count; none when there is no kubeconfig.

    Raises `CannotConnect` for a file that was asked for by option and does not exist.
    """
    if options.kubeconfig:
        paths = tuple(Path(name).expanduser() for name in options.kubeconfig)
        for path in paths:
            if not path.is_file():
                raise CannotConnect(
                    "there is no such kubeconfig", str(path), "check the path of --kubeconfig"
                )
        return paths
    named = environment.get("KUBECONFIG") or DEFAULT_FILE
    paths = tuple(Path(name).expanduser() for name in named.split(os.pathsep) if name)
    return tuple(path for path in paths if path.is_file())


def _read(path: Path) -> _File:
    import yaml

    try:
        # The C loader is ten times as fast; a kubeconfig of a fleet holds hundreds of contexts.
        loaded = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return msgspec.convert(loaded or {}, _File)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotConnect(
            f"the kubeconfig cannot be read: {reason}", str(path), "check its owner and mode"
        ) from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise CannotConnect(
            f"the kubeconfig is not YAML: {problem}", str(path), "mend the file at that line"
        ) from error
    except msgspec.ValidationError as error:
        raise CannotConnect(f"the kubeconfig is broken: {error}", str(path), "mend that field") from error


def _near(wanted: str, known: list[str]) -> str:
    if not known:
        return "the kubeconfig holds no context"
    near = difflib.get_close_matches(wanted, known, n=3)
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return (
        f"did you mean {' or '.join(near)}? Known contexts: {shown}" if near else f"known contexts: {shown}"
    )


def names_of_contexts(paths: tuple[Path, ...]) -> tuple[str, ...]:
    """The names of all contexts of these files, sorted. Raises `CannotConnect`."""
    return tuple(sorted({one.name for path in paths for one in _read(path).contexts or ()}))


def choose(options: ConnectOptions, paths: tuple[Path, ...]) -> Chosen:
    """The chosen context of these files together: as with kubectl, the first file that says a thing wins."""
    contexts: dict[str, Context] = {}
    clusters: dict[str, Placed[Cluster]] = {}
    users: dict[str, Placed[User]] = {}
    current = ""
    for path in paths:
        file, folder = _read(path), path.absolute().parent
        current = current or file.current_context or ""
        for one in file.contexts or ():
            contexts.setdefault(one.name, one.context or Context())
        for two in file.clusters or ():
            clusters.setdefault(two.name, Placed(two.cluster or Cluster(), folder))
        for three in file.users or ():
            users.setdefault(three.name, Placed(three.user or User(), folder))
    where = os.pathsep.join(map(str, paths))
    name = options.context or current
    if not name:
        raise CannotConnect("no context is chosen", where, f"give --context; {_near('', sorted(contexts))}")
    context = contexts.get(name)
    if context is None:
        raise CannotConnect(f"there is no context {name!r}", where, _near(name, sorted(contexts)))
    cluster = clusters.get(context.cluster)
    if cluster is None or not cluster.value.server:
        what = f"context {name!r} names cluster {context.cluster!r}, which has no server"
        raise CannotConnect(what, where, "mend the context, or choose another by --context")
    nobody = Placed(User(), cluster.folder)
    return Chosen(name, where, cluster, users.get(context.user, nobody), context.user)
