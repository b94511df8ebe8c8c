"""Names, ids and addresses that differ by seed and are the same for the same seed."""

from __future__ import annotations

import hashlib
import random
import string
import uuid

# Kubernetes leaves out vowels and look-alikes.
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_PLACES = ("orchard", "meadow", "heath", "moor", "grove", "marsh")


class Names:
    """A source of names that is decided by the seed."""

    def __init__(self, seed: int) -> None:
        """Begin at the start of the seed's sequence."""
        self.seed = seed
        self.random = random.Random(f"practice-{seed}")
        self.cluster = _PLACES[seed % len(_PLACES)]

    def suffix(self, length: int = 5) -> str:
        """The random end of a generated name."""
        return "".join(self.random.choices(_SUFFIX, k=length))

    def uid(self) -> str:
        """A fresh uid."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def digest(self, length: int = 64) -> str:
        """A fresh id in hexadecimal, as container runtimes give."""
        return f"{self.random.getrandbits(256):064x}"[:length]

    def mac(self) -> str:
        """A fresh locally administered address."""
        first = (self.random.getrandbits(8) | 2) & 0xFE
        return ":".join(f"{octet:02x}" for octet in (first, *self.random.randbytes(5)))

    def token(self) -> str:
        """A lower-case word of letters and digits."""
        return "".join(self.random.choices(string.ascii_lowercase + string.digits, k=10))

    def nodes(self, count: int) -> list[str]:
        """Names of nodes; the first one is the control plane's, the order is the seed's."""
        if self.seed % 2 == 0:
            workers = [f"{self.cluster}-worker-{number}" for number in range(1, count)]
        else:
            workers = [f"{self.cluster}-pool-{self.suffix(6)}" for _ in range(1, count)]
            self.random.shuffle(workers)
        return [f"{self.cluster}-control-1", *workers]


def template_hash(text: str) -> str:
    """The hash that names a ReplicaSet or a revision, decided by the template alone."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    letters = []
    for _ in range(9):
        number, index = divmod(number, len(_SUFFIX))
        letters.append(_SUFFIX[index])
    return "".join(letters)


def stable(text: str, low: int, high: int) -> int:
    """A number between `low` and `high` that is decided by the text."""
    return low + int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % (high - low + 1)


def stable_uuid(text: str) -> str:
    """A uid that is decided by the text."""
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
