"""What the tests of those who carry calls share: a day, a caller whose number must not leave a client, a writer."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from providers.voice import Carried

SINCE, UNTIL = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
CALLER = "+447700900318"
SOUND = bytes(range(256)) * 3000
SECRETS = ("900318", "Marigold", "k-secret", "s-secret", "5ec2e7")


class Sink(list[bytes]):
    """Keeps what is written to it."""

    @property
    def whole(self) -> bytes:
        return b"".join(self)


def says_nothing_of_anybody(calls: list[Carried]) -> bool:
    """Tell whether no field of any call holds the caller's number in any spelling."""
    return not any("900318" in str(getattr(call, field.name)) for call in calls for field in fields(call))


def full(writer: list[bytes]) -> Any:
    """Return a writer that fails as a full disk does, after one piece."""

    def write(piece: bytes) -> None:
        if writer:
            raise OSError(28, "No space left on device")
        writer.append(piece)

    return write
