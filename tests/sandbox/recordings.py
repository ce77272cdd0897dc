"""Recordings made up for the tests of the sandbox."""

import io
import math
import wave
from array import array


def wav(*channels: "array[int]", rate: int = 8_000) -> bytes:
    """Return a 16-bit WAV file of these channels."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", (one for moment in zip(*channels, strict=True) for one in moment)).tobytes())
    return out.getvalue()


def silence(seconds: float = 2.0) -> "array[int]":
    """Return nothing, at 8 kHz."""
    return array("h", bytes(2 * int(8_000 * seconds)))


def tone(seconds: float = 2.0, hertz: float = 440.0) -> "array[int]":
    """Return a steady tone, at 8 kHz."""
    return array("h", (round(9_000 * math.sin(2 * math.pi * hertz * at / 8_000)) for at in range(int(8_000 * seconds))))
