"""Keeps the mails that were sent to the sandbox, in memory, each only once for a key."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from ledger import clock

KEYS_LAST = timedelta(hours=24)
KEPT_MAILS = 2_000


class AnotherMail(Exception):
    """The key was used before, for a mail that was not the same."""


@dataclass
class Mail:
    """One mail as it was sent; `repeats` counts how often the same one came again under its key."""

    content: Mapping[str, Any]
    key: str | None
    at: datetime
    id: UUID = field(default_factory=uuid4)
    repeats: int = 0

    def of(self, name: str) -> list[str]:
        """Return the addresses of a field that may be one, many or none."""
        value = self.content.get(name) or []
        return [value] if isinstance(value, str) else list(value)

    @property
    def fingerprint(self) -> str:
        """Return what is equal for equal mails alone."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


class Mailbox:
    """All mails, oldest first; threads may share it."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        self._now = now
        self._mails: dict[UUID, Mail] = {}
        self._lock = threading.Lock()

    def take(self, content: Mapping[str, Any], key: str | None) -> Mail:
        """Keep a mail, or return the one that is here under its key; raise AnotherMail if that one differs."""
        new = Mail(content, key, self._now())
        with self._lock:
            known = [mail for mail in self._mails.values() if key and mail.key == key]
            if known and known[-1].at > new.at - KEYS_LAST:
                if known[-1].fingerprint != new.fingerprint:
                    raise AnotherMail
                known[-1].repeats += 1
                return known[-1]
            self._mails[new.id] = new
            if len(self._mails) > KEPT_MAILS:
                del self._mails[next(iter(self._mails))]
            return new

    def find(self, id: str) -> Mail | None:  # noqa: A002 - the vendor's own word
        """Return the mail with this id."""
        try:
            return self._mails.get(UUID(id))
        except ValueError:
            return None

    def newest_first(self) -> list[Mail]:
        """Return all mails."""
        with self._lock:
            return list(reversed(self._mails.values()))

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._mails.clear()
