"""What a recogniser hears: words with their times."""

from dataclasses import dataclass

RATE = 16_000
"""Samples a second that both recognisers were made for."""


@dataclass(frozen=True)
class Word:
    """One word as it is written in a sentence; times in seconds from the start of the recording."""

    text: str
    start: float
    end: float
    confidence: float
