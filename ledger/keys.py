"""A key to the HTTP API: how it is written, and what the ledger keeps of it."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID, uuid4

WRITTEN = re.compile(r"nxk_([0-9a-f]{32})_([0-9a-f]{64})")
"""A prefix that scanners of leaked secrets can look for, the key's id, the secret."""


@dataclass(frozen=True, slots=True)
class Key:
    """What proves a key to the ledger: its id, and the digest of its secret."""

    id: UUID
    digest: bytes = field(repr=False)

    @property
    def values(self) -> dict[str, object]:
        """Return it as the parameters of a statement."""
        return {"id": self.id, "digest": self.digest}


def new_key() -> tuple[Key, str]:
    """Make a key; returns what is stored of it, and what its holder is shown once."""
    key_id, secret = uuid4(), secrets.token_bytes(32)
    return Key(key_id, _digest(secret)), f"nxk_{key_id.hex}_{secret.hex()}"


def read_key(written: str) -> Key | None:
    """Return the key that is written there; None if it is none."""
    found = WRITTEN.fullmatch(written)
    return Key(UUID(found[1]), _digest(bytes.fromhex(found[2]))) if found else None


def _digest(secret: bytes) -> bytes:
    """Return what is stored of a secret. It is random and of 256 bits: a slow hash would protect it no better."""
    return hashlib.sha256(secret).digest()
