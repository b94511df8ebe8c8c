"""Where Hubble is and how it is trusted: flags, environment and configuration file of the hubble command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playbooks.sources.access import CannotConnect

PREFIX = "HUBBLE_"
"""How the environment's variables begin; the rest is the flag's name."""
_UNIT = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the hubble command would be told; each field is named as its flag."""

    server: str = ""
    """host:port, `unix:` and a path, or `tls://` and host:port; empty when nobody named one."""
    tls: bool = False
    """Whether to use TLS where the server does not begin with `tls://`."""
    tls_allow_insecure: bool = False
    """Whether to take any certificate."""
    tls_ca_cert_files: tuple[str, ...] = ()
    """More authorities, beside the system's."""
    tls_client_cert_file: str = ""
    """Our certificate."""
    tls_client_key_file: str = ""
    """Its key."""
    tls_server_name: str = ""
    """The name to expect in the server's certificate, instead of its host."""
    basic_auth_username: str = ""
    """For a server behind basic authentication."""
    basic_auth_password: str = ""
    """The same."""
    timeout: float = 5.0
    """Seconds that dialling may take."""
    request_timeout: float = 12.0
    """Seconds that one answer may take; a stream has no limit."""
    origin: str = ""
    """Where the server was named: the flag, the variable, or the file."""


class _Found:
    """Values by flag name, from the first place that has them."""

    def __init__(self, flags: Mapping[str, str], environment: Mapping[str, str], file: Path | None) -> None:
        self._flags = flags
        self._environment = environment
        self._file = file
        self._written = _read(file) if file else {}

    def get(self, name: str) -> tuple[str, str]:
        """The value and where it was found; two empty strings when nowhere."""
        if name in self._flags:
            return self._flags[name], f"--{name}"
        variable = PREFIX + name.upper().replace("-", "_")
        if value := self._environment.get(variable):
            return value, variable
        if name in self._written:
            return self._written[name], f"{name} in {self._file}"
        return "", ""

    def text(self, name: str) -> str:
        return self.get(name)[0]

    def flag(self, name: str) -> bool:
        value, where = self.get(name)
        if value and value not in _TRUE | _FALSE:
            raise CannotConnect(f"{value!r} is neither true nor false", where, "give true or false")
        return value in _TRUE

    def seconds(self, name: str, default: float) -> float:
        value, where = self.get(name)
        if not value:
            return default
        seconds = seconds_of(value)
        if seconds is None:
            raise CannotConnect(f"{value!r} is no duration", where, "give one like 5s or 1m30s")
        return seconds

    def paths(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, re.split(r"[,\s]+", self.text(name))))


def settings_from(
    flags: Mapping[str, str], environment: Mapping[str, str], home: Path | None = None
) -> Settings:
    """The settings: flags first, then `HUBBLE_…`, then the configuration file. Raises `CannotConnect`.

    `flags` holds only those that were given, by name without dashes; lists with commas between.
    """
    found = _Found(flags, environment, _file(flags, environment, home or Path.home()))
    server, origin = found.get("server")
    return Settings(
        server=server,
        tls=found.flag("tls"),
        tls_allow_insecure=found.flag("tls-allow-insecure"),
        tls_ca_cert_files=found.paths("tls-ca-cert-files"),
        tls_client_cert_file=found.text("tls-client-cert-file"),
        tls_client_key_file=found.text("tls-client-key-file"),
        tls_server_name=found.text("tls-server-name"),
        basic_auth_username=found.text("basic-auth-username"),
        basic_auth_password=found.text("basic-auth-password"),
        timeout=found.seconds("timeout", 5.0),
        request_timeout=found.seconds("request-timeout", 12.0),
        origin=origin,
    )


def seconds_of(duration: str) -> float | None:
    """The seconds in a duration as Go writes them, such as `1m30s`; nothing for anything else."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        return None
    return sum(float(number) * _UNIT[unit] for number, unit in parts)


def _file(flags: Mapping[str, str], environment: Mapping[str, str], home: Path) -> Path | None:
    named = flags.get("config") or environment.get(PREFIX + "CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise CannotConnect(
                "there is no such configuration file", named, "check --config and HUBBLE_CONFIG"
            )
        return path
    folder = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    choices = (folder / "hubble" / "config.yaml", home / ".hubble" / "config.yaml")
    return next((path for path in choices if path.is_file()), None)


def _read(path: Path) -> dict[str, str]:
    import yaml

    try:
        document = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise CannotConnect(
            f"Hubble's configuration cannot be read: {error}", str(path), "mend or remove it"
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise CannotConnect("Hubble's configuration is no mapping", str(path), "mend or remove it")
    return {str(name).lower(): _written(value) for name, value in document.items() if value is not None}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
