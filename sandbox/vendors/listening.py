"""Turns a recording into words for each channel: by hearing it, or from fixed scripts for tests."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter

from sandbox.vendors.audio import Audio, is_silent
from sandbox.vendors.heard import Word
from sandbox.vendors.recogniser import Recogniser

Heard = Sequence[Sequence[Word]]


class Listener(Protocol):
    """Whatever knows what was said in a recording; `name` says how."""

    name: str

    def listen(self, sha256: str, audio: Audio) -> Heard:
        """Return the words of each channel, in order."""


class Hearing:
    """Really hears a recording, one at a time, and each only once."""

    def __init__(self, recogniser: Recogniser) -> None:
        self.name = recogniser.name
        self._recogniser = recogniser
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int], Heard] = {}

    def listen(self, sha256: str, audio: Audio) -> Heard:
        """Return the words of each channel, in order."""
        key = (sha256, len(audio.channels))
        with self._lock:
            if key not in self._known:
                self._known[key] = [self._recogniser.hear(samples, audio.rate) for samples in audio.channels]
            return self._known[key]


class Turn(BaseModel):
    """What one side said at once; times in seconds, spread over the recording where they are not given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    channel: int = 0
    start: float | None = None
    end: float | None = None


class Script(BaseModel):
    """What is said in one recording."""

    model_config = ConfigDict(frozen=True)

    turns: list[Turn]


SCRIPTS = TypeAdapter(dict[str, Script])

UNKNOWN = (
    (
        "Hello, my name is Alex Morgan. I would like to book an appointment, please.",
        "Of course, when suits you?",
    ),
    ("Good morning, this is Robin Clarke. I have a question about your prices.", "Gladly, what do you need?"),
    (
        "Hi, my name is Sam Taylor. Could somebody call me back tomorrow at ten?",
        "Certainly, we will do that.",
    ),
)
"""Caller and agent of a recording that no script is for; which of them depends on the recording alone."""


class Canned:
    """Answers from scripts by the recording's sha256: no model, no waiting, the same each time."""

    name = "sandbox canned"

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._scripts = scripts

    @classmethod
    def read(cls, path: Path) -> "Canned":
        """Read one JSON file of sha256 to script, or a folder with a file `<sha256>.json` for each."""
        if path.is_dir():
            return cls.of({one.stem: json.loads(one.read_text()) for one in sorted(path.glob("*.json"))})
        return cls.of(json.loads(path.read_text()))

    @classmethod
    def of(cls, scripts: object) -> "Canned":
        """Take scripts as plain JSON values; raise pydantic's ValidationError for anything else."""
        return cls(SCRIPTS.validate_python(scripts))

    def listen(self, sha256: str, audio: Audio) -> Heard:
        """Return the words of each channel, in order; none where the whole recording is silent."""
        script = self._scripts.get(sha256)
        if script is None:
            if all(is_silent(samples) for samples in audio.channels):
                return [[] for _ in audio.channels]
            lines = UNKNOWN[int(sha256[:8], 16) % len(UNKNOWN)][: len(audio.channels)]
            script = Script(turns=[Turn(text=text, channel=channel) for channel, text in enumerate(lines)])
        return _spoken(script.turns, audio)


def _spoken(turns: Sequence[Turn], audio: Audio) -> Heard:
    heard: list[list[Word]] = [[] for _ in audio.channels]
    share = audio.seconds / max(1, len(turns))
    for number, turn in enumerate(turns):
        start = number * share if turn.start is None else turn.start
        # A pause after it, so that each turn is an utterance of its own.
        end = start + share * 0.7 if turn.end is None else turn.end
        words = turn.text.split()
        step = (end - start) / max(1, len(words))
        heard[turn.channel % len(heard)] += [
            Word(word, round(start + at * step, 3), round(start + (at + 1) * step, 3), 0.99)
            for at, word in enumerate(words)
        ]
    return heard
