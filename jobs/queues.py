"""What each queue promises: how long a job that is due may wait there before somebody should look."""

from collections.abc import Mapping
from datetime import timedelta

PROMISES: Mapping[str, timedelta] = {
    "mail": timedelta(minutes=1),
    "usage": timedelta(minutes=2),
    "speech": timedelta(minutes=5),
    "language": timedelta(minutes=5),
    "privacy": timedelta(minutes=15),
    "privacy_journal": timedelta(minutes=15),
    "upkeep": timedelta(minutes=30),
    **{
        f"copies_{vendor}": timedelta(hours=1)
        for vendor in (
            *("objects", "twilio", "telnyx", "vapi", "elevenlabs"),
            *("meta", "dialog360", "google", "supabase", "resend", "lemon_squeezy"),
        )
    },
}
USUAL = timedelta(minutes=5)
"""What a queue promises that is not named here."""


def promise(queue: str) -> timedelta:
    """Return how long a job may wait in a queue."""
    return PROMISES.get(queue, USUAL)
