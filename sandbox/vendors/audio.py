"""Reads a recording into samples, one list a channel."""

import io
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

SILENT_BELOW = 256
"""A 16-bit sample louder than this is sound: telephone hiss stays under it, a whisper does not."""

PCM, MULAW, EXTENSIBLE = 1, 7, 0xFFFE
FORMAT = struct.Struct("<HHIIHH")
SUBFORMAT_AT = 24


class Corrupt(Exception):
    """The bytes are no recording that can be read here."""


@dataclass(frozen=True)
class Audio:
    """A recording: `rate` in samples a second, `channels` as signed 16-bit samples."""

    rate: int
    channels: tuple["array[int]", ...]

    @property
    def seconds(self) -> float:
        """Return how long it is, in seconds."""
        return len(self.channels[0]) / self.rate

    def mixed(self) -> "Audio":
        """Return the same recording with all its channels in one."""
        if len(self.channels) == 1:
            return self
        moments = zip(*self.channels, strict=True)
        return Audio(self.rate, (array("h", (sum(one) // len(one) for one in moments)),))


def is_silent(samples: "array[int]") -> bool:
    """Tell whether nothing was ever louder than the line's own hiss."""
    return not samples or (max(samples) < SILENT_BELOW and min(samples) > -SILENT_BELOW)


def decode(data: bytes) -> Audio:
    """Read 16-bit and mu-law WAV alone, anything else through PyAV where it is installed; raise Corrupt."""
    audio = _wav(data) if data[:4] == b"RIFF" and data[8:12] == b"WAVE" else None
    audio = audio or _through_pyav(data)
    if not audio.channels or not audio.channels[0]:
        raise Corrupt("no samples in it")
    return audio


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _wav(data: bytes) -> Audio | None:
    chunks = dict(_chunks(data))
    form, body = chunks.get(b"fmt ", b""), chunks.get(b"data", b"")
    if len(form) < FORMAT.size:
        raise Corrupt("a WAV file without its format")
    tag, count, rate, _, _, bits = FORMAT.unpack_from(form)
    if tag == EXTENSIBLE:
        tag = int.from_bytes(form[SUBFORMAT_AT : SUBFORMAT_AT + 2], "little")
    if not count or not rate:
        raise Corrupt("a WAV file of no channels")
    if (tag, bits) == (PCM, 16):
        samples = array("h", body[: len(body) // (2 * count) * 2 * count])
    elif (tag, bits) == (MULAW, 8):
        samples = array("h", map(_mulaw_table().__getitem__, body[: len(body) // count * count]))
    else:
        return None
    return Audio(rate, tuple(samples[channel::count] for channel in range(count)))


@cache
def _mulaw_table() -> tuple[int, ...]:
    """Return the sample that each mu-law byte stands for (ITU-T G.711)."""

    def sample(byte: int) -> int:
        byte = ~byte & 0xFF
        size = (((byte & 0x0F) << 3) + 0x84 << ((byte & 0x70) >> 4)) - 0x84
        return -size if byte & 0x80 else size

    return tuple(sample(byte) for byte in range(256))


def _through_pyav(data: bytes) -> Audio:
    try:
        import av
    except ImportError:
        raise Corrupt("not a 16-bit or mu-law WAV file, and PyAV is not installed") from None
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise Corrupt("no sound in it")
            resampler = av.AudioResampler(format="s16p")
            rate, channels = 0, list[array[int]]()
            frames = [*container.decode(audio=0), None]
            for frame in (one for sent in frames for one in resampler.resample(sent)):
                rate = frame.sample_rate
                channels = channels or [array("h") for _ in frame.layout.channels]
                for channel, plane in zip(channels, frame.to_ndarray(), strict=True):
                    channel.frombytes(plane.tobytes())
    except (av.FFmpegError, ValueError) as error:
        raise Corrupt(type(error).__name__) from None
    return Audio(rate, tuple(channels))
