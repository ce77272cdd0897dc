"""Puts heard words into the form in which Deepgram answers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import uuid4

from starlette.datastructures import QueryParams

from sandbox.vendors.heard import Word

PAUSE = 0.8
"""Seconds of silence that end an utterance, as Deepgram has it when `utt_split` is not given."""

ENDS_SENTENCE = re.compile(r"[.!?][\"')]*$")
EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True)
class Wishes:
    """What of the query changes the form of the answer."""

    multichannel: bool
    diarize: bool
    utterances: bool
    paragraphs: bool
    punctuate: bool
    pause: float
    names_language: bool

    @classmethod
    def of(cls, query: QueryParams) -> "Wishes":
        """Read them from a query; raise ValueError for a number that is none."""

        def on(name: str) -> bool:
            return query.get(name, "").lower() == "true"

        return cls(
            multichannel=on("multichannel"),
            diarize=on("diarize"),
            utterances=on("utterances"),
            paragraphs=on("paragraphs") or on("smart_format"),
            punctuate=on("punctuate") or on("smart_format"),
            pause=float(query.get("utt_split", PAUSE)),
            names_language=on("detect_language") or query.get("language") == "multi",
        )


def results(heard: Sequence[Sequence[Word]], wishes: Wishes) -> dict[str, Any]:
    """Return the `results` part of an answer: one item a channel, and the utterances of all in order."""
    answer: dict[str, Any] = {"channels": [_channel(number, words, wishes) for number, words in enumerate(heard)]}
    if wishes.utterances:
        spoken = [
            _utterance(number, one, wishes)
            for number, words in enumerate(heard)
            for one in _split_at_pauses(words, wishes.pause)
        ]
        answer["utterances"] = sorted(spoken, key=lambda one: (one["start"], one["channel"]))
    return answer


def _channel(number: int, words: Sequence[Word], wishes: Wishes) -> dict[str, Any]:
    best: dict[str, Any] = {
        "transcript": _text(words, wishes),
        "confidence": _confidence(words),
        "words": [_word(number, word, wishes) for word in words],
    }
    if wishes.paragraphs and words:
        best["paragraphs"] = _paragraphs(number, words, wishes)
    if not wishes.names_language:
        return {"alternatives": [best]}
    best["languages"] = ["en"]
    return {"alternatives": [best], "detected_language": "en", "language_confidence": 1.0}


def _word(number: int, word: Word, wishes: Wishes) -> dict[str, Any]:
    form: dict[str, Any] = {
        "word": _bare(word),
        "start": word.start,
        "end": word.end,
        "confidence": word.confidence,
    }
    if wishes.diarize:
        # Nothing here tells voices apart within a channel; on a telephone each channel is one speaker.
        form |= {"speaker": number, "speaker_confidence": 1.0}
    if wishes.punctuate:
        form["punctuated_word"] = word.text
    return form


def _utterance(number: int, words: Sequence[Word], wishes: Wishes) -> dict[str, Any]:
    form: dict[str, Any] = {
        "start": words[0].start,
        "end": words[-1].end,
        "confidence": _confidence(words),
        "channel": number,
        "transcript": _text(words, wishes),
        "words": [_word(number, word, wishes) for word in words],
        "id": str(uuid4()),
    }
    return form | {"speaker": number} if wishes.diarize else form


def _paragraphs(number: int, words: Sequence[Word], wishes: Wishes) -> dict[str, Any]:
    parts = list(_split_at_pauses(words, wishes.pause))
    paragraphs = [
        {
            "sentences": [
                {"text": _text(one, wishes), "start": one[0].start, "end": one[-1].end} for one in _sentences(part)
            ],
            "num_words": len(part),
            "start": part[0].start,
            "end": part[-1].end,
        }
        | ({"speaker": number} if wishes.diarize else {})
        for part in parts
    ]
    return {"transcript": "\n\n".join(_text(part, wishes) for part in parts), "paragraphs": paragraphs}


def _split_at_pauses(words: Sequence[Word], pause: float) -> Iterator[Sequence[Word]]:
    cuts = [at for at, (one, following) in enumerate(pairwise(words), 1) if following.start - one.end >= pause]
    return (words[start:end] for start, end in pairwise([0, *cuts, len(words)]) if end > start)


def _sentences(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    cuts = [at for at, word in enumerate(words, 1) if ENDS_SENTENCE.search(word.text)]
    return (words[start:end] for start, end in pairwise([0, *cuts, len(words)]) if end > start)


def _text(words: Sequence[Word], wishes: Wishes) -> str:
    return " ".join(word.text if wishes.punctuate else _bare(word) for word in words)


def _bare(word: Word) -> str:
    return EDGES.sub("", word.text).lower() or word.text


def _confidence(words: Sequence[Word]) -> float:
    return round(sum(word.confidence for word in words) / len(words), 4) if words else 0.0
