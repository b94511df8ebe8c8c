"""Addresses and prefixes to match: an address as it is written, a prefix by what it holds."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from playbooks.model.hubble.filters.remembering import remembered
from playbooks.model.hubble.filters.wording import WrongValue, quoted

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def matching_addresses(texts: Iterable[str]) -> Callable[[str], bool]:
    """Whether an address is one of these or within one of these prefixes; wrong ones are refused."""
    texts = tuple(texts)
    prefixes = tuple(_prefix(text) for text in texts if "/" in text)
    addresses = frozenset(_checked(text) for text in texts if "/" not in text)
    if not prefixes:
        return addresses.__contains__

    def within(text: str) -> bool:
        if text in addresses:
            return True
        address = _address(text)
        return address is not None and any(address in prefix for prefix in prefixes)

    # Addresses repeat from flow to flow, and to read one costs more than everything else of a filter.
    return remembered(within)


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if getattr(address, "scope_id", None) else address


def _checked(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise WrongValue(
            f"invalid IP address {quoted(text)} in filter: ParseAddr({quoted(text)}): unable to parse IP"
        ) from None
    return text


def _prefix(text: str) -> _Network:
    address, _, length = text.rpartition("/")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise _wrong(text, f"ParseAddr({quoted(address)}): unable to parse IP") from None
    if getattr(parsed, "scope_id", None):
        raise _wrong(text, "IPv6 zones cannot be present in a prefix")
    if not (length.isascii() and length.isdecimal()) or (len(length) > 1 and length.startswith("0")):
        raise _wrong(text, f"bad bits after slash: {quoted(length)}")
    if len(length) > 3 or int(length) > parsed.max_prefixlen:
        raise _wrong(text, "prefix length out of range")
    return ipaddress.ip_network((parsed, int(length)), strict=False)


def _wrong(text: str, why: str) -> WrongValue:
    return WrongValue(f"invalid IP prefix {quoted(text)} in filter: netip.ParsePrefix({quoted(text)}): {why}")
