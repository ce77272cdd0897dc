"""The light recogniser: CMU PocketSphinx, when faster-whisper, its model and numpy are not installed."""

from array import array
from collections.abc import Iterator
from typing import Any

from sandbox.vendors.audio import is_silent
from sandbox.vendors.heard import RATE, Word

FRAMES_A_SECOND = 100


class PocketSphinx:
    """PocketSphinx with the English model that its own package carries."""

    name = "pocketsphinx en-us"

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(samprate=RATE, loglevel="FATAL")

    def hear(self, samples: "array[int]", rate: int) -> list[Word]:
        """Return the words of one channel in order, none for silence."""
        if is_silent(samples):
            return []
        return [word for start, pcm in _spoken(_stretched(samples, rate)) for word in self._words(start, pcm)]

    def _words(self, start: float, pcm: bytes) -> Iterator[Word]:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        for heard in self._decoder.seg():
            text = heard.word.partition("(")[0]
            if text and text[0] not in "<[":
                yield Word(
                    text,
                    round(start + heard.start_frame / FRAMES_A_SECOND, 3),
                    round(start + (heard.end_frame + 1) / FRAMES_A_SECOND, 3),
                    round(min(1.0, max(0.0, self._decoder.get_logmath().exp(heard.prob))), 4),
                )


def _spoken(samples: "array[int]") -> Iterator[tuple[float, bytes]]:
    """Cut the silence out: yields the second each stretch of speech begins at, and its samples."""
    from pocketsphinx import Endpointer

    endpointer: Any = Endpointer(sample_rate=RATE)
    pcm, size, speech = samples.tobytes(), endpointer.frame_bytes, list[bytes]()
    for at in range(0, len(pcm), size):
        frame = pcm[at : at + size]
        heard = endpointer.process(frame) if len(frame) == size else endpointer.end_stream(frame)
        if heard is not None:
            speech.append(heard)
            if not endpointer.in_speech:
                yield endpointer.speech_start, b"".join(speech)
                speech = []
    if speech:
        yield endpointer.speech_start, b"".join(speech)


def _stretched(samples: "array[int]", rate: int) -> "array[int]":
    """Return the samples at 16 kHz, drawn by straight lines between the old ones."""
    if rate == RATE:
        return samples
    last, step = len(samples) - 1, rate / RATE
    out = array("h", bytes(2 * int(len(samples) / step)))
    for index in range(len(out)):
        place = index * step
        before = int(place)
        after = before + 1 if before < last else last
        out[index] = round(samples[before] + (samples[after] - samples[before]) * (place - before))
    return out
