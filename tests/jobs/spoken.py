"""Recordings for the tests: noise in two channels, and what the canned Deepgram hears in it."""

import hashlib
import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.samples import calls

AUDIO = Path(__file__).resolve().parents[1] / "audio"
SILENT = (AUDIO / "silence.wav").read_bytes()
CORRUPT = (AUDIO / "corrupt.wav").read_bytes()
RATE, CHANNELS, MULAW = 8000, 2, 7
CHANNEL = {"caller": 0, "agent": 1}


@dataclass(frozen=True)
class Spoken:
    """A recording, and who says what in it."""

    name: str
    turns: tuple[tuple[str, str], ...]

    @property
    def audio(self) -> bytes:
        return wav(self.name)

    @property
    def script(self) -> dict[str, Any]:
        turns = enumerate(self.turns)
        return {
            "turns": [
                # Two seconds each, so that each turn is an utterance of its own.
                {"text": words, "channel": CHANNEL[who], "start": 2 * at, "end": 2 * at + 1}
                for at, (who, words) in turns
            ]
        }

    @property
    def lines(self) -> list[str]:
        return [words for _, words in self.turns]


BOOKING = Spoken(
    "booking",
    (
        ("agent", "Good morning, how can I help?"),
        ("caller", "My name is Nora Finch. I would like to book a visit on Tuesday at three in the afternoon."),
        ("agent", "Tuesday at three is free. What number can we call you on?"),
        ("caller", "It is zero seven seven zero zero, nine zero zero, one two three."),
        ("agent", "Thank you. You are booked."),
    ),
)
TRANSFERRED = Spoken(
    "transferred",
    (
        ("agent", "You are through to the workshop."),
        ("caller", "Please also send me a quote for the new boiler."),
        ("agent", "We will send it tomorrow."),
    ),
)
SAME_NUMBER = Spoken(
    "same number",
    (
        ("agent", "Hello, how can I help?"),
        ("caller", "Could somebody call me back, please? This number is fine."),
        ("agent", "We will call you back today."),
    ),
)
WRONG_NUMBER = Spoken(
    "wrong number",
    (("caller", "Hello, is that the library?"), ("agent", "No, I think you have the wrong number.")),
)
CANARY = Spoken(
    "canary",
    (
        ("agent", "Hello, how can I help?"),
        ("caller", "My name is Quilla Zephyrine. Could you call me back? My parrot eats turquoise marbles."),
        ("agent", "What number and address can we reach you at?"),
        ("caller", "It is 07700 900987, and quilla.zephyrine@example.com."),
        ("agent", "We will call you back today."),
    ),
)
ALL = (BOOKING, TRANSFERRED, SAME_NUMBER, WRONG_NUMBER, CANARY)


def wav(name: str, seconds: int = 1) -> bytes:
    """Return a recording of noise, another for each name and the same for the same."""
    data = random.Random(name).randbytes(RATE * CHANNELS * seconds)
    form = struct.pack("<HHIIHHH", MULAW, CHANNELS, RATE, RATE * CHANNELS, CHANNELS, 8, 0)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def scripts(more: tuple[Spoken, ...] = ()) -> dict[str, Any]:
    """Return what the canned Deepgram hears, by the recording's sha256: the samples and these."""
    known = {_sha(each.audio): each.script for each in (*ALL, *more)}
    for call in calls():
        turns = [{"text": turn.text, "channel": CHANNEL[turn.speaker]} for turn in call.turns]
        known[_sha(call.audio.read_bytes())] = {"turns": turns}
    return known


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
